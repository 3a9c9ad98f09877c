import {join} from 'node:path';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {findFleetFile} from '../../src/lib/fleet/find.ts';
import {kindsOf} from '../../src/lib/fleet/kinds.ts';
import {loadFleet} from '../../src/lib/fleet/load.ts';
import {membersIn, nearest, objectivesOf, regionOf, rpoOf, rtoOf, storeOf} from '../../src/lib/fleet/lookup.ts';
import {standIns} from './kinds.ts';

const folder = join(import.meta.dirname, 'valid/whole');
const fleet = await loadFleet(join(folder, 'fleet.yaml'), kindsOf(standIns), {DB_PASSWORD: 'x', CONTROL_TOKEN: 'y'});

describe('lookup', () => {
  it('finds regions and stores, and names the known ones when there is none', () => {
    expect(regionOf(fleet, 'ap').jurisdiction).toBe('SG');
    expect(() => regionOf(fleet, 'eu-wset')).toThrow(
      expect.objectContaining({
        exit: 64,
        message: 'unknown region "eu-wset"; known regions: us-east, eu-west, ap',
        suggestions: ['Did you mean "eu-west"?'],
      }),
    );
    expect(() => storeOf(fleet, 'zzz')).toThrow(
      expect.objectContaining({message: 'unknown store "zzz"; known stores: orders', suggestions: []}),
    );
  });

  it('finds members by region', () => {
    expect(membersIn(fleet, 'us-east').map(({store, member}) => `${store.name}/${member.name}`)).toEqual(['orders/us-east']);
    expect(membersIn(fleet, 'ap')).toEqual([]);
  });

  it('takes the strictest objective', () => {
    const store = {...storeOf(fleet, 'orders'), dataClasses: ['logs', 'money']};
    const classes = [
      {name: 'logs', rpoMs: 60_000, allowed: null},
      {name: 'money', rpoMs: 0, allowed: null},
      {name: 'other', rpoMs: 0, allowed: null},
    ];
    const services = [
      {name: 'a', class: 'odd', rtoMs: 1, stores: [], routes: []},
      {name: 'b', class: 'full', rtoMs: 3, stores: [], routes: []},
      {name: 'c', class: 'full', rtoMs: 2, stores: [], routes: []},
      {name: 'd', class: 'critical', rtoMs: 9, stores: [], routes: []},
    ];
    expect(rpoOf({...fleet, dataClasses: classes}, store)).toEqual({class: 'money', rpoMs: 0});
    expect(rpoOf({...fleet, dataClasses: classes}, {...store, dataClasses: []})).toBeNull();
    expect(rtoOf({...fleet, services})).toEqual([
      {class: 'critical', kind: 'rto', targetMs: 9},
      {class: 'full', kind: 'rto', targetMs: 2},
      {class: 'odd', kind: 'rto', targetMs: 1},
    ]);
  });

  it('lists every objective', () => {
    expect(objectivesOf(fleet)).toEqual([
      {class: 'critical', kind: 'rto', targetMs: 900_000},
      {class: 'user-content', kind: 'rpo', targetMs: 0},
    ]);
  });

  it('guesses near names only', () => {
    expect(nearest('teir', ['tier', 'sites'])).toBe('tier');
    expect(nearest('Failoverorder', ['failoverOrder'])).toBe('failoverOrder');
    expect(nearest('xyz', ['tier', 'sites'])).toBeUndefined();
    expect(nearest('a', [])).toBeUndefined();
    fc.assert(fc.property(fc.string(), fc.array(fc.string()), (name, known) => [undefined, ...known].includes(nearest(name, known))));
  });

  it('reads the whole file', () => {
    expect(fleet).toMatchObject({
      name: 'shop',
      labels: {profile: 'fast'},
      witness: {everyMs: 20, deadlineMs: 2000},
      hooks: {page: {run: ['notify', 'oncall'], timeoutMs: 10_000}},
      state: {kind: 'sqlite', dir: join(folder, 'state')},
      fault: {kind: 'lab', path: ['faults']},
      routes: [{router: {kind: 'lab', config: {control: 'http://127.0.0.1:21000'}}, weights: {'us-east': 100}, url: null}],
    });
    expect(regionOf(fleet, 'us-east').endpoints[0]).toMatchObject({
      critical: true,
      timeoutMs: 1000,
      slowMs: null,
      probe: {
        kind: 'http',
        config: {url: 'http://127.0.0.1:21001/healthz', expectStatus: 200},
        path: ['regions', 'us-east', 'endpoints', 'app'],
      },
    });
    expect(regionOf(fleet, 'us-east').sites).toEqual({'us-east-a': {failsOverTo: null}, 'us-east-b': {failsOverTo: 'us-east-a'}});
    expect(storeOf(fleet, 'orders').members[0]?.host).toMatchObject({
      kind: 'lab',
      path: ['stores', 'orders', 'members', 'us-east', 'host'],
    });
  });

  it('refuses two providers of one kind', () => {
    expect(() => kindsOf([...standIns, standIns[0]!])).toThrow(expect.objectContaining({code: 'provider-duplicate'}));
  });
});

describe('finding the file', () => {
  it('takes the named one, or says what to do', async () => {
    expect(await findFleetFile(folder, 'fleet.yaml')).toBe(join(folder, 'fleet.yaml'));
    await expect(findFleetFile(folder, 'nope.yaml')).rejects.toMatchObject({
      code: 'fleet-missing',
      exit: 66,
      message: 'there is no fleet file nope.yaml',
    });
    await expect(findFleetFile('/')).rejects.toMatchObject({
      code: 'fleet-missing',
      suggestions: [expect.stringContaining('regionctl init'), expect.stringContaining('--fleet')],
    });
    await expect(loadFleet(join(folder, 'nope.yaml'), kindsOf([]))).rejects.toMatchObject({code: 'fleet-missing', exit: 66});
  });
});

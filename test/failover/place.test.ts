import {describe, expect, it} from 'vitest';
import {placeFor} from '../../src/lib/failover/place.ts';
import {chooseDestination, movesOf, planFailover} from '../../src/lib/failover/plan-failover.ts';
import type {DataClass, Fleet, StoreSpec} from '../../src/lib/fleet/fleet.ts';
import {known, unknown} from '../../src/lib/snapshot/cell.ts';
import type {Member, Snapshot} from '../../src/lib/snapshot/snapshot.ts';
import {sampleFleet, sampleSnapshot} from './three-regions.ts';

// A sovereign region with two sites, and a global store beside its own: cn may lose neither its data nor its rule.
const base = sampleFleet();
const member = (name: string, region: string, site: string | null = null) => ({name, region, site, config: {}, host: null});
const store = (name: string, dataClasses: readonly string[], members: StoreSpec['members']): StoreSpec => ({
  name,
  engine: 'postgres',
  dataClasses,
  quorum: 0,
  fenceHook: null,
  members,
  config: {},
  path: ['stores', name],
});
const classes: readonly DataClass[] = [
  {name: 'citizens', rpoMs: 60_000, allowed: ['CN']},
  {name: 'catalogue', rpoMs: 60_000, allowed: null},
];
const fleet: Fleet = {
  ...base,
  regions: [
    {
      ...base.regions[0]!,
      name: 'cn',
      jurisdiction: 'CN',
      failoverOrder: ['ap'],
      sites: {a: {failsOverTo: 'b'}, b: {failsOverTo: null}, c: {failsOverTo: null}},
    },
    {...base.regions[2]!, name: 'ap', failoverOrder: ['cn']},
  ],
  stores: [
    store('people', ['citizens'], [member('people-a', 'cn', 'a'), member('people-c', 'cn', 'c'), member('people-b', 'cn', 'b')]),
    store('goods', ['catalogue'], [member('goods-cn', 'cn', 'a'), member('goods-ap', 'ap')]),
  ],
  services: [{name: 'shop', class: 'critical', rtoMs: 900_000, stores: ['goods'], routes: ['front-door']}],
  routes: [{...base.routes[0]!, weights: {cn: 100, ap: 0}}],
  dataClasses: classes,
};
const position = {lineage: 'L', epoch: 1, offset: '1'};
const standing = (region: string, upstream: string): Member => ({
  region,
  role: 'standby',
  writable: false,
  durable: position,
  applied: position,
  upstream,
  heardUpstreamAgoMs: null,
});
const silent = unknown('timeout', 'no answer', 0);

function snapshot(alive: Readonly<Record<string, boolean>> = {}): Snapshot {
  const cell = (name: string, region: string, upstream: string) =>
    (alive[name] ?? !name.endsWith('-a')) && name !== 'goods-cn' ? known(standing(region, upstream), 0, 'here') : silent;
  const ack = unknown('no-primary', 'nobody', 0);
  return {
    ...sampleSnapshot(),
    regions: {
      cn: known({verdict: 'unhealthy', agree: 1, asked: 1, code: 'down', reason: 'site a is gone'}, 0, 'here'),
      ap: known({verdict: 'healthy', agree: 1, asked: 1, code: 'healthy', reason: 'well'}, 0, 'here'),
    },
    stores: {
      people: {
        engine: 'postgres',
        ack,
        members: Object.fromEntries(['people-a', 'people-b', 'people-c'].map((name) => [name, cell(name, 'cn', 'people-a')])),
      },
      goods: {engine: 'postgres', ack, members: {'goods-cn': silent, 'goods-ap': known(standing('ap', 'goods-cn'), 0, 'here')}},
    },
    routers: {'front-door': known({cn: 100, ap: 0}, 0, 'here')},
  };
}
const [people] = fleet.stores;
const way = {from: 'cn', to: 'ap', primary: 'people-a'};

describe('where a store goes whose data may not leave', () => {
  it('its secondary site takes over, the one that its own site fails over to first', () => {
    expect(placeFor(fleet, snapshot(), people!, way)).toEqual({
      member: 'people-b',
      region: 'cn',
      why: 'citizens may not be in ap (SG), so its secondary site cn/b takes over',
    });
  });

  it('another site when that one does not answer', () => {
    expect(placeFor(fleet, snapshot({'people-b': false}), people!, way)).toMatchObject({member: 'people-c'});
  });

  it('nowhere in another jurisdiction, and it says what stays down', () => {
    const alone = {...fleet, stores: [store('people', ['citizens'], [member('people-a', 'cn', 'a')])]};
    expect(placeFor(alone, snapshot(), alone.stores[0]!, way)).toEqual({
      member: null,
      says: 'people stays down: citizens may not be in ap (SG), and it has no secondary site where its data may be',
    });
  });
});

describe('a failover of a sovereign region', () => {
  const plan = () =>
    planFailover({
      id: 'r-1',
      fleet,
      snapshot: snapshot(),
      from: 'cn',
      to: 'ap',
      loss: [],
      objectives: [],
      overrides: [],
      witness: false,
      guard: {forMs: null},
      approve: true,
    });

  it('moves what may move, promotes the secondary site for what may not, and says so', () => {
    const made = plan();
    const promoted = made.steps.filter(({do: {action}}) => action === 'store.promote').map(({do: {target}}) => target.member);
    // What the critical service needs comes first.
    expect(promoted).toEqual(['goods-ap', 'people-b']);
    expect(made.remarks).toEqual([expect.stringContaining('people stays in its jurisdiction')]);
    expect(made.staysDown).toEqual([]);
    expect(made.gates.filter(({id}) => id.startsWith('residency')).map(({id, verdict}) => [id, verdict])).toEqual([
      ['residency:goods', 'pass'],
      ['residency:people', 'pass'],
    ]);
  });

  it('never follows, rejoins or points a store at a region where its data may not be', () => {
    const touched = plan().steps.filter(({do: {target}}) => target.store === 'people');
    expect(touched.length).toBeGreaterThan(5);
    const effects = touched.map(({do: act, undo, requires, ensures}) => [act, undo, requires, ensures]);
    expect(JSON.stringify(effects)).not.toMatch(/"ap"|goods-ap/);
  });

  it('sends the route after the data of its most urgent service', () => {
    const reroute = plan().steps.find(({id}) => id === 'reroute-front-door');
    expect(reroute?.do.args).toMatchObject({weights: {cn: 0, ap: 100}});
    const sovereign = {...fleet, services: [{...fleet.services[0]!, stores: ['people']}]};
    const {moves} = movesOf(sovereign, snapshot(), 'cn', 'ap');
    expect(moves.map(({spec}) => spec.name)).toEqual(['people', 'goods']);
  });

  it('stays in the region when nothing of it may leave', () => {
    const only = {...fleet, stores: [people!]};
    expect(chooseDestination(only, snapshot(), 'cn', undefined)).toBe('cn');
    const {moves} = movesOf(only, snapshot(), 'cn', 'cn');
    expect(moves).toMatchObject([{target: 'people-b', region: 'cn', why: null}]);
  });
});

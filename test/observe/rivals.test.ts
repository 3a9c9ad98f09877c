import {describe, expect, it} from 'vitest';
import {observeFenced} from '../../src/lib/observe/observe-fenced.ts';
import {storeNotes} from '../../src/lib/observe/store-notes.ts';
import {judgeTopology} from '../../src/lib/replication/topology.ts';
import {type Cell, known, unknown} from '../../src/lib/snapshot/cell.ts';
import type {Cells} from '../../src/lib/snapshot/rivals.ts';
import type {Member, StoreSnapshot} from '../../src/lib/snapshot/snapshot.ts';
import {FakeStore, standby} from '../failover/fake-store.ts';
import {sampleFleet} from '../failover/three-regions.ts';
import {link, placed} from '../replication/topology-samples.ts';

const [orders] = sampleFleet().stores;
if (orders === undefined) throw new Error('the sample fleet has a store');

const primary = (region: string, epoch: number, more: Partial<Member> = {}): Cell<Member> => {
  const position = {lineage: 'L', epoch, offset: '100'};
  return known(
    standby(region, 100, {role: 'primary', writable: true, upstream: null, durable: position, applied: position, ...more}),
    0,
    'sql',
  );
};
const follows = (region: string, upstream: string, epoch = 2): Cell<Member> => {
  const position = {lineage: 'L', epoch, offset: '100'};
  return known(standby(region, 100, {upstream, durable: position, applied: position}), 0, 'sql');
};
const silent = unknown('timeout', 'no answer', 0);
const waitsFor = (...of: string[]) => ({acknowledges: {need: 1, of}});
/** The former primary us-east beside the new one, eu-west, that ap follows. */
const returned = (former: Partial<Member>, more: Cells = {}): Cells => ({
  'us-east': primary('us-east', 1, former),
  'eu-west': primary('eu-west', 2, waitsFor('us-east', 'ap')),
  ap: follows('ap', 'eu-west'),
  ...more,
});
const notes = (members: Cells, more: Partial<StoreSnapshot> = {}) =>
  storeNotes(orders, {engine: 'postgres', ack: unknown('none', 'not asked', 0), members, ...more});
const SEALED = waitsFor('eu-west', 'ap');
const INERT =
  'orders: us-east is a stale primary (timeline 1) and can acknowledge nothing: it waits with every commit for 1 of eu-west, ap, none of whom follows it, while eu-west takes writes (timeline 2); ';
const BACK = '`regionctl failback run` closes us-east, keeps what it holds alone, and brings it back as a standby';

describe('a store of which two members answer as writable primaries', () => {
  it('is degraded, and no split brain, where the former one can acknowledge nothing: what brings it back is said', () => {
    expect(notes(returned(SEALED))).toEqual({verdict: 'degraded', notes: [`${INERT}${BACK}`]});
  });

  it('names who brings the former one back where regionctl does not move the store by hand', () => {
    expect(notes(returned(SEALED), {manager: 'patroni'}).notes).toEqual([`${INERT}patroni has to bring us-east back`]);
    expect(notes(returned(SEALED), {watched: true}).notes).toEqual([`${INERT}whoever runs the store has to bring us-east back`]);
  });

  it.each([
    ['waits for nobody', {}],
    ['has a rule that nobody waits for, because less is asked for by default', {...SEALED, lowered: true}],
  ] as const)('is a split brain where the former one %s', (_why, former) => {
    expect(notes(returned(former))).toEqual({
      verdict: 'unhealthy',
      notes: [
        `orders: split brain: eu-west and us-east both run as primaries: eu-west takes writes (timeline 2), and us-east takes writes (timeline 1); ${BACK}`,
      ],
    });
  });

  it('is a split brain where a standby still follows the former one', () => {
    const both = returned(SEALED, {'eu-west': primary('eu-west', 2), ap: follows('ap', 'us-east', 1)});
    expect(notes(both)).toMatchObject({verdict: 'unhealthy', notes: [expect.stringContaining('split brain')]});
  });

  it('counts as a split brain where it cannot be told whether the former one takes writes, and says so', () => {
    expect(notes(returned(SEALED, {'eu-west': primary('eu-west', 2), ap: silent}))).toEqual({
      verdict: 'unhealthy',
      notes: [
        `orders: split brain: eu-west and us-east both run as primaries: eu-west takes writes (timeline 2), and whether us-east takes writes cannot be told: it waits with every commit for 1 of eu-west, ap, and it is not known who of them follows it; ${BACK}`,
        'orders: could not read ap (no answer)',
      ],
    });
  });

  it('leaves to a person which of two on one timeline is right', () => {
    expect(notes(returned({}, {'eu-west': primary('eu-west', 1), ap: follows('ap', 'eu-west', 1)})).notes).toEqual([
      expect.stringMatching(/split brain.*; stop the one whose writes may be lost$/u),
    ]);
  });

  it('is unhealthy where only the one that was passed by takes writes', () => {
    const cells = returned({}, {'eu-west': primary('eu-west', 2, waitsFor('ap')), ap: follows('ap', 'us-east', 1)});
    expect(notes(cells)).toEqual({
      verdict: 'unhealthy',
      notes: [
        `orders: us-east takes writes (timeline 1) although another member was promoted past it, which will not have them; ${BACK}`,
        'orders: eu-west answers as a primary (timeline 2) and can acknowledge nothing: it waits with every commit for 1 of ap, none of whom follows it',
      ],
    });
  });

  it('is unhealthy where neither can acknowledge a write', () => {
    const cells = returned(SEALED, {'eu-west': primary('eu-west', 2, waitsFor('us-east')), ap: follows('ap', 'elsewhere')});
    expect(notes(cells)).toMatchObject({
      verdict: 'unhealthy',
      notes: [expect.stringContaining('no member that answers as a primary can acknowledge a write: eu-west waits')],
    });
  });

  it('sends nobody to a failback where the true primary is one that does not answer', () => {
    const cells = returned({}, {ap: follows('ap', 'gone', 3)});
    expect(notes(cells).notes[0]).toMatch(/; the true primary is another one: bring its region back, or fail over from it$/u);
  });
});

describe('the topology', () => {
  const found = (seen: Cells) => {
    const names = ['us-east', 'eu-west', 'ap'];
    const base = {store: 'orders', engine: 'postgres', at: 0, classes: [], linksTrouble: null};
    const links = [link('eu-west', 'ap'), link('eu-west', 'us-east', {state: 'broken'})];
    const [store] = judgeTopology('', [{...base, members: names.map((name) => placed(name, {})), seen, links}]).stores;
    return store?.findings.filter(({code}) => code.endsWith('-primaries') || code === 'inert-primary') ?? [];
  };

  it('does not say either that two take writes where the former primary can acknowledge nothing', () => {
    expect(found(returned(SEALED))).toEqual([
      {
        code: 'inert-primary',
        severity: 'warning',
        reason:
          'us-east answers as a primary (timeline 1) and can acknowledge nothing: it waits with every commit for 1 of eu-west, ap, none of whom follows it.',
        fix: '`regionctl failback plan` shows how it is brought back.',
      },
    ]);
    expect(found(returned({}))).toMatchObject([{code: 'two-primaries', severity: 'error'}]);
  });
});

describe('a former primary that is closed to all but us', () => {
  const clock = {now: () => 0, wall: () => 0, sleep: async () => undefined};
  const {signal} = new AbortController();
  const world = (members: Cells) => {
    const store = new FakeStore();
    store.members = Object.fromEntries(Object.entries(members).map(([name, cell]) => [name, cell.known ? cell.value : null]));
    const asked: string[] = [];
    const fence = store.port.abilities.fence;
    if (fence === undefined) throw new Error('the fake store has a fence');
    fence.prove = async (_ctx, member) => {
      asked.push(member);
      return member === 'us-east' ? {kind: 'closed', at: '', survivesRestart: true, leaks: []} : null;
    };
    return {port: store.port, fence, asked};
  };

  it('is stale by its proof, though it waits for nobody', async () => {
    const {port, asked} = world(returned({}));
    const members = await observeFenced(port, clock, signal);
    expect(asked.toSorted()).toEqual(['eu-west', 'us-east']);
    expect(notes(members)).toEqual({
      verdict: 'degraded',
      notes: [
        `orders: us-east is a stale primary (timeline 1) and can acknowledge nothing: it is closed, while eu-west takes writes (timeline 2); ${BACK}`,
      ],
    });
  });

  it('is asked for a proof only where two may take writes', async () => {
    const {port, asked} = world(returned(SEALED));
    expect(notes(await observeFenced(port, clock, signal)).verdict).toBe('degraded');
    expect(asked).toEqual([]);
  });

  it('counts as open where no proof can be had', async () => {
    const {port, fence} = world(returned({}));
    fence.prove = () => Promise.reject(new Error('no route'));
    expect(notes(await observeFenced(port, clock, signal)).verdict).toBe('unhealthy');
  });
});

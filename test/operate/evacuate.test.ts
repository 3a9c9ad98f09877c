import {describe, expect, it} from 'vitest';
import {evacuationFrom, fleetOfPeers, readmissionFrom} from '../../src/lib/operate/evacuate.ts';
import type {Abilities, LinkReading, Store} from '../../src/lib/ports/store.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import type {Snapshot} from '../../src/lib/snapshot/snapshot.ts';
import {REGIONS, sampleFleet, sampleSnapshot} from '../failover/three-regions.ts';
import {recordState} from '../replication/record-state.ts';

const sample = sampleFleet({quorum: 0});
const [orders] = sample.stores;
if (orders === undefined) throw new Error('the sample fleet has a store');
const events = {...orders, name: 'events', engine: 'rabbitmq'};

const stream = (to: string): LinkReading => ({
  ...{from: 'us-east', to, link: `us_east_to_${to}`, kind: 'logical', senderState: 'streaming', receiverConnected: true, senderRead: true},
  ...{sendBytes: 9, writeBytes: 9, flushBytes: 9, replayBytes: 9, replayOffset: '1000', runwayBytes: null},
  ...{lastReplayAgeSeconds: null, heardUpstreamAgoMs: 0, sampleAgeMs: 0, sync: null, trouble: null},
});
const able = {
  links: {links: async () => [stream('eu-west'), stream('ap')]},
  outbound: {},
  claim: {},
  audit: {
    tables: async (members: readonly string[]) =>
      Object.fromEntries(members.map((name) => [name, known([{name: 'public.orders', lacks: null, rows: 10, bytes: 2048}], 0, 'here')])),
  },
} as unknown as Partial<Abilities>;

const store = (abilities: Partial<Abilities>): Store =>
  ({engine: 'fake', peers: true, abilities, observe: async () => ({}), close: async () => undefined}) as unknown as Store;
const open = (stores: Readonly<Record<string, Store>>, specs = [orders, events]): OpenFleet => {
  const clock = {wall: () => 0, now: () => 0, sleep: async () => undefined};
  return {fleet: {...sample, stores: specs.filter(({name}) => name in stores)}, stores, clock} as unknown as OpenFleet;
};

function seen(names: readonly string[], weights: Readonly<Record<string, number>> = {'us-east': 100, 'eu-west': 100, ap: 100}): Snapshot {
  const peer = {role: 'peer' as const, writable: true, upstream: null};
  const base = sampleSnapshot({verdicts: {}, members: Object.fromEntries(REGIONS.map((name) => [name, peer]))});
  const all = Object.fromEntries(names.map((name) => [name, {...(base.stores.orders ?? expect.fail('no store')), peers: true as const}]));
  return {...base, stores: all, routers: {'front-door': known(weights, 0, 'here')}};
}
const asking = {from: 'us-east', to: undefined, overrides: [], signal: new AbortController().signal, state: null};

describe('a fleet whose regions are left and taken back', () => {
  it('is one with a store of peers that can tell what it has not sent, and be compared', () => {
    expect(fleetOfPeers(open({orders: store(able)}), seen(['orders']))?.stores).toEqual([orders]);
    for (const lacks of Object.keys(able))
      expect(fleetOfPeers(open({orders: store({...able, [lacks]: undefined})}), seen(['orders']))).toBe(null);
  });

  it('names the stores that cannot, and plans without them', async () => {
    const both = open({orders: store(able), events: store({links: able.links as Abilities['links']})});
    const snapshot = seen(['orders', 'events']);
    const fleet = fleetOfPeers(both, snapshot) ?? expect.fail('nothing to plan for');
    const plan = await evacuationFrom(both, fleet, snapshot, asking, {witness: false, approve: false});
    expect(plan).toMatchObject({kind: 'evacuation', expected: {loss: [{store: 'orders', transactions: 0, certainty: 'exact'}]}});
    expect(plan.remarks).toContain('what us-east has not sent of events is not waited for: its engine cannot tell');
    expect(JSON.stringify(plan.steps)).not.toContain('events');
  });

  it('is not left as if nothing were lost where another one gets nothing from it', async () => {
    const one = open({orders: store({...able, links: {links: async () => [stream('eu-west')]}})});
    const plan = await evacuationFrom(one, one.fleet, seen(['orders']), asking, {witness: false, approve: false});
    expect(plan.expected.loss[0]).toMatchObject({transactions: null, certainty: 'unknown'});
    expect(plan.gates.find(({id}) => id === 'loss:orders')).toMatchObject({
      verdict: 'unknown',
      says: expect.stringContaining('there is no stream us-east → ap'),
    });
  });

  it('is left to all others: no region to go to is taken', async () => {
    const one = open({orders: store(able)});
    const evacuation = evacuationFrom(one, one.fleet, seen(['orders']), {...asking, to: 'ap'}, {witness: false, approve: false});
    await expect(evacuation).rejects.toMatchObject({exit: 64});
  });

  it('says of a region that hangs how far behind its streams were seen to be', async () => {
    const one = open({orders: store(able)});
    const state = recordState({wall: () => 0});
    const {rememberLag} = await import('../../src/lib/operate/remember-lag.ts');
    rememberLag(
      state,
      {fleet: one.fleet.name, store: 'orders'},
      [stream('ap'), {...stream('eu-west'), flushBytes: 900, replayBytes: 900}],
      0,
    );
    const snapshot = seen(['orders']);
    const {orders: all} = snapshot.stores;
    const silent = {
      ...all,
      members: {...all?.members, 'us-east': {known: false, code: 'timeout', reason: 'no answer', at: 0}},
    } as typeof all;
    const plan = await evacuationFrom(
      one,
      one.fleet,
      {...snapshot, stores: {orders: silent ?? expect.fail()}},
      {...asking, state: state as never},
      {
        ...{witness: false, approve: false},
      },
    );
    expect(plan.expected.loss[0]).toMatchObject({certainty: 'unknown', basis: expect.stringContaining('9 bytes were missing then')});
    expect(plan.steps.map(({id}) => id)).not.toContain('await-sent');
  });

  it('is told how much the audit before a return reads', async () => {
    const one = open({orders: store(able)});
    const plan = await readmissionFrom(one, one.fleet, seen(['orders'], {'us-east': 0, 'eu-west': 100, ap: 100}), {
      ...asking,
      to: 'us-east',
    });
    expect(plan.gates.find(({id}) => id === 'audit:orders')?.says).toBe(
      'the run audits 1 table of orders before any traffic: about 10 rows, 2 KiB in each region',
    );
    const mute = {...able, audit: {tables: () => Promise.reject(new Error('no'))}} as unknown as Partial<Abilities>;
    const other = open({orders: store(mute)});
    const unknown = await readmissionFrom(other, other.fleet, seen(['orders'], {'us-east': 0, 'eu-west': 100, ap: 100}), asking);
    expect(unknown.gates.find(({id}) => id === 'audit:orders')).toMatchObject({verdict: 'unknown'});
  });
});

import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {missingGuards} from '../../src/lib/failover/check-guards.ts';
import {isOnlyPeers, streamTrouble, weightsText, withoutRegion, withRegion} from '../../src/lib/failover/peers.ts';
import {planEvacuation} from '../../src/lib/failover/plan-evacuation.ts';
import {planReadmission} from '../../src/lib/failover/plan-readmission.ts';
import type {RouteSpec} from '../../src/lib/fleet/fleet.ts';
import type {Override, Plan} from '../../src/lib/plan/plan.ts';
import type {LinkReading} from '../../src/lib/ports/store.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import type {Snapshot} from '../../src/lib/snapshot/snapshot.ts';
import {REGIONS, sampleFleet, sampleSnapshot} from './three-regions.ts';

const fleet = sampleFleet({quorum: 0});
const weights = fc.record({'us-east': fc.nat(100), 'eu-west': fc.nat(100), ap: fc.nat(100)});
const route = (normal: RouteSpec['weights']): RouteSpec => ({
  ...{name: 'front-door', router: {kind: 'lab', config: {}, path: []}, url: null, stages: null},
  weights: normal,
});
const total = (all: RouteSpec['weights']): number => Object.values(all).reduce((sum, each) => sum + each, 0);

describe('weights without a region', () => {
  it('send it nothing, and somebody else something as long as anybody is fit', () => {
    fc.assert(
      fc.property(weights, weights, fc.subarray([...REGIONS]), (normal, now, fit) => {
        const left = withoutRegion(fleet, route(normal), now, 'us-east', fit);
        const others = fit.filter((region) => region !== 'us-east');
        const had = now['eu-west'] + now.ap > 0;
        expect(left === null).toBe(!had && others.length === 0);
        if (left === null) return;
        expect(left['us-east']).toBe(0);
        expect(total(left)).toBeGreaterThan(0);
        // Who had something keeps exactly that; nobody who is not fit gets anything new.
        for (const region of ['eu-west', 'ap'] as const)
          expect(left[region] === now[region] || (!had && others.includes(region))).toBe(true);
      }),
    );
  });
});

describe('weights with a region', () => {
  it('give it its share and never more, and end at those of the fleet file where the others have theirs', () => {
    fc.assert(
      fc.property(weights, fc.integer({min: 1, max: 100}), (normal, share) => {
        fc.pre(normal['us-east'] > 0);
        const now = {...normal, 'us-east': 0};
        const part = withRegion(route(normal), now, 'us-east', share);
        expect(part['us-east']).toBeGreaterThan(0);
        expect(part['us-east']).toBeLessThanOrEqual(normal['us-east']);
        expect(withRegion(route(normal), now, 'us-east', 100)).toEqual(normal);
      }),
    );
  });

  it('leave another region that is away where it is', () => {
    const normal = {'us-east': 100, 'eu-west': 100, ap: 100};
    expect(weightsText(withRegion(route(normal), {'us-east': 0, 'eu-west': 100, ap: 0}, 'us-east', 100))).toBe(
      'us-east 100, eu-west 100, ap 0',
    );
  });
});

const link = (more: Partial<LinkReading>): LinkReading => ({
  ...{from: 'us-east', to: 'ap', kind: 'logical', senderRead: true, senderState: 'streaming', receiverConnected: true},
  ...{sendBytes: 0, writeBytes: 0, flushBytes: 0, replayBytes: 0, lastReplayAgeSeconds: null, heardUpstreamAgoMs: 1, runwayBytes: null},
  ...{sync: null, sampleAgeMs: 0, trouble: null, replayOffset: '0', ...more},
});

describe('what keeps a stream from running', () => {
  it.each<[string, Partial<LinkReading>, string | null]>([
    ['nothing', {}, null],
    ['a lock that somebody will give back', {cause: {code: 'apply-blocked', state: 'stalled'}, trouble: 'it waits'}, null],
    ['a copy that is under way', {cause: {code: 'copying', state: 'late'}, trouble: 'it copies'}, null],
    ['what the engine calls broken', {cause: {code: 'no-slot', state: 'broken'}, trouble: 'There is no slot.'}, 'There is no slot.'],
    ['a sender that was not read', {senderRead: false, trouble: 'no answer.'}, 'what us-east sends to ap is not known: no answer'],
    ['a slot that nobody reads', {senderState: null}, 'ap takes nothing from us-east now: no worker reads its slot'],
    ['a worker that is gone', {receiverConnected: false}, 'ap takes nothing from us-east now: no worker reads its slot'],
  ])('%s', (_name, more, says) => {
    expect(streamTrouble(link(more))).toBe(says);
  });
});

function peers(): Snapshot {
  const seen = sampleSnapshot({
    verdicts: {},
    members: Object.fromEntries(REGIONS.map((name) => [name, {role: 'peer' as const, writable: true}])),
  });
  return {...seen, routers: {'front-door': known({'us-east': 0, 'eu-west': 100, ap: 100}, 0, 'here')}};
}

describe('a fleet', () => {
  it('is one of peers only without a store that a plan would move', () => {
    const snapshot = peers();
    const [orders] = fleet.stores;
    if (orders === undefined) throw new Error('no store');
    const mixed = {...fleet, stores: [orders, {...orders, name: 'ledger'}]};
    expect(isOnlyPeers(fleet, snapshot)).toBe(true);
    // One that was not seen may have a primary.
    expect(isOnlyPeers(mixed, snapshot)).toBe(false);
    expect(isOnlyPeers(fleet, sampleSnapshot({}))).toBe(false);
  });
});

describe('a saved evacuation', () => {
  const snapshot = {...peers(), routers: {'front-door': known({'us-east': 100, 'eu-west': 100, ap: 100}, 0, 'here')}};
  const plan = planEvacuation({
    ...{id: 'run-1', fleet, snapshot, from: 'us-east', objectives: [], overrides: [], witness: false, approve: false},
    outbound: {orders: {answers: true, isWell: true, streams: [link({to: 'eu-west'}), link({to: 'ap'})], history: []}},
  });

  it('is run as it is: it has no point of no return', () => {
    expect(missingGuards(plan)).toEqual([]);
  });

  it('is refused without what it asks before it takes a region out of a route', () => {
    const steps = plan.steps.map((step) => (step.id === 'leave-front-door' ? {...step, requires: []} : step));
    expect(missingGuards({...plan, steps})).toEqual([expect.stringContaining('no longer asks for store.claimed, regions.any-well')]);
  });
});

describe('a saved readmission', () => {
  const plan = (overrides: readonly Override[] = []): Plan =>
    planReadmission({
      ...{id: 'run-1', fleet, snapshot: peers(), to: 'us-east', objectives: [], overrides, marks: {}},
      sizes: {orders: {tables: 1, rows: 1, bytes: '1 B'}},
    });
  const edited = (edit: (plan: Plan) => Partial<Plan>) => missingGuards({...plan(), ...edit(plan())});

  it('is run as it is', () => {
    expect(missingGuards(plan())).toEqual([]);
    expect(missingGuards(plan([{gate: 'audit', reason: 'a test', by: 'ops'}]))).toEqual([]);
  });

  it.each<[string, (plan: Plan) => Partial<Plan>, string]>([
    ['without its audit', ({steps}) => ({steps: steps.filter(({id}) => id !== 'audit')}), 'without an audit of orders'],
    [
      'with its audit afterwards',
      ({steps}) => ({steps: steps.toSorted((a, b) => Number(a.id === 'audit') - Number(b.id === 'audit'))}),
      'without an audit',
    ],
    [
      'with an audit that accepts anything',
      ({steps}) => ({
        steps: steps.map((step) =>
          step.id === 'audit' ? {...step, do: {...step.do, args: {regions: ['us-east', 'ap'], accept: true}}} : step,
        ),
      }),
      'nobody passed that by name',
    ],
  ])('is refused %s', (_name, edit, says) => {
    expect(edited(edit)).toEqual([expect.stringContaining(says)]);
  });
});

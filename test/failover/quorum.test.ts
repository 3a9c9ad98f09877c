import {describe, expect, it} from 'vitest';
import {findPrimary} from '../../src/lib/failover/find-primary.ts';
import {chooseAway} from '../../src/lib/failover/plan-failback.ts';
import {quorumFit} from '../../src/lib/failover/quorum.ts';
import {withRememberedAck} from '../../src/lib/operate/remember-ack.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {State} from '../../src/lib/ports/state.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import type {AckRule, Snapshot} from '../../src/lib/snapshot/snapshot.ts';
import {sampleFleet, sampleSnapshot} from './three-regions.ts';

const spec = (quorum = 1) => sampleFleet({quorum}).stores[0]!;
const store = (rule?: Partial<AckRule>) => {
  const seen = sampleSnapshot().stores.orders!;
  return rule === undefined
    ? seen
    : {...seen, ack: known({kind: 'quorum', need: 1, of: ['eu-west', 'ap'], lowerable: true, ...rule} as const, 0, 'sql')};
};

describe('what a quorum is worth as a fence', () => {
  it('is n-k+1 standbys of the rule that the server has', () => {
    expect(quorumFit(spec(), store({}))).toEqual({seals: 2, why: null});
    expect(quorumFit(spec(), store({need: 2}))).toEqual({seals: 1, why: null});
  });

  it('is what the fleet file says for a primary that was never asked, and nothing for an asynchronous store', () => {
    expect(quorumFit(spec(), store())).toEqual({seals: 2, why: null});
    expect(quorumFit(spec(2), undefined)).toEqual({seals: 1, why: null});
    expect(quorumFit(spec(0), store()).seals).toBe(0);
  });

  it('is nothing when the server waits for less than the fleet file says', () => {
    expect(quorumFit(spec(), store({kind: 'async', need: 0, of: []}))).toMatchObject({
      seals: 0,
      why: expect.stringContaining('acknowledges alone'),
    });
    expect(quorumFit(spec(2), store({need: 1})).seals).toBe(0);
  });

  it('is nothing when somebody else may acknowledge', () => {
    expect(quorumFit(spec(), store({of: ['eu-west', 'ap', 'reporting']}))).toMatchObject({
      seals: 0,
      why: expect.stringContaining('reporting'),
    });
    expect(quorumFit(spec(), store({of: ['*']})).seals).toBe(0);
  });
});

describe('the rule that the primary told last', () => {
  const memory = new Map<string, Json>();
  const state = {
    remember: (key: string, value: Json) => memory.set(key, value),
    recall: (key: string) => memory.get(key),
  } as unknown as State;
  const asked = (rule?: Partial<AckRule>): Snapshot => ({...sampleSnapshot(), stores: {orders: store(rule)}});

  it('is remembered, and completes a snapshot that has no answer', () => {
    expect(withRememberedAck(state, 'sample', asked()).stores.orders?.ack.known).toBe(false);
    withRememberedAck(state, 'sample', asked({need: 0, kind: 'async', of: []}));
    const later = withRememberedAck(state, 'sample', asked());
    expect(later.stores.orders?.ack).toMatchObject({known: true, via: 'remembered', value: {kind: 'async', need: 0}});
    expect(quorumFit(spec(), later.stores.orders).seals).toBe(0);
  });

  it('is worth what it was also when the fleet file asks for less by now, as long as the members are on its timeline', () => {
    withRememberedAck(state, 'sample', asked({}));
    const later = withRememberedAck(state, 'sample', asked()).stores.orders!;
    expect(quorumFit(spec(0), later)).toEqual({seals: 2, why: null});
    const moved = sampleSnapshot({members: {'us-east': null, 'eu-west': {epoch: 2}}}).stores.orders!;
    expect(quorumFit(spec(0), {...later, members: moved.members}).seals).toBe(0);
    expect(quorumFit(spec(0), store({})).seals).toBe(2);
    expect(quorumFit(spec(0), store({kind: 'async', need: 0, of: []})).seals).toBe(0);
  });

  it('costs nothing where there is no state', () => {
    expect(withRememberedAck(null, 'sample', asked())).toEqual(asked());
  });
});

describe('a primary that a promotion has passed by', () => {
  const STALE = {role: 'primary', writable: true, upstream: null, epoch: 3} as const;
  const snapshot = sampleSnapshot({members: {'us-east': STALE, 'eu-west': null, ap: {epoch: 4, upstream: 'eu-west'}}});

  it('is not the primary: the one that the standbys follow is', () => {
    expect(findPrimary(snapshot.stores.orders!, spec())).toMatchObject({member: 'eu-west', seen: false});
  });

  it('is never what a failback builds on', () => {
    expect(() => chooseAway(sampleFleet(), snapshot, 'ap')).toThrow(
      /us-east answers as primary of orders, but a standby is on a later timeline/,
    );
  });
});

import {describe, expect, it} from 'vitest';
import {expectedLoss} from '../../src/lib/failover/expected-loss.ts';
import {findPrimary} from '../../src/lib/failover/find-primary.ts';
import {noneToMove} from '../../src/lib/failover/left-alone.ts';
import {chooseAway} from '../../src/lib/failover/plan-failback.ts';
import {chooseSource, planFailover, storesHeldBy} from '../../src/lib/failover/plan-failover.ts';
import {storeNotes} from '../../src/lib/observe/store-notes.ts';
import {previewLoss, type StoreForLoss} from '../../src/lib/replication/loss.ts';
import {type Cell, known, unknown} from '../../src/lib/snapshot/cell.ts';
import type {Member, Snapshot, StoreSnapshot} from '../../src/lib/snapshot/snapshot.ts';
import {sampleFleet, sampleSnapshot} from '../failover/three-regions.ts';

const peer = (region: string, writable = true): Cell<Member> => {
  const nowhere = {lineage: `events/${region}`, epoch: 0, offset: '0'};
  return known({region, role: 'peer', writable, durable: nowhere, applied: nowhere, upstream: null, heardUpstreamAgoMs: null}, 0, 'api');
};
const silent = unknown('refused', 'us-east refuses the connection', 0);
const sample = sampleFleet();
const [orders] = sample.stores;
if (orders === undefined) throw new Error('the sample fleet has a store');
const events = {...orders, name: 'events', engine: 'rabbitmq', quorum: 0};
const both = {...sample, stores: [orders, events]};

/** A store of peers in the three regions of the sample; of those that are named, what is given. */
const storeOf = (cells: Readonly<Record<string, Cell<Member>>> = {}): StoreSnapshot => ({
  engine: 'rabbitmq',
  peers: true,
  ack: known({kind: 'async', need: 0, of: [], lowerable: false}, 0, 'fleet-file'),
  members: {'us-east': peer('us-east'), 'eu-west': peer('eu-west'), ap: peer('ap'), ...cells},
});
const withEvents = (snapshot: Snapshot, store = storeOf()): Snapshot => ({...snapshot, stores: {...snapshot.stores, events: store}});

describe('a store of peers', () => {
  it('has no primary, and the one member that does not answer is none either', () => {
    expect(findPrimary(storeOf(), events)).toBe(null);
    expect(findPrimary(storeOf({'us-east': silent}), events)).toBe(null);
    expect(findPrimary(storeOf({'us-east': silent, 'eu-west': silent, ap: silent}), events)).toBe(null);
  });

  it('is left out of a failover and of a failback of other stores', () => {
    const away = {role: 'primary', writable: true, upstream: null, epoch: 2} as const;
    const down = withEvents(sampleSnapshot(), storeOf({'us-east': silent}));
    expect(chooseSource(both, down, undefined)).toBe('us-east');
    expect(storesHeldBy(both, down, 'us-east')).toEqual([orders]);
    const moved = withEvents(sampleSnapshot({verdicts: {}, members: {'us-east': null, 'eu-west': away}}));
    expect(chooseAway(both, moved, 'us-east')).toBe('eu-west');
  });

  it('has no part in the plan of a failover: no gate, no step, no loss', () => {
    const snapshot = withEvents(sampleSnapshot(), storeOf({'us-east': silent}));
    const [from, to] = ['us-east', 'eu-west'];
    const loss = [expectedLoss(both, orders, snapshot, to)];
    const plan = planFailover({
      ...{id: 'run-1', fleet: both, snapshot, from, to, loss, objectives: [], overrides: [], witness: false, guard: null, approve: false},
    });
    expect(plan.steps.length).toBeGreaterThan(3);
    expect(JSON.stringify([plan.gates, plan.steps, plan.expected, plan.expects, plan.staysDown])).not.toContain('events');
    expect(plan.remarks).toEqual([
      'events has no primary to move: its traffic goes with the routes, and what us-east has not sent of it is not waited for',
    ]);
  });

  it('alone makes no failover and no failback: both refuse in one sentence', () => {
    const fleet = {...sample, stores: [events]};
    const snapshot = {...sampleSnapshot(), stores: {events: storeOf({'us-east': silent})}};
    const says = 'nothing was done: every member of events takes writes of its own, so there is no primary that could move';
    expect(() => chooseSource(fleet, snapshot, undefined)).toThrow(says);
    expect(() => chooseSource(fleet, snapshot, 'us-east')).toThrow(says);
    expect(() => chooseAway(fleet, snapshot, 'us-east')).toThrow(says);
    expect(noneToMove([], snapshot)).toBe(null);
    expect(noneToMove(both.stores, withEvents(sampleSnapshot()))).toBe(null);
  });

  it.each([
    ['all are well', {}, 'healthy', []],
    ['one takes no writes', {ap: peer('ap', false)}, 'degraded', ['events: ap takes no writes']],
    ['one is silent', {'us-east': silent}, 'degraded', ['events: could not read us-east (us-east refuses the connection)']],
  ] as const)('stands by each of its members: %s', (_name, cells, verdict, notes) => {
    expect(storeNotes(events, storeOf(cells))).toEqual({verdict, notes});
  });

  it('is not known when no member could be read', () => {
    const none = storeOf({'us-east': silent, 'eu-west': silent, ap: silent});
    expect(storeNotes(events, none)).toMatchObject({verdict: 'unknown'});
    expect(storeNotes(events, none).notes.join()).not.toContain('primary');
  });

  it('loses what its links have not carried: an estimate, by its own word', () => {
    const reading = {
      store: 'events',
      transactions: 7,
      bytes: null,
      seconds: 3,
      certainty: 'estimate',
      basis: 'seven messages wait',
    } as const;
    const classes = [{name: 'news', rpoMs: 10_000, allowed: null}];
    const store: StoreForLoss = {store: 'events', member: 'eu-west', snapshot: storeOf({'us-east': silent}), quorum: 0, classes, reading};
    const judge = (more: Partial<StoreForLoss>) => previewLoss('2026-01-01T00:00:00Z', 'eu-west', [{...store, ...more}]).stores[0];
    expect(judge({})).toMatchObject({transactions: 7, seconds: 3, certainty: 'estimate', withinRpo: true});
    expect(judge({reading: null})).toMatchObject({transactions: null, certainty: 'unknown', withinRpo: null});
    expect(judge({classes: [{name: 'news', rpoMs: 0, allowed: null}]})).toMatchObject({withinRpo: false});
  });
});

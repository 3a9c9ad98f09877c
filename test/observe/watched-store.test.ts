import {describe, expect, it} from 'vitest';
import {expectedLoss} from '../../src/lib/failover/expected-loss.ts';
import {findPrimary} from '../../src/lib/failover/find-primary.ts';
import {chooseAway, planFailback} from '../../src/lib/failover/plan-failback.ts';
import {chooseSource, planFailover, storesHeldBy} from '../../src/lib/failover/plan-failover.ts';
import {planSwitchover} from '../../src/lib/failover/plan-switchover.ts';
import {storeNotes} from '../../src/lib/observe/store-notes.ts';
import {worstCaseFindings} from '../../src/lib/operate/worst-case.ts';
import {lossText} from '../../src/lib/output/loss-text.ts';
import {plainPaint} from '../../src/lib/output/paint.ts';
import {readPlan} from '../../src/lib/plan/read-plan.ts';
import type {Store} from '../../src/lib/ports/store.ts';
import {previewLoss, type StoreForLoss} from '../../src/lib/replication/loss.ts';
import {type Cell, known, unknown} from '../../src/lib/snapshot/cell.ts';
import type {Member, Snapshot, StoreSnapshot} from '../../src/lib/snapshot/snapshot.ts';
import {sampleFleet, sampleSnapshot} from '../failover/three-regions.ts';

const member = (region: string, role: 'primary' | 'standby'): Cell<Member> => {
  const place = {lineage: 'abc', epoch: 0, offset: '100'};
  const upstream = role === 'primary' ? null : 'us-east';
  return known({region, role, writable: role === 'primary', durable: place, applied: place, upstream, heardUpstreamAgoMs: null}, 0, 'info');
};
const silent = unknown('refused', 'us-east refuses the connection', 0);
const sample = sampleFleet();
const [orders] = sample.stores;
if (orders === undefined) throw new Error('the sample fleet has a store');
const cache = {...orders, name: 'cache', engine: 'redis', quorum: 0, dataClasses: ['sessions']};
const both = {...sample, stores: [orders, cache]};

/** A store that is watched, in the three regions of the sample; of those that are named, what is given. */
const storeOf = (cells: Readonly<Record<string, Cell<Member>>> = {}): StoreSnapshot => ({
  engine: 'redis',
  watched: true,
  ack: known({kind: 'async', need: 0, of: [], lowerable: false}, 0, 'engine'),
  members: {'us-east': member('us-east', 'primary'), 'eu-west': member('eu-west', 'standby'), ap: member('ap', 'standby'), ...cells},
});
const withCache = (snapshot: Snapshot, store = storeOf()): Snapshot => ({...snapshot, stores: {...snapshot.stores, cache: store}});
const SAYS = 'cache is watched only: Sentinel (or whoever runs it) moves it';
const away = {role: 'primary', writable: true, upstream: null, epoch: 2} as const;

describe('a store that is only watched', () => {
  it('has no primary for a plan, seen or silent', () => {
    expect(findPrimary(storeOf(), cache)).toBe(null);
    expect(findPrimary(storeOf({'us-east': silent}), cache)).toBe(null);
    expect(storesHeldBy(both, withCache(sampleSnapshot()), 'us-east')).toEqual([orders]);
  });

  it('has no part in a failover but a remark that says who moves it, and the plan reads back', () => {
    const snapshot = withCache(sampleSnapshot());
    const [from, to] = ['us-east', 'eu-west'];
    const loss = [expectedLoss(both, orders, snapshot, to)];
    const plan = planFailover({
      ...{id: 'run-1', fleet: both, snapshot, from, to, loss, objectives: [], overrides: [], witness: false, guard: null, approve: false},
    });
    expect(plan.steps.length).toBeGreaterThan(3);
    expect(JSON.stringify([plan.gates, plan.steps, plan.expected, plan.expects, plan.standsOn, plan.staysDown, plan.always])).not.toContain(
      'cache',
    );
    expect(plan.remarks).toEqual([`${SAYS}; its primary us-east is in us-east now`]);
    expect(readPlan(JSON.stringify(plan), 'plan.json')).toEqual(plan);
  });

  it('has none in a switchover or a failback either, wherever its primary is', () => {
    const moved = withCache(
      sampleSnapshot({
        verdicts: {},
        members: {'us-east': {epoch: 2, upstream: 'eu-west', role: 'standby', writable: false}, 'eu-west': away},
      }),
      storeOf({'us-east': member('us-east', 'standby'), ap: member('ap', 'primary'), 'eu-west': silent}),
    );
    expect(chooseAway(both, moved, 'us-east')).toBe('eu-west');
    const input = {id: 'run-1', fleet: both, snapshot: moved, from: 'eu-west', to: 'us-east', objectives: [], overrides: []};
    const back = planFailback(input);
    expect(back.remarks).toEqual([SAYS]);
    expect(JSON.stringify([back.gates, back.steps, back.expects, back.always])).not.toContain('cache');
    const over = planSwitchover(input);
    expect(over.remarks).toEqual([SAYS]);
    expect(JSON.stringify([over.gates, over.steps, over.expects, over.always])).not.toContain('cache');
  });

  it('alone makes no plan: each refuses in one sentence that names it', () => {
    const fleet = {...sample, stores: [cache]};
    const snapshot = {...sampleSnapshot(), stores: {cache: storeOf()}};
    expect(() => chooseSource(fleet, snapshot, undefined)).toThrow(`nothing was done: ${SAYS}`);
    expect(() => chooseAway(fleet, snapshot, 'us-east')).toThrow(`nothing was done: ${SAYS}`);
  });

  it('is named when a region is to be left that holds no other primary', () => {
    const snapshot = withCache(sampleSnapshot(), storeOf({ap: member('ap', 'primary'), 'us-east': member('us-east', 'standby')}));
    expect(() => chooseSource(both, snapshot, 'ap')).toThrow(
      `nothing was done: ap holds no primary that a plan moves; orders has its primary in us-east; ${SAYS}; its primary ap is in ap now`,
    );
  });

  it('is nothing that a failover waits for: its settings are not asked', async () => {
    const service = {name: 'shop', class: 'critical', rtoMs: 900_000, stores: ['cache'], routes: []};
    const asked = async (): Promise<never> => {
      throw new Error('it was asked');
    };
    const store: Store = {engine: 'redis', watched: true, observe: asked, ackRule: asked, abilities: {}, close: async () => undefined};
    const fleet = {...sample, stores: [cache], services: [service], routes: []};
    const [finding] = await worstCaseFindings({fleet, stores: {cache: store}}, new AbortController().signal);
    expect(finding?.says).not.toContain('cache');
    const {watched: _, ...moved} = store;
    const [other] = await worstCaseFindings({fleet, stores: {cache: moved}}, new AbortController().signal);
    expect(other?.says).toContain('cache');
  });

  it('is judged by its roles all the same: a second primary is a split brain', () => {
    expect(storeNotes(cache, storeOf())).toEqual({verdict: 'healthy', notes: []});
    expect(storeNotes(cache, storeOf({ap: member('ap', 'primary')}))).toMatchObject({
      verdict: 'unhealthy',
      notes: [expect.stringContaining('split brain')],
    });
    expect(storeNotes(cache, storeOf({'us-east': silent}))).toMatchObject({verdict: 'unknown'});
  });

  it('shows what it would lose, and blocks only where its data classes miss an objective', () => {
    const reading = {store: 'cache', transactions: null, bytes: 700, seconds: 3, certainty: 'estimate', basis: 'both were read'} as const;
    const classes = [{name: 'sessions', rpoMs: 10_000, allowed: null}];
    const store: StoreForLoss = {store: 'cache', member: 'eu-west', snapshot: storeOf(), quorum: 0, classes, reading};
    const judge = (more: Partial<StoreForLoss>) => previewLoss('2026-01-01T00:00:00Z', 'eu-west', [{...store, ...more}]);
    expect(judge({})).toMatchObject({blocking: false, stores: [{bytes: 700, seconds: 3, withinRpo: true, watched: true}]});
    expect(judge({classes: [{name: 'sessions', rpoMs: 1000, allowed: null}]})).toMatchObject({blocking: true, blockedBy: ['cache']});
    const gone = judge({snapshot: storeOf({'us-east': silent}), reading: null});
    expect(gone).toMatchObject({blocking: false, stores: [{certainty: 'unknown', withinRpo: null, bytes: null}]});
    expect(judge({member: null})).toMatchObject({blocking: false, stores: [{certainty: 'unknown'}]});
    const {watched: _, ...moved} = storeOf({'us-east': silent});
    expect(judge({snapshot: moved, reading: null})).toMatchObject({blocking: true});
    const text = lossText(gone, {columns: 200, paint: plainPaint(), now: 0});
    expect(text).toContain('It is watched only: others promote it.');
  });
});

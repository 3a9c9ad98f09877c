import {describe, expect, it} from 'vitest';
import {type DrillSeen, objectivesWithStores, verdictOf} from '../../src/lib/drill/judge.ts';
import type {BesideRow, LoadObjectiveRow, LoadRow, StoreWitnessRow, WitnessRow} from '../../src/lib/drill/report.ts';
import {runDocument} from '../../src/lib/run/document.ts';
import {drillPlan} from './plans.ts';

const row: WitnessRow = {
  ...{acknowledged: 900, failed: 0, unknown: 0, lost: [], duplicated: [], longestGapMs: 20, gapAtLeastMs: 20},
  ...{gapFrom: null, gapTo: null, lossWindowMs: 0, writeGapReason: null, lostWrites: 0, duplicatedWrites: 0},
};
const store = (more: Partial<StoreWitnessRow> = {}): StoreWitnessRow => ({
  store: 'orders',
  all: row,
  members: [],
  twoWriters: null,
  trouble: null,
  ...more,
});
const run = {
  ...runDocument('r', drillPlan(), [], false),
  outcome: 'succeeded' as const,
  measured: {writeGapMs: 20, lostWrites: 0, duplicatedWrites: 0},
};
const met = {class: 'user-content', kind: 'rpo' as const, targetMs: 0, measuredMs: 0, met: true};
const after = {met: true, checks: []};
const well = {
  run: {...run, objectives: [met]},
  faults: [],
  stores: [store()],
  beside: [] as BesideRow[],
  load: null as LoadRow | null,
  why: {gap: null, loss: null, load: null} as DrillSeen['why'],
  loads: [] as LoadObjectiveRow[],
  after,
  primaries: {wrong: null as string | null, unsure: null as string | null},
  held: null as string | null,
  goesBack: false,
  touched: true,
};
const codeOf = (more: Partial<typeof well>) => verdictOf({...well, ...more}).verdictCode;

describe('a drill', () => {
  it('passes when everything is as it should be', () => {
    expect(verdictOf(well)).toMatchObject({verdict: 'passed', verdictReason: 'every objective was met'});
  });

  it('that was interrupted has not ended, unless it could not end its fault: then it has failed', () => {
    const faults = (provenHealed: boolean) => [{fault: 'lose', region: 'ap', injectedAt: '', healedAt: null, provenHealed}];
    const ended = (outcome: 'undone' | 'interrupted', code: string, provenHealed: boolean) =>
      verdictOf({...well, run: {...well.run, outcome, code}, faults: faults(provenHealed)}).verdictCode;
    expect([ended('undone', 'interrupted', true), ended('interrupted', 'interrupted', true)]).toEqual(['not-ended', 'not-ended']);
    expect([ended('undone', 'interrupted', false), ended('interrupted', 'interrupted', false)]).toEqual(['not-healed', 'not-healed']);
    // Whoever leaves at the second Ctrl+C leaves the fault to its lease.
    expect(ended('interrupted', 'left', false)).toBe('not-ended');
  });

  it('that was to be followed by the way back has failed where that was never begun', () => {
    const row = {when: 'after' as const, kind: 'failback', runId: 'f', outcome: 'succeeded', says: '', startedAt: null, endedAt: null};
    expect(verdictOf({...well, goesBack: true, beside: [{...row, when: 'before', kind: 'switchover'}]})).toMatchObject({
      ...{verdict: 'failed', verdictCode: 'not-rolled-back'},
      verdictReason: 'the failback after the drill is not on record: it was not begun',
    });
    expect(codeOf({goesBack: true, beside: [row]})).toBe('passed');
    expect(verdictOf({...well, goesBack: true, run: {...well.run, outcome: 'failed'}}).verdictCode).toBe('run-failed');
  });

  it('in which two members acknowledged at the same time has failed, whatever its objectives say', () => {
    const twoWriters = {members: ['us-east', 'eu-west'], from: '2026-01-01T00:00:00.000Z', ms: 812.4, writes: 40};
    expect(verdictOf({...well, stores: [store({twoWriters})]})).toMatchObject({
      verdict: 'failed',
      verdictCode: 'two-writers',
      verdictReason: 'us-east and eu-west acknowledged writes of orders at the same time, for 812 ms',
    });
  });

  it('that ends with two primaries has failed, and one of which nobody knows that is not measured', () => {
    const wrong = 'orders has two primaries: eu-west and us-east';
    expect(verdictOf({...well, primaries: {wrong, unsure: null}})).toMatchObject({
      verdict: 'failed',
      verdictCode: 'wrong-primary',
      verdictReason: wrong,
    });
    expect(verdictOf({...well, primaries: {wrong: null, unsure: 'us-east does not answer'}})).toMatchObject({
      verdictCode: 'not-measured',
      verdictReason: 'us-east does not answer',
    });
  });

  it('whose way back did not succeed has failed; a run before it says nothing of it', () => {
    const beside: BesideRow = {when: 'after', kind: 'failback', runId: 'f', outcome: 'failed', says: 'no', startedAt: null, endedAt: null};
    expect(codeOf({beside: [beside]})).toBe('not-rolled-back');
    expect(codeOf({beside: [{...beside, when: 'before'}]})).toBe('passed');
  });

  it('misses an objective of its load, and is not measured where that was not', () => {
    const load: LoadObjectiveRow = {kind: 'errorRate', phase: 'after', target: 0.01, measured: 0.2, met: false};
    expect(verdictOf({...well, loads: [load]})).toMatchObject({
      verdictCode: 'objective-missed',
      verdictReason: 'the error rate after the fault was 20 % instead of 1 % at most',
    });
    expect(codeOf({loads: [{...load, measured: null, met: null}]})).toBe('not-measured');
  });
});

describe('what was not measured', () => {
  const reasonOf = (more: Partial<typeof well>) => {
    const {verdictCode, verdictReason} = verdictOf({...well, ...more});
    expect(verdictCode).toBe('not-measured');
    return verdictReason;
  };
  const part = {requests: 0, errors: 0, errorRate: null, p50Ms: null, p95Ms: null, maxMs: null};
  const unmet = {...met, measuredMs: null, met: null};

  it('is told with the reason that the witness gives', () => {
    const why = {...well.why, gap: 'fewer than two writes were acknowledged', loss: 'HTTP 500'};
    const rto = {class: 'drill', kind: 'rto' as const, targetMs: 0, measuredMs: null, met: null};
    expect(reasonOf({why, run: {...run, objectives: [rto as never]}})).toBe(
      'not measured: rto of drill (fewer than two writes were acknowledged)',
    );
    expect(reasonOf({why, run: {...run, objectives: [unmet as never]}})).toBe('not measured: rpo of user-content (HTTP 500)');
    expect(reasonOf({why, run: {...well.run, measured: {...run.measured, lostWrites: null as never}}})).toBe(
      'what was lost could not be read back (HTTP 500)',
    );
  });

  it('is told with what the witness of a store lacks', () => {
    const stores = [store({all: {...row, lossWindowMs: null}, trouble: 'its writes could not be read back: no primary of orders answers'})];
    expect(reasonOf({stores, run: {...run, objectives: [unmet as never]}})).toBe(
      'not measured: rpo of user-content (orders: its writes could not be read back: no primary of orders answers)',
    );
  });

  it('is told with what the load lacks', () => {
    const load: LoadRow = {
      kind: 'exec',
      says: 'k6: 4 requests',
      before: {...part, requests: 4, errors: 4, errorRate: 1},
      during: part,
      after: part,
    };
    const open = (kind: 'p95' | 'errorRate', phase: 'before' | 'after'): LoadObjectiveRow => ({
      kind,
      phase,
      target: 1,
      measured: null,
      met: null,
    });
    expect(reasonOf({load, loads: [open('p95', 'before'), open('errorRate', 'after')]})).toBe(
      'not measured: p95 before the fault (no request was answered as it should be), errorRate after the fault (there was no request then)',
    );
    const died = {...load, after: {...part, requests: 9, whole: false}};
    expect(reasonOf({load: died, loads: [open('errorRate', 'after')]})).toContain('(the load did not run to its end)');
    expect(reasonOf({why: {...well.why, load: 'k6: 0 requests'}})).toBe('the load could not be measured: k6: 0 requests');
  });
});

describe('the objective of a data class', () => {
  const classes = {orders: ['user-content'], payments: ['financial']};
  const judged = (lossWindowMs: number | null, more: Partial<typeof met> | {measuredMs: null; met: null} = {}, name = 'orders') =>
    objectivesWithStores([{...met, targetMs: 100, ...more}], [store({store: name, all: {...row, lossWindowMs}})], classes)[0];

  it('goes by the worse of the front door and the stores that hold it', () => {
    expect(judged(50)).toMatchObject({measuredMs: 50, met: true});
    expect(judged(500)).toMatchObject({measuredMs: 500, met: false});
    expect(judged(50, {measuredMs: 900, met: false})).toMatchObject({measuredMs: 900, met: false});
    expect(judged(500, {}, 'payments')).toMatchObject({measuredMs: 0, met: true});
    expect(judged(500, {class: 'drill'}, 'payments')).toMatchObject({measuredMs: 500, met: false});
  });

  it('is not met where one of the two was not measured, and stays missed', () => {
    expect(judged(null)).toMatchObject({measuredMs: null, met: null});
    expect(judged(null, {measuredMs: 900, met: false})).toMatchObject({met: false});
    expect(judged(500, {measuredMs: null, met: null})).toMatchObject({measuredMs: 500, met: false});
    expect(judged(50, {measuredMs: null, met: null})).toMatchObject({met: null});
  });
});

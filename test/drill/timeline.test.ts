import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {drillDocument} from '../../src/lib/drill/document.ts';
import type {TimelineRow} from '../../src/lib/drill/report.ts';
import {runDocument} from '../../src/lib/run/document.ts';
import {drillPlan, type JournalLine, journal} from './plans.ts';

const plan = drillPlan();
const iso = (at: number) => new Date(at).toISOString();
const began = (at: number, step: string, attempt = 1): JournalLine => [at, 'step-started', step, {attempt}];
const done = (at: number, step: string, result: object = {}): JournalLine => [at, 'result', step, {result: result as never, says: ''}];
const intent = (at: number, step: string, action: string): JournalLine => [at, 'intent', step, {action, v: 1, says: ''}];

const START: JournalLine = [1000, 'run-started', null, {v: 1, by: 'ana', token: 't'}];
const INJECTED: JournalLine[] = [
  began(3000, 'inject'),
  intent(3000, 'inject', 'fault.inject'),
  done(3100, 'inject', {injectedAt: iso(3050), says: 'lose is active on us-east'}),
];

function timeline(...lines: JournalLine[]): readonly TimelineRow[] {
  const events = journal(START, ...lines);
  return drillDocument(runDocument('run-1', plan, events, false), plan, events).timeline;
}
const lane = (rows: readonly TimelineRow[], name: TimelineRow['lane']) => rows.filter((row) => row.lane === name);

describe('the time line', () => {
  it('counts from the start of the run: faults from their injection to their heal, the gap as the witness saw it', () => {
    const rows = timeline(
      ...INJECTED,
      done(8000, 'witness-stop', {gapFrom: iso(3060), gapTo: iso(6000)}),
      done(9000, 'heal', {healedAt: iso(8900), provenHealed: true}),
    );
    expect(lane(rows, 'fault')).toEqual([{ms: 2050, endMs: 7900, lane: 'fault', title: 'lose on us-east', tone: 'neutral'}]);
    expect(lane(rows, 'gap')).toMatchObject([{ms: 2060, endMs: 5000, tone: 'bad'}]);
  });

  it('draws a fault that is not proven healed to the end, as bad', () => {
    const rows = timeline(...INJECTED, [7000, 'note', null, {says: 'late'}]);
    expect(lane(rows, 'fault')).toEqual([{ms: 2050, endMs: 6000, lane: 'fault', title: 'lose on us-east, not proven healed', tone: 'bad'}]);
  });

  it('makes one span of steps of a phase that follow one another, and two where there is a pause', () => {
    const rows = timeline(
      began(1000, 'steady-before'),
      done(1100, 'steady-before'),
      began(1120, 'witness-start'),
      done(3000, 'witness-start'),
      began(5000, 'claim'),
      [5600, 'step-failed', 'claim', {code: 'x', says: 'no', effect: 'none', result: null}],
    );
    expect(lane(rows, 'phase')).toEqual([
      {ms: 0, endMs: 2000, lane: 'phase', title: 'preflight', tone: 'neutral'},
      {ms: 4000, endMs: 4600, lane: 'phase', title: 'preflight', tone: 'bad'},
    ]);
  });

  it('marks what people decided, and whatever did not go straight', () => {
    const rows = timeline(
      [1100, 'approval-asked', 'promote', {approvers: 1, expiresAt: 9000, says: ''}],
      [1200, 'approved', 'promote', {by: 'bo', user: 'bo', reason: null}],
      began(1300, 'promote', 2),
      done(1400, 'promote'),
      done(1500, 'reroute'),
      [1600, 'abort-asked', null, {by: 'chris', reason: null}],
    );
    expect(lane(rows, 'event').map(({ms, title, tone}) => [ms, title, tone])).toEqual([
      [100, 'approval asked for: promote eu-west', 'neutral'],
      [200, 'approved by bo: promote eu-west', 'good'],
      [300, 'tried again: promote eu-west', 'neutral'],
      [400, 'done: promote eu-west', 'good'],
      [600, 'abort asked for by chris', 'bad'],
    ]);
  });

  it('is empty for a drill that was not begun', () => {
    expect(drillDocument(runDocument('run-1', plan, [], false), plan, []).timeline).toEqual([]);
  });

  it('never ends a span before it begins, whatever the clocks of others say', () => {
    const at = fc.integer({min: 0, max: 20_000});
    fc.assert(
      fc.property(at, at, at, at, (injected, healed, gapFrom, gapTo) => {
        const rows = timeline(
          intent(3000, 'inject', 'fault.inject'),
          done(3100, 'inject', {injectedAt: iso(injected)}),
          done(8000, 'witness-stop', {gapFrom: iso(gapFrom), gapTo: iso(gapTo)}),
          done(9000, 'heal', {healedAt: iso(healed), provenHealed: true}),
        );
        expect(rows.length).toBeGreaterThan(1);
        for (const {ms, endMs} of rows) {
          expect(ms).toBeGreaterThanOrEqual(0);
          expect(endMs ?? ms).toBeGreaterThanOrEqual(ms);
        }
      }),
    );
  });
});

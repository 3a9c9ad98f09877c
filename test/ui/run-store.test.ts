import {describe, expect, it, vi} from 'vitest';
import {plainPaint} from '../../src/lib/output/paint.ts';
import {runLine} from '../../src/lib/output/run-lines.ts';
import {createRunStore} from '../../src/lib/ui/run-store.ts';
import {drillPlan, journal} from '../drill/plans.ts';

const plan = drillPlan();
const stepOf = (store: ReturnType<typeof createRunStore>, id: string) => store.getSnapshot().steps.find((step) => step.id === id);

describe('the store of the live view', () => {
  it('follows a step through its life, and tells its listeners of each change', () => {
    const store = createRunStore(plan, () => 0);
    const listener = vi.fn();
    const off = store.subscribe(listener);
    const seen = [];
    for (const event of journal(
      [10, 'step-started', 'inject'],
      [20, 'intent', 'inject'],
      [30, 'result', 'inject', {result: null, says: 'on'}],
      [40, 'step-lost', 'inject', {says: 'gone'}],
      [50, 'step-started', 'inject'],
      [60, 'step-failed', 'inject', {says: 'no'}],
      [70, 'undo-result', 'inject', {says: 'healed'}],
    )) {
      store.event(event);
      seen.push(stepOf(store, 'inject')?.status);
    }
    expect(seen).toEqual(['running', 'running', 'done', 'pending', 'running', 'failed', 'undone']);
    expect(listener).toHaveBeenCalledTimes(6);
    off();
    store.region('mars', 'unknown', 'far');
    expect(listener).toHaveBeenCalledTimes(6);
    expect(store.getSnapshot().regions.at(-1)).toEqual({region: 'mars', verdict: 'unknown', note: 'far', at: 0});
  });

  it('gives the same value as long as nothing changes', () => {
    const store = createRunStore(plan, () => 0);
    const before = store.getSnapshot();
    store.refresh();
    store.witness(null);
    expect(store.getSnapshot().steps).toBe(before.steps);
  });

  it('goes on when a run is resumed', () => {
    const store = createRunStore(plan, () => 0);
    for (const event of journal([1, 'run-started', null], [2, 'run-ended', null, {outcome: 'failed', reason: 'x'}], [3, 'resumed', null]))
      store.event(event);
    expect(store.getSnapshot()).toMatchObject({outcome: null, endedAt: null, startedAt: 1});
  });
});

describe('runLine', () => {
  const line = (event: Parameters<typeof runLine>[0], columns = 120) => runLine(event, {plan, startedAt: 0, paint: plainPaint(), columns});
  const lines = journal(
    [0, 'run-started', null],
    [100, 'gate', null, {gate: 'target-healthy', verdict: 'pass', says: 'fine', overridden: false}],
    [100, 'gate', null, {gate: 'routers', verdict: 'refuse', says: 'silent', overridden: true}],
    [1200, 'step-started', 'detect'],
    [1900, 'result', 'detect', {result: {}, says: 'us-east is unhealthy after 700 ms'}],
    [2000, 'step-failed', 'promote', {code: 'x', says: 'not promoted', effect: 'none', result: null}],
    [3000, 'interrupted', null, {going: 'back', says: 'going back'}],
    [4000, 'run-ended', null, {outcome: 'undone', code: 'x', reason: 'not promoted'}],
  );

  it('is one line for each thing that a reader waits for', () => {
    expect(lines.map((event) => line(event))).toEqual([
      null,
      null,
      '   0.1 s  ! gate routers (overridden): silent',
      '   1.2 s  ▶ notice that us-east is unhealthy',
      '   1.9 s  ✓ notice that us-east is unhealthy: us-east is unhealthy after 700 ms',
      '   2.0 s  ✗ promote eu-west: not promoted',
      '   3.0 s  ! going back',
      '   4.0 s  ✗ undone: not promoted',
    ]);
  });

  it('is never wider than the terminal', () => {
    for (const event of lines) expect([...(line(event, 40) ?? '')].length).toBeLessThanOrEqual(40);
  });
});

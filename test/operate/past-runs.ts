import {readyKey} from '../../src/lib/operate/ready-samples.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {State} from '../../src/lib/ports/state.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {openState} from '../../src/lib/state/sqlite.ts';
import {drillPlan, drillText, type JournalLine} from '../drill/plans.ts';

/** How a drill of the past ended. */
export type PastEnding = 'passed' | 'missed' | 'failed' | 'unmeasured' | 'not-started' | 'gone';

/** A real state whose clock is set for each thing that is written. */
export async function pastState(dir: string) {
  let time = 0;
  const state = await openState({dir, clock: {...systemClock(), wall: () => time}});
  const setTime = (at: number) => {
    time = at;
  };
  return {
    state,
    close: () => state.close(),
    /** A drill that began at `at`; `change` alters its plan. */
    drill: (
      runId: string,
      name: string,
      at: number,
      ending: PastEnding = 'passed',
      more: {fleet?: string; change?: (plan: Plan) => Plan} = {},
    ) => {
      const plan = {...drillPlan(drillText.replace('name: region-lost', `name: ${name}`)), id: runId};
      setTime(at);
      state.createRun(runId, more.fleet ?? 'shop', more.change?.(plan) ?? plan);
      for (const [ms, type, step, data = {}] of lines(ending)) {
        setTime(at + ms);
        state.append(runId, {type, step, data});
      }
    },
    /** A check of `failover ready`; `ways` are "from to" = whether it was open. */
    ready: (at: number, ways: Readonly<Record<string, boolean>>, fleet = 'shop') => {
      for (const [way, open] of Object.entries(ways)) addSample(state, fleet, way.split(' '), [at, open ? 1 : 0]);
    },
  };
}

function addSample(state: State, fleet: string, [from = '', to = '']: readonly string[], sample: [number, number]): void {
  const key = readyKey(fleet, from, to);
  state.remember(key, [...((state.recall(key) as Json[] | undefined) ?? []), sample]);
}

const steady = {met: true, checks: [{check: 'writable', holds: true, says: 'a write was accepted'}]};
const measured = {writeGapMs: 1890, lostWrites: 0, duplicatedWrites: 0, lossWindowMs: 0, acknowledged: 900, lost: [], duplicated: []};

function lines(ending: PastEnding): readonly JournalLine[] {
  const begun: JournalLine[] = [[0, 'run-started', null, {v: 1, by: 'me', token: 't'}]];
  const ended = (outcome: string, reason: string): JournalLine => [9000, 'run-ended', null, {outcome, code: 'x', reason}];
  if (ending === 'not-started') return [...begun, ended('failed', 'us-east is unhealthy')];
  const injected: JournalLine[] = [
    [1000, 'intent', 'inject', {action: 'fault.inject', v: 1, says: ''}],
    [1100, 'result', 'inject', {result: {}, says: ''}],
  ];
  if (ending === 'gone') return [...begun, ...injected];
  const healed: JournalLine = [8000, 'result', 'heal', {result: {provenHealed: true}, says: ''}];
  if (ending === 'failed') return [...begun, ...injected, healed, ended('failed', 'us-east was not noticed')];
  const seen = {missed: {lostWrites: 3, lossWindowMs: 40}, unmeasured: {lostWrites: null, lossWindowMs: null}, passed: {}}[ending];
  return [
    ...begun,
    ...injected,
    [5000, 'result', 'witness-stop', {result: {...measured, ...seen}, says: ''}],
    [6000, 'result', 'steady-after', {result: steady, says: ''}],
    healed,
    ended('succeeded', ''),
  ];
}

import {usageError} from '../errors.ts';
import {formatMs} from '../output/units.ts';
import type {Answer, Check} from '../plan/action.ts';
import {FEWEST, type LoadNow, WINDOW_MS} from '../witness/load-window.ts';
import {type LoadWant, loadWant} from './load-arguments.ts';

/** `load.rate` (want: one bound, see loadWant) and `load.running` (want: true or false; in this process). `now` null = no load runs. */
export function loadChecks(now: () => LoadNow | null, running: () => boolean): readonly Check[] {
  return [loadRate(now), loadRunning(running)];
}

function loadRate(now: () => LoadNow | null): Check {
  return {
    name: 'load.rate',
    async ask(_ctx, _target, want) {
      const parsed = loadWant.safeParse(want);
      if (!parsed.success) throw usageError('load.rate wants one of errorRateBelow, errorRateAbove (0 to 1), p95BelowMs, p95AboveMs (ms)');
      return judgeNow(now(), parsed.data);
    },
  };
}

/** Whether the last 5 s keep to the bound; too few requests tell nothing. Pure. */
export function judgeNow(now: LoadNow | null, want: LoadWant): Answer {
  if (now === null) return {holds: null, measured: null, says: 'the load does not run'};
  const ofRate = 'errorRateBelow' in want || 'errorRateAbove' in want;
  const measured = ofRate ? now.errorRate : now.p95Ms;
  if (measured === null) {
    const what = ofRate ? 'requests ended' : 'requests were answered as they should be';
    return {holds: null, measured: null, says: `fewer than ${FEWEST} ${what} in the last ${formatMs(WINDOW_MS)}`};
  }
  return {holds: keeps(measured, want), measured: Math.round(measured * 10_000) / 10_000, says: sentence(now, ofRate)};
}

function keeps(measured: number, want: LoadWant): boolean {
  if ('errorRateBelow' in want) return measured < want.errorRateBelow;
  if ('errorRateAbove' in want) return measured > want.errorRateAbove;
  return 'p95BelowMs' in want ? measured < want.p95BelowMs : measured > want.p95AboveMs;
}

function sentence({errors, requests, errorRate, p95Ms}: LoadNow, ofRate: boolean): string {
  if (!ofRate) return `95 % of the requests of the last ${formatMs(WINDOW_MS)} took no longer than ${formatMs(p95Ms)}`;
  return `${percentText(errorRate)} of the requests of the last ${formatMs(WINDOW_MS)} failed (${errors} of ${requests})`;
}

/** A share for people: `0 %`, `3.1 %`. Not measured = a dash. */
export function percentText(rate: number | null): string {
  if (rate === null) return '–';
  const percent = rate * 100;
  // What is not nothing does not read as nothing, nor what is not all as all.
  if (percent > 0 && percent < 0.1) return 'less than 0.1 %';
  if (percent < 100 && percent > 99.9) return 'more than 99.9 %';
  return `${Math.round(percent * 10) / 10} %`;
}

function loadRunning(running: () => boolean): Check {
  return {
    name: 'load.running',
    async ask(_ctx, _target, want) {
      const runs = running();
      return {holds: runs === (want !== false), measured: runs, says: runs ? 'the load runs' : 'the load does not run'};
    },
  };
}

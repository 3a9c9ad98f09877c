import type {Answer} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import {httpText} from './http-text.ts';

/** How often a route is asked, how many at a time, and what makes its p95 worse than before: `FACTOR` times as long, and longer by `MORE_MS`. */
const SAMPLES = 40;
const AT_ONCE = 4;
const FACTOR = 2;
const MORE_MS = 300;

/** What a route's p95 was, in ms, and when (epoch ms). */
export type Baseline = {readonly p95Ms: number; readonly at: number};

/** The p95 of some GETs in ms, each on a connection of its own. A request that fails throws: a route that fails now and then is not slow, it is broken. */
export async function measureP95(url: string, signal: AbortSignal, now: () => number): Promise<number> {
  const times: number[] = [];
  let left = SAMPLES;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const began = now();
      await httpText(url, signal);
      times.push(now() - began);
    }
  };
  await Promise.all(Array.from({length: AT_ONCE}, worker));
  return percentile(times, 0.95);
}

/** The value below which a share of the values lies, by the nearest rank. Throws for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError('no values');
  return value;
}

/** Whether a route is as quick as it was. Without a baseline there is nothing to compare with, which is said and holds. */
export function judgeLatency(route: string, p95Ms: number, baseline: Baseline | null): Answer {
  const measured = {p95Ms: Math.round(p95Ms), baselineMs: baseline === null ? null : Math.round(baseline.p95Ms)};
  const now = `the p95 of ${route} is ${Math.round(p95Ms)} ms`;
  if (baseline === null) return {holds: true, measured, says: `${now}; nothing is known from before`};
  const holds = p95Ms <= Math.max(baseline.p95Ms + MORE_MS, baseline.p95Ms * FACTOR);
  return {holds, measured, says: `${now}, it was ${Math.round(baseline.p95Ms)} ms`};
}

/** A baseline as it was remembered; null for anything else. */
export function baselineOf(value: Json | undefined): Baseline | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const {p95Ms, at} = value as Readonly<Record<string, Json>>;
  return typeof p95Ms === 'number' && typeof at === 'number' ? {p95Ms, at} : null;
}

import {randomUUID} from 'node:crypto';
import {setTimeout as sleep} from 'node:timers/promises';
import {createPoster, type Poster} from '../lib/witness/post.ts';

/** How much load, for how long. Orders are sent at their time whether or not earlier ones were answered. */
export type LoadOptions = {readonly url: string; readonly ratePerSecond: number; readonly durationMs: number; readonly signal: AbortSignal};

/** What came of it. `failed` = certainly not written; `unknown` = it may be. Latencies are of acknowledged orders; null = there was none. */
export type LoadResult = {
  readonly sent: number;
  readonly acknowledged: number;
  readonly failed: number;
  readonly unknown: number;
  readonly elapsedMs: number;
  readonly latencyMs: {readonly p50: number | null; readonly p95: number | null; readonly p99: number | null};
};

const DEADLINE_MS = 6000;

/** Sends orders through the front door until the time is over or the signal says so, and waits for the last answers. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const {url, ratePerSecond, durationMs, signal} = options;
  const poster = await createPoster(`${url}/orders`, DEADLINE_MS);
  const tally: Tally = {acknowledged: 0, failed: 0, unknown: 0, latencies: []};
  const prefix = `load-${randomUUID()}`;
  const waiting = new Set<Promise<void>>();
  const start = performance.now();
  const total = Math.ceil((ratePerSecond * durationMs) / 1000);
  let sent = 0;
  for (; sent < total && !signal.aborted; sent += 1) {
    const wait = start + (sent * 1000) / ratePerSecond - performance.now();
    if (wait > 1) await sleep(wait, undefined, {signal}).catch(() => undefined);
    if (signal.aborted) break;
    const answer = sendOrder(poster, `${prefix}-${sent}`, tally).then(() => void waiting.delete(answer));
    waiting.add(answer);
  }
  await Promise.all(waiting);
  poster.close();
  const {latencies, ...counts} = tally;
  latencies.sort((a, b) => a - b);
  const latencyMs = {p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), p99: quantile(latencies, 0.99)};
  return {sent, ...counts, elapsedMs: Math.round(performance.now() - start), latencyMs};
}

/** The value below which the share `q` of the sorted values lies; null = there are none. */
export function quantile(sorted: readonly number[], q: number): number | null {
  const value = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))];
  return value === undefined ? null : Math.round(value * 10) / 10;
}

type Tally = {acknowledged: number; failed: number; unknown: number; latencies: number[]};

function sendOrder(poster: Poster, ref: string, tally: Tally): Promise<void> {
  const began = performance.now();
  return new Promise((resolve) => {
    const settle = (outcome: 'acknowledged' | 'failed' | 'unknown') => {
      clearTimeout(timer);
      tally[outcome] += 1;
      if (outcome === 'acknowledged') tally.latencies.push(performance.now() - began);
      resolve();
    };
    const giveUp = poster.post(JSON.stringify({ref, item: 'load', quantity: 1}), settle);
    const timer = setTimeout(() => giveUp(), DEADLINE_MS);
  });
}

import {timeoutAwake} from '../awake.ts';
import {type Baseline, baselineOf, measureP95} from '../failover/latency.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';

const keyOf = (fleet: string, route: string): string => `latency/${fleet}/${route}`;
const MEASURE_MS = 5000;

/** What a route's p95 was when it was last measured on a calm day; null when it never was, or the state does not tell. */
export async function recallBaseline(open: OpenFleet, route: string): Promise<Baseline | null> {
  const state = await open.state().catch(() => null);
  return state === null ? null : baselineOf(state.recall(keyOf(open.fleet.name, route)));
}

/** Measures the p95 of every route with an address and remembers it, so that a run can tell whether it is slower afterwards. Routes that fail are left as they were. */
export async function rememberLatency(open: OpenFleet, signal: AbortSignal): Promise<void> {
  const state = await open.state().catch(() => null);
  if (state === null) return;
  const bounded = AbortSignal.any([signal, timeoutAwake(MEASURE_MS)]);
  await Promise.all(
    open.fleet.routes.map(async ({name, url}) => {
      if (url === null) return;
      const p95Ms = await measureP95(url, bounded, () => open.clock.now()).catch(() => null);
      if (p95Ms !== null) state.remember(keyOf(open.fleet.name, name), {p95Ms, at: open.clock.wall()});
    }),
  );
}

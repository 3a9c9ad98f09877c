import type {Loads} from '../capacity/survive/facts.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {askInTime} from './ask-in-time.ts';
import {loadSeries} from './load-series.ts';

/** Which series to read: of these names, and with `regions` of these regions only; `ms` = how long each of them is waited for. */
export type LoadsAsked = {
  readonly names: readonly string[];
  readonly regions?: readonly string[] | undefined;
  readonly ms?: number;
  readonly signal: AbortSignal;
};

/**
 * The series of some names up to now, and a forecaster for them. Each name is asked for by itself, so that a source that hangs costs its own series only, and
 * at most `ms`.
 */
export async function loadInTime(open: OpenFleet, {names, regions, ms, signal}: LoadsAsked): Promise<Loads> {
  const at = open.clock.wall();
  const [{forecast}, ...asked] = await Promise.all([
    import('../capacity/forecast/forecast.ts'),
    ...names.map(async (name) => ({
      name,
      asked: await askInTime(
        signal,
        (own) => loadSeries(open, {names: [name], ...(regions === undefined ? {} : {regions}), to: at}, own),
        ms,
      ),
    })),
  ]);
  return {
    at,
    series: asked.flatMap((each) => (each.asked.ok ? each.asked.value.series : [])),
    missing: asked.flatMap(({name, asked: one}) => (one.ok ? one.value.missing : [{name, region: null, reason: one.reason}])),
    forecastOf: forecast,
  };
}

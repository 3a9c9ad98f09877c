import type {Loads} from '../capacity/survive/facts.ts';
import {withoutNegatives} from '../capacity/survive/negative.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {askInTime} from './ask-in-time.ts';
import {loadSeries} from './load-series.ts';

/** Longer than any source's own deadline should be. */
const PATIENCE_MS = 120_000;

/** Which series to read: of these names, and with `regions` of these regions only; `ms` = how long each name is waited for, default 2 min. */
export type LoadsAsked = {
  readonly names: readonly string[];
  readonly regions?: readonly string[] | undefined;
  readonly ms?: number;
  readonly signal: AbortSignal;
};

/**
 * The series of some names up to now, without values below zero, and a forecaster for them. Each name is asked for by itself, so that a source that hangs costs its own series only, and
 * at most `ms`.
 */
export async function loadInTime(open: OpenFleet, {names, regions, ms = PATIENCE_MS, signal}: LoadsAsked): Promise<Loads> {
  const at = open.clock.wall();
  const [{forecast}, all] = await Promise.all([
    import('../capacity/forecast/forecast.ts'),
    Promise.all(
      names.map(async (name) => ({
        name,
        asked: await askInTime(signal, (own) => loadSeries(open, {names: [name], regions, now: at, signal: own}), ms),
      })),
    ),
  ]);
  return {
    at,
    series: all.flatMap(({asked}) => (asked.ok ? asked.value.series.map(({series}) => withoutNegatives(series)) : [])),
    missing: all.flatMap(({name, asked}) =>
      asked.ok
        ? asked.value.missing.map(({place, reason}) => ({name, region: place?.region ?? null, reason}))
        : [{name, region: null, reason: /time(d out|out)/i.test(asked.reason) ? `no answer within ${ms / 1000} s` : asked.reason}],
    ),
    partial: all.flatMap(({asked}) =>
      asked.ok
        ? asked.value.series.flatMap(({series: {name, region}, partial}) => (partial === null ? [] : [{name, region, reason: partial}]))
        : [],
    ),
    forecastOf: forecast,
  };
}

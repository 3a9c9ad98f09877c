import {readingsOf} from '../capacity/readings-of.ts';
import type {Reading} from '../capacity/series.ts';
import {unavailable} from '../errors.ts';
import type {MetricsAnswer, MetricsRange} from '../ports/metrics.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {askInTime} from './ask-in-time.ts';
import type {SeriesQuestion} from './series-questions.ts';

/** The readings of a series, and what the source said of them (`partial`: that some are missing); or why they could not be had: `code` for scripts, `reason` for people. */
export type AskedSeries =
  | {readonly ok: true; readonly readings: readonly Reading[]; readonly remarks: readonly string[]; readonly partial: boolean}
  | {readonly ok: false; readonly code: string; readonly reason: string};

const TIMEOUT_MS = 20_000;

/**
 * Asks sources, each question with the deadline of its source and all at once: one that is dead neither delays nor hides the others. The same question is asked once.
 * The answer never throws but for an interruption.
 */
export function seriesAsker(open: OpenFleet, signal: AbortSignal): (question: SeriesQuestion, range: MetricsRange) => Promise<AskedSeries> {
  const asked = new Map<string, Promise<AskedAnswer>>();
  return async ({source, query, shared, place}, range) => {
    const key = JSON.stringify([source, query, range]);
    const answer = asked.get(key) ?? askSource(open, {source, query, range, signal});
    asked.set(key, answer);
    const got = await answer;
    if (!got.ok) return got;
    const chosen = readingsOf(got.value.sets, place?.region ?? null, shared);
    const {remarks, partial = false} = got.value;
    if (chosen.ok) return {ok: true, readings: chosen.readings, remarks, partial};
    const also = remarks.length === 0 ? '' : ` (${remarks.join('; ')})`;
    return {ok: false, code: chosen.code, reason: `${source}: ${chosen.reason}${also}`};
  };
}

type AskedAnswer =
  | {readonly ok: true; readonly value: MetricsAnswer}
  | {readonly ok: false; readonly code: string; readonly reason: string};
type Asking = {readonly source: string; readonly query: string; readonly range: MetricsRange; readonly signal: AbortSignal};

async function askSource(open: OpenFleet, {source, query, range, signal}: Asking): Promise<AskedAnswer> {
  const timeoutMs = open.fleet.metrics?.find(({name}) => name === source)?.timeoutMs ?? TIMEOUT_MS;
  const asked = await askInTime(
    signal,
    async (bounded) => {
      const metrics = (await open.metrics?.(source)) ?? null;
      if (metrics === null) throw unavailable('metrics-unknown', 'the fleet file has no such source');
      return metrics.series(query, range, bounded);
    },
    timeoutMs,
  );
  if (asked.ok) return asked;
  const isLate = asked.code === 'unreadable' && /timeout/i.test(asked.reason);
  // A plugin may not know that what it repeats is a secret of the fleet.
  const reason = isLate ? `no answer within ${timeoutMs} ms` : open.fleet.secrets.scrub(asked.reason);
  return {ok: false, code: isLate ? 'metrics-timeout' : asked.code, reason: `${source}: ${reason}`};
}

import type {LabelledReadings, MetricsAnswer, MetricsRange} from '../../ports/metrics.ts';

/** Prometheus, Mimir and Thanos refuse to answer with more points than this for a series. */
export const MOST_POINTS = 11_000;

/** A range in pieces that are small enough, in order, no point twice. */
export function chunksOf({from, to, stepMs}: MetricsRange): readonly MetricsRange[] {
  const length = (MOST_POINTS - 1) * stepMs;
  const chunks: MetricsRange[] = [];
  for (let begin = from; begin <= to; begin += length + stepMs) chunks.push({from: begin, to: Math.min(to, begin + length), stepMs});
  return chunks;
}

/** The answers to the pieces of a range as one: readings of equal labels follow one another, and each remark is there once. */
export function joined(parts: readonly MetricsAnswer[]): MetricsAnswer {
  const [only, ...more] = parts;
  if (only !== undefined && more.length === 0) return only;
  const sets = new Map<string, {labels: LabelledReadings['labels']; readings: LabelledReadings['readings'][number][]}>();
  for (const {labels, readings} of parts.flatMap((part) => part.sets)) {
    const key = JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const set = sets.get(key) ?? {labels, readings: []};
    sets.set(key, set);
    for (const reading of readings) set.readings.push(reading);
  }
  const partial = parts.some((part) => part.partial === true);
  return {sets: [...sets.values()], remarks: [...new Set(parts.flatMap(({remarks}) => remarks))], ...(partial ? {partial} : {})};
}

import type {Grain} from '../series.ts';

/** A history that models can take. */
export type Prepared = {
  /** From the first to the last known value, gaps filled. */
  readonly values: Float64Array;
  /** 1 = was given, 0 = filled: such a value is never truth in a score. */
  readonly known: Uint8Array;
  /** Steps at the end that are not known: a forecast has to cross them first. */
  readonly missing: number;
  readonly notes: readonly string[];
};

/** The seasons that a long gap is filled from: the first that is inside the history. The last one says what is long. */
const SEASONS: Readonly<Record<Grain, readonly [number, ...number[]]>> = {hourly: [168, 24], daily: [7], weekly: [52]};

/** How much history is used, in steps: half a year of hours, six years of days, twenty years of weeks. What is older adds nothing to a forecast. */
const MOST: Readonly<Record<Grain, number>> = {hourly: 4368, daily: 2192, weekly: 1044};

/**
 * Trims what is not known at both ends, keeps the newest part, and fills gaps for fitting: gaps shorter than a quarter of a season by a straight line
 * between their neighbours, longer ones with the value one season before (so that a lost day looks like a day, not like a ramp); by a straight
 * line too where there is no such value. A value that is infinite counts as not known.
 */
export function prepare(given: Float64Array, grain: Grain): Prepared {
  let first = 0;
  let end = given.length;
  while (first < end && !Number.isFinite(given[first])) first++;
  while (end > first && !Number.isFinite(given[end - 1])) end--;
  const notes: string[] = [];
  const missing = end === first ? 0 : given.length - end;
  if (end - first > MOST[grain]) {
    notes.push(`Of ${end - first} values the newest ${MOST[grain]} were used.`);
    first = end - MOST[grain];
    while (!Number.isFinite(given[first])) first++;
  }
  const values = given.slice(first, end);
  const known = Uint8Array.from(values, (value) => (Number.isFinite(value) ? 1 : 0));
  const filled = fillGaps(values, known, SEASONS[grain]);
  if (filled > 0) notes.push(`Inside the history ${countOf(filled, 'value')} not known: filled for fitting, left out of scores.`);
  if (missing > 0)
    notes.push(`At the end ${countOf(missing, 'value')} not known: the forecast crosses ${missing === 1 ? 'it' : 'them'} first.`);
  return {values, known, missing, notes};
}

const countOf = (count: number, what: string): string => (count === 1 ? `1 ${what} is` : `${count} ${what}s are`);

/** Fills in place, oldest gap first, and returns how many values. The first and the last value are known. */
function fillGaps(values: Float64Array, known: Uint8Array, seasons: readonly [number, ...number[]]): number {
  const shortest = seasons.at(-1) as number;
  let filled = 0;
  for (let t = 0; t < values.length; t++) {
    if (known[t] === 1) continue;
    let next = t;
    while (known[next] === 0) next++;
    const long = next - t >= shortest / 4;
    const [before, after] = [values[t - 1] as number, values[next] as number];
    for (let at = t; at < next; at++) {
      const season = long ? seasons.find((each) => each <= at) : undefined;
      const share = (at - t + 1) / (next - t + 1);
      // Each part by itself: a difference of two huge values would be infinite.
      values[at] = season !== undefined ? (values[at - season] as number) : before * (1 - share) + after * share;
    }
    filled += next - t;
    t = next;
  }
  return filled;
}

import type {Grain, Purpose, Reading, Remark, Series} from '../series.ts';
import {type Cleaned, cleaned} from './clean.ts';
import {withoutFar} from './far.ts';
import {heldPieces, type Piece, ratePieces, type Spacing, spacingOf} from './pieces.ts';
import {clockRemarks, coverageRemarks, edgeRemark, spacingRemarks, staleRemark} from './remarks.ts';
import {offsetAt, STEP_MS, type Steps, stepOf, stepsAround, stepWalker} from './steps.ts';

/** What a series is, and how its readings are to be read. */
export type RegularizeOptions = Pick<Series, 'name' | 'region' | 'unit' | 'limit' | 'timeZone'> & {
  readonly purpose: Purpose;
  readonly grain: Grain;
  /** Readings are of a counter that only grows: rates per second are taken, or, for `orders`, what was counted. */
  readonly counter: boolean;
  /** Nothing can have been read later, epoch ms: the step that is under way then is left out, without a remark. Default: not known. */
  readonly until?: number | undefined;
};

/** A mean rests on this share of its step at least, a sum on that. Below it the step is not known. */
const [MEAN_SHARE, SUM_SHARE] = [0.5, 0.9];
/** The first and the last step are left out when less than this is covered of them, as against what is usual. */
const EDGE_SHARE = 0.9;

/** `total`: the mean or sum so far. `covered`: of how many ms of the step something is known. `counts`: how many readings were summed. */
type Filled = {readonly total: Float64Array; readonly covered: Float64Array; readonly counts: Float64Array};

/**
 * Makes a regular series of readings: in order or not, irregular, with gaps, resets, duplicates and wrong clocks. Each step is the mean of its readings,
 * weighted with the time that each stands for; for `orders` their sum. Steps follow the wall clock of the zone. A step that too little is known of is NaN.
 * Whatever was done is a remark of the series, also that the newest step is of long before `until`. Pure. Throws a RangeError for a time zone that is none.
 */
export function regularize(readings: readonly Reading[], options: RegularizeOptions): Series {
  const {name, region, unit, limit, grain, timeZone, purpose, until = Number.POSITIVE_INFINITY} = options;
  const series = {name, region, unit, purpose, limit, grain, timeZone};
  const known = withoutFar(cleaned(readings), STEP_MS[grain], until);
  if (known.at.length === 0) return emptySeries(series, [...known.remarks, ...edgeRemark('nothing', readings)]);
  const spacing = spacingOf(known.at, STEP_MS[grain]);
  const {steps, values, shares, remarks} = stepsOf(known, spacing, {...options, until});
  const found = [...known.remarks, ...remarks, ...spacingRemarks(known.at, spacing, grain)];
  const [begin, end] = wholeSteps(values, shares);
  if (begin === end) return emptySeries(series, [...found, ...edgeRemark('no-step', readings)]);
  const cut = {...steps, starts: steps.starts.slice(begin, end), lengths: steps.lengths.slice(begin, end), first: steps.first + begin};
  const regular = {...series, starts: cut.starts, values: values.slice(begin, end)};
  // The newest reading of a counter ends what it counted.
  const last = (known.at.at(-1) ?? 0) - (options.counter ? 1 : 0);
  // The step that is under way is never whole: that needs no remark.
  const ended = until === Number.POSITIVE_INFINITY ? until : placeOf(steps, until) - 1;
  const edges = Math.max(0, begin - placeOf(steps, known.at[0])) + Math.max(0, Math.min(placeOf(steps, last), ended) - (end - 1));
  return {
    ...regular,
    remarks: [
      ...found,
      ...coverageRemarks(cut, regular.values, shares.slice(begin, end)),
      ...staleRemark(cut, until),
      ...clockRemarks(cut, purpose === 'orders'),
      ...edgeRemark('edges', readings, edges),
    ],
  };
}

type Found = {
  readonly steps: Steps;
  /** NaN = too little is known. */
  readonly values: Float64Array;
  /** Which share of each step is covered. */
  readonly shares: Float64Array;
  readonly remarks: readonly Remark[];
};

function stepsOf(
  known: Cleaned,
  spacing: Spacing,
  {grain, timeZone, purpose, counter, until}: RegularizeOptions & {readonly until: number},
): Found {
  const [first = 0, last = 0] = [known.at[0], known.at.at(-1)];
  const isSum = purpose === 'orders';
  // Single events come at no pace: a step with one has its sum, and of one without none nobody knows whether there was nothing.
  const areEvents = isSum && !counter && !isEven(spacing);
  const whole = [{from: first, to: Math.min(last + spacing.holdMs, until), value: 0}];
  const held = {pieces: areEvents ? whole : heldPieces(known, spacing, until), remarks: []};
  const {pieces, remarks} = counter ? ratePieces(known, spacing) : held;
  const steps = stepsAround(grain, timeZone, first, last + spacing.holdMs);
  const filled = isSum ? summed(steps, pieces, counter ? null : known) : averaged(steps, pieces);
  const shares = steps.lengths.map((length, index) => (length === 0 ? 0 : (filled.covered[index] as number) / length));
  const least = isSum ? SUM_SHARE : MEAN_SHARE;
  const isKnown = (index: number): boolean => (areEvents ? (filled.counts[index] as number) > 0 : (shares[index] as number) >= least);
  return {steps, shares, remarks, values: filled.total.map((value, index) => (isKnown(index) ? value : Number.NaN))};
}

/** Means, weighted by time. Added up as differences from the mean so far, so that a constant stays what it is to the last digit. */
function averaged(steps: Steps, pieces: readonly Piece[]): Filled {
  const [total, covered] = [new Float64Array(steps.starts.length), new Float64Array(steps.starts.length)];
  const walk = stepWalker(steps);
  for (const {from, to, value} of pieces) {
    walk(from, to, (index, _, ms) => {
      const sum = (covered[index] as number) + ms;
      covered[index] = sum;
      total[index] = (total[index] as number) + (value - (total[index] as number)) * (ms / sum);
    });
  }
  return {total, covered, counts: new Float64Array(0)};
}

/** Sums: each reading counts in the step that it is of; what a counter has counted is shared out by time. `readings` null = of a counter. */
function summed(steps: Steps, pieces: readonly Piece[], readings: Cleaned | null): Filled {
  const [total, covered, counts] = [0, 0, 0].map(() => new Float64Array(steps.starts.length)) as [Float64Array, Float64Array, Float64Array];
  const walk = stepWalker(steps);
  for (const {from, to, value} of pieces) {
    walk(from, to, (index, _, ms) => {
      covered[index] = (covered[index] as number) + ms;
      if (readings === null) total[index] = (total[index] as number) + (value * ms) / 1000;
    });
  }
  readings?.at.forEach((at, reading) => {
    const index = placeOf(steps, at);
    total[index] = (total[index] as number) + (readings.value[reading] as number);
    counts[index] = (counts[index] as number) + 1;
  });
  return {total, covered, counts};
}

/** [first, after the last] step that is covered, with what is covered in part only at either end left out. */
function wholeSteps(values: Float64Array, shares: Float64Array): readonly [number, number] {
  const usual = middleOf(shares.filter((_, index) => !Number.isNaN(values[index])));
  const isWhole = (index: number): boolean => !Number.isNaN(values[index]) && (shares[index] as number) >= EDGE_SHARE * usual;
  let [begin, end] = [0, values.length];
  while (begin < end && !isWhole(begin)) begin += 1;
  while (end > begin && !isWhole(end - 1)) end -= 1;
  return [begin, end];
}

/** The place among `steps` of the step that a time is in. */
function placeOf({grain, spans, first}: Steps, at = 0): number {
  return stepOf(grain, at + offsetAt(spans, at)) - first;
}

function middleOf(values: Float64Array): number {
  return values.sort()[Math.floor(values.length / 2)] ?? 1;
}

/** Whether readings come at a steady pace: then a missing one is known to be missing. */
function isEven({p25, p75, median}: Spacing): boolean {
  return p75 - p25 <= 0.1 * median;
}

function emptySeries(series: Omit<Series, 'starts' | 'values' | 'remarks'>, remarks: readonly Remark[]): Series {
  return {...series, starts: new Float64Array(0), values: new Float64Array(0), remarks};
}

import {medianInPlace, select} from '../math/quantile.ts';
import type {Grain} from '../series.ts';

/** A history without what would mislead the models. */
export type Settled = {
  /** On the scale of models, as the given values. */
  readonly values: Float64Array;
  /** 0 also where a value was replaced. */
  readonly known: Uint8Array;
  /** How far an excursion that has just begun is off: it may be the new level, and the intervals have to hold it. 0 = there is none. */
  readonly open: number;
  readonly notes: readonly string[];
};

/** The season that values are compared over, and how long an excursion may be, in steps. Weekly series have too few seasons. */
type Limits = {
  readonly season: number;
  /** What has lasted shorter is not yet a new level. */
  readonly newLevel: number;
  /** What is over and lasted longer was no excursion. */
  readonly longest: number;
};
const LIMITS: Readonly<Record<Grain, Limits | null>> = {
  hourly: {season: 168, newLevel: 8, longest: 72},
  daily: {season: 7, newLevel: 4, longest: 3},
  weekly: null,
};

/** Distances beyond this many robust standard deviations are unusual … */
const UNUSUAL = 6;
/** … and beyond this many times the distance that a fifth of them pass: where tails are long, far is usual. */
const TAIL = 4.5;
/** Median absolute deviation to standard deviation, where errors are normal. */
const MAD_TO_SD = 1.4826;
/** Steps between unusual ones that still belong to the same excursion. */
const BRIDGE = 2;
/** More stretches than this in the newest season, and the series is left alone. */
const MOST_IN_A_SEASON = 2;
/** Fewest seasons that say what is usual. */
const SEASONS = 3;

/**
 * Finds stretches that are far from the same phase of the three seasons before. One that is over, or has just begun, is an outage, a burst or a holiday:
 * it is replaced by what was usual, and is no truth for scores. One that goes on is a new level: the history before it is moved there, so that seasons
 * fit on both sides. `grain` null = the series has no season, and an unusual value is just the next step of a walk. The notes say all of it.
 */
export function settle(values: Float64Array, known: Uint8Array, grain: Grain | null): Settled {
  const untouched = {values, known, open: 0, notes: []};
  const limits = grain === null ? null : LIMITS[grain];
  if (limits === null || values.length < SEASONS * limits.season) return untouched;
  const usual = usualValues(values, limits.season);
  const distances = values.map((value, t) => value - (usual[t] as number));
  const {centre, limit} = usualDistance(distances, limits.season);
  if (!(limit > 0)) return untouched;
  const found = stretches(distances, centre, limit);
  // A series that is unusual again and again is so by nature.
  if (found.filter(({to}) => to > values.length - limits.season).length > MOST_IN_A_SEASON) return untouched;
  const settled = {values: values.slice(), known: known.slice(), open: 0, notes: [] as string[]};
  const over: number[] = [];
  for (const stretch of found) {
    const length = stretch.to - stretch.from;
    const kind = kindOf(stretch, values.length, limits);
    const off = medianInPlace(distances.slice(stretch.from, stretch.to)) - centre;
    if (kind === 'new level') moveBefore(settled, stretch, off);
    if (kind === 'begun' || kind === 'over') replace(settled, stretch, (t) => (usual[t] as number) + centre);
    if (kind === 'over') over.push(length);
    if (kind === 'begun') {
      settled.open = off;
      settled.notes.push(begunNote(length));
    }
  }
  if (over.length > 0) settled.notes.push(overNote(over));
  return settled;
}

/** `season` = so long that what is usual followed it: no more can be said. */
type Kind = 'new level' | 'begun' | 'over' | 'season';

function kindOf({from, to}: Stretch, count: number, {newLevel, longest}: Limits): Kind {
  const length = to - from;
  if (to >= count - BRIDGE) return length >= newLevel ? 'new level' : 'begun';
  return length <= longest ? 'over' : 'season';
}

/** The median of the same phase one, two and three seasons before; NaN before there are two. */
function usualValues(values: Float64Array, season: number): Float64Array {
  const usual = new Float64Array(values.length).fill(Number.NaN);
  const at = new Float64Array(3);
  for (let t = 2 * season; t < values.length; t++) {
    at[0] = values[t - season] as number;
    at[1] = values[t - 2 * season] as number;
    if (t >= 3 * season) at[2] = values[t - 3 * season] as number;
    usual[t] = medianInPlace(at, t >= 3 * season ? 3 : 2);
  }
  return usual;
}

/** Where distances are centred, and how far from there they are unusual. */
function usualDistance(distances: Float64Array, season: number): {centre: number; limit: number} {
  const found = distances.slice(2 * season);
  const centre = medianInPlace(found);
  for (let i = 0; i < found.length; i++) found[i] = Math.abs((found[i] as number) - centre);
  const limit = UNUSUAL * MAD_TO_SD * medianInPlace(found);
  return {centre, limit: Math.max(limit, TAIL * select(found, found.length, Math.floor(0.8 * found.length)))};
}

type Stretch = {readonly from: number; readonly to: number};

/** Runs of steps on one side that are at least half as far off as is unusual, with small holes; at least one step of each is unusual. */
function stretches(distances: Float64Array, centre: number, limit: number): readonly Stretch[] {
  const found: {from: number; to: number; side: number; peak: number}[] = [];
  for (let t = 0; t < distances.length; t++) {
    const distance = (distances[t] as number) - centre;
    if (!(Math.abs(distance) > limit / 2)) continue;
    const last = found.at(-1);
    if (last !== undefined && t - last.to <= BRIDGE && Math.sign(distance) === last.side) {
      last.to = t + 1;
      last.peak = Math.max(last.peak, Math.abs(distance));
    } else found.push({from: t, to: t + 1, side: Math.sign(distance), peak: Math.abs(distance)});
  }
  return found.filter(({peak}) => peak > limit);
}

type Settling = {readonly values: Float64Array; readonly known: Uint8Array; readonly notes: string[]};

function moveBefore({values, notes}: Settling, {from, to}: Stretch, by: number): void {
  for (let t = 0; t < from; t++) values[t] = (values[t] as number) + by;
  notes.push(`The level changed ${to - from} steps before the end and has stayed: older values were moved to it for fitting.`);
}

function replace({values, known}: Settling, {from, to}: Stretch, usual: (t: number) => number): void {
  for (let t = from; t < to; t++) {
    values[t] = usual(t);
    known[t] = 0;
  }
}

function begunNote(length: number): string {
  const [values, them] = length === 1 ? ['The newest value is', 'it'] : [`The newest ${length} values are`, 'them'];
  return `${values} far from what is usual: the forecast takes ${them} for an excursion, not yet for a new level.`;
}

function overNote(lengths: readonly number[]): string {
  const count = lengths.reduce((sum, length) => sum + length, 0);
  const stretches = lengths.length === 1 ? '1 stretch' : `${lengths.length} stretches`;
  const values = count === 1 ? '1 value' : `${count} values`;
  return `${values} in ${stretches} of the history, far from what is usual (an outage, a burst, a holiday): replaced for fitting, left out of scores.`;
}

import type {Grain, Reading, Remark} from '../series.ts';
import {remarkOn} from './clean.ts';
import type {Spacing} from './pieces.ts';
import {offsetAt, STEP_MS, type Steps, wallOf} from './steps.ts';

const NAMES: Readonly<Record<Grain, {readonly one: string; readonly many: string}>> = {
  hourly: {one: 'hour', many: 'hours'},
  daily: {one: 'day', many: 'days'},
  weekly: {one: 'week', many: 'weeks'},
};
/** Of a step that is covered less than this it is said. */
const WHOLE_SHARE = 0.9;

/** Readings at an uneven pace, or too seldom for the steps. */
export function spacingRemarks(at: Float64Array, {p25, p75, median}: Spacing, grain: Grain): readonly Remark[] {
  const times = [at[0] ?? 0, at.at(-1) ?? 0];
  if (at.length < 3) return [];
  if (p25 > 1.5 * STEP_MS[grain])
    return remarkOn(
      'irregular',
      times,
      at.length,
      () => `readings are ${duration(median)} apart, too seldom for ${grain} steps: those between are not known`,
    );
  if (p75 - p25 <= 0.1 * median) return [];
  return remarkOn(
    'irregular',
    times,
    at.length,
    (count) =>
      `${count} readings at an uneven pace, most of them ${duration(p25)} to ${duration(p75)} apart: each counts for the time until the next`,
  );
}

/** Steps of which nothing, or only a part, is known. Hours that the clock left out are no gaps. */
export function coverageRemarks(steps: Steps, values: Float64Array, shares: Float64Array): readonly Remark[] {
  const {grain} = steps;
  const isGap = (index: number): boolean => Number.isNaN(values[index]) && (steps.lengths[index] as number) > 0;
  const missing = placesWhere(values.length, isGap);
  const partly = placesWhere(values.length, (index) => !Number.isNaN(values[index]) && (shares[index] as number) < WHOLE_SHARE);
  const timesOf = (places: readonly number[]): number[] => places.map((index) => steps.starts[index] as number);
  return [
    ...remarkOn('gap', timesOf(missing), missing.length, (count) => gapSays(steps, missing, count, values.length)),
    ...remarkOn(
      'gap',
      timesOf(partly),
      partly.length,
      (count) =>
        `${count} ${nameOf(grain, count)} ${count === 1 ? 'rests on readings of only a part of its time' : 'rest on readings of only a part of their time'}`,
    ),
  ];
}

/** That nothing is known of the time just before `until`. */
export function staleRemark({grain, starts, lengths, spans}: Steps, until: number): readonly Remark[] {
  const end = (starts.at(-1) ?? 0) + (lengths.at(-1) ?? 0);
  const missing = Math.floor((until - end) / STEP_MS[grain]);
  if (missing < 2 || until === Number.POSITIVE_INFINITY) return [];
  const since = wallText(end + offsetAt(spans, end));
  return [
    {
      kind: 'gap',
      count: missing,
      from: end,
      to: until,
      says: `nothing is known of the last ${missing} ${nameOf(grain, missing)}, since ${since}`,
    },
  ];
}

/** Where the zone's clock was put forward or back within an hour series: one remark for each hour that is not there, or there twice. */
export function clockRemarks(steps: Steps, isSum: boolean): readonly Remark[] {
  if (steps.grain !== 'hourly') return [];
  const changed = placesWhere(steps.lengths.length, (index) => steps.lengths[index] !== STEP_MS.hourly);
  return changed.map((index): Remark => {
    const length = steps.lengths[index] as number;
    const at = steps.starts[index] as number;
    const hour = wallText(wallOf('hourly', steps.first + index));
    const says =
      length === 0
        ? `${hour} does not exist: the clock was put forward`
        : `${hour} lasts ${length / 60_000} minutes: the clock was ${length > STEP_MS.hourly ? 'put back' : 'put forward'}; its ${isSum ? 'sum' : 'mean'} is taken`;
    return {kind: 'dst', count: 1, from: at, to: at, says};
  });
}

/** What was left out at the ends because it is no whole step, or why there is no step at all. */
export function edgeRemark(
  what: 'nothing' | 'no-step' | 'edges',
  readings: readonly Reading[],
  count = readings.length,
): readonly Remark[] {
  if (what === 'nothing') return [{kind: 'short', count, from: 0, to: 0, says: 'there is no usable reading'}];
  if (count === 0) return [];
  const times = readings.map(({at}) => at).filter(Number.isFinite);
  if (what === 'no-step')
    return remarkOn('short', times, count, () =>
      count === 1 ? '1 reading covers no whole step' : `${count} readings cover no whole step`,
    );
  return remarkOn('short', times, count, (steps) =>
    steps === 1
      ? '1 step at the end is covered in part only and is left out'
      : `${steps} steps at the ends are covered in part only and are left out`,
  );
}

function gapSays(steps: Steps, missing: readonly number[], count: number, all: number): string {
  const {length, first} = longestRun(missing);
  const {grain} = steps;
  const at = steps.starts[first] as number;
  const wall = wallText(at + offsetAt(steps.spans, at));
  const where =
    count === 1
      ? `: ${wall}`
      : length === count
        ? `, in one gap from ${wall}`
        : `; the longest gap, ${length} ${nameOf(grain, length)}, from ${wall}`;
  return `${count} of ${all} ${nameOf(grain, all)} ${count === 1 ? 'is' : 'are'} not known${where}`;
}

/** The longest run of numbers that follow one another. */
function longestRun(places: readonly number[]): {readonly first: number; readonly length: number} {
  let best = {first: places[0] ?? 0, length: 0};
  let begin = 0;
  places.forEach((place, index) => {
    if (index > 0 && place !== (places[index - 1] as number) + 1) begin = index;
    if (index - begin + 1 > best.length) best = {first: places[begin] as number, length: index - begin + 1};
  });
  return best;
}

function placesWhere(length: number, holds: (index: number) => boolean): number[] {
  return Array.from({length}, (_, index) => index).filter(holds);
}

function nameOf(grain: Grain, count: number): string {
  return count === 1 ? NAMES[grain].one : NAMES[grain].many;
}

/** A wall clock as people write it. */
function wallText(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 16).replace('T', ' ');
}

/** `90 s`, `5 min`, `2 h`, `3 d`: rounded to two digits. */
function duration(ms: number): string {
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
  ] as const;
  const [length, unit] = units.find(([each]) => ms >= each) ?? [1, 'ms'];
  return `${Math.round((ms / length) * 10) / 10} ${unit}`;
}

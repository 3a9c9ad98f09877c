import type {Remark} from '../series.ts';
import {type Cleaned, remarkOn} from './clean.ts';
import {spacingOf} from './pieces.ts';

/** A group of readings is far from the others when more steps than this, more than so many usual distances, and more time than the longest group has, lie between. */
const FAR_STEPS = 100;
const FAR_FACTOR = 20;
/** More steps than this are not reckoned with: a century of hours. */
const MOST_STEPS = 1_000_000;
/** So few of the readings are far because a clock was wrong; more of them are an earlier time that is left out. */
const JUMP_SHARE = 0.01;

/** [first, after the last] of a group of neighbours. */
type Group = readonly [number, number];

/**
 * Leaves out what a clock that jumped has put far from all others, and what lies before a silence that is longer than everything since. Of groups that are
 * far from each other the one with the most readings is kept, of equal ones the newest; but where that is an earlier time, and the newest is of now and no slip of a clock
 * (more than a hundredth of the readings), that one. `until` (epoch ms) = nothing can have been read later; Infinity = not known.
 */
export function withoutFar(all: Cleaned, stepMs: number, until: number): Cleaned {
  const {readings, future} = withoutFuture(all, until);
  // What comes seldom is not far from one another because of that.
  const farMs = Math.max(FAR_STEPS * stepMs, FAR_FACTOR * spacingOf(readings.at, stepMs).median);
  const groups = groupsOf(readings.at, farMs);
  const largest = groups.toSorted((a, b) => size(b) - size(a) || b[0] - a[0])[0] ?? [0, 0];
  const newest = groups.at(-1) ?? largest;
  const isCurrent = until - (readings.at[newest[1] - 1] ?? 0) <= farMs && size(newest) > JUMP_SHARE * readings.at.length;
  const whole = grown(readings.at, groups, largest, farMs);
  const [begin, end] = isCurrent && whole[1] < newest[1] ? grown(readings.at, groups, newest, farMs) : whole;
  const last = readings.at[end - 1] ?? 0;
  const capped = Math.max(
    begin,
    readings.at.findIndex((at) => at >= last - MOST_STEPS * stepMs),
  );
  const far = [...readings.at.subarray(0, capped), ...readings.at.subarray(end)];
  return {
    at: readings.at.slice(capped, end),
    value: readings.value.slice(capped, end),
    remarks: [...all.remarks, ...remarkOn('clock-jump', future, future.length, futureSays), ...farRemark(far, readings.at.length)],
  };
}

function withoutFuture(all: Cleaned, until: number): {readonly readings: Cleaned; readonly future: readonly number[]} {
  const cut = all.at.findIndex((at) => at > until);
  if (cut === -1) return {readings: all, future: []};
  return {readings: {...all, at: all.at.slice(0, cut), value: all.value.slice(0, cut)}, future: [...all.at.subarray(cut)]};
}

function groupsOf(at: Float64Array, farMs: number): readonly Group[] {
  const groups: Group[] = [];
  let begin = 0;
  for (let index = 1; index <= at.length; index += 1) {
    if (index < at.length && (at[index] as number) - (at[index - 1] as number) <= farMs) continue;
    groups.push([begin, index]);
    begin = index;
  }
  return at.length === 0 ? [] : groups;
}

/** The main group with its neighbours, as long as less time than it has itself lies between. */
function grown(at: Float64Array, groups: readonly Group[], main: Group, farMs: number): Group {
  const span = (group: Group): number => (at[group[1] - 1] ?? 0) - (at[group[0]] ?? 0);
  const near = Math.max(farMs, span(main));
  let [first, last] = [groups.indexOf(main), groups.indexOf(main)];
  const apart = (left: number): number => (at[groups[left + 1]?.[0] ?? 0] ?? 0) - (at[(groups[left]?.[1] ?? 0) - 1] ?? 0);
  while (first > 0 && apart(first - 1) <= near) first -= 1;
  while (last < groups.length - 1 && apart(last) <= near) last += 1;
  return [groups[first]?.[0] ?? 0, groups[last]?.[1] ?? 0];
}

function size([begin, end]: Group): number {
  return end - begin;
}

function farRemark(far: readonly number[], all: number): readonly Remark[] {
  if (far.length <= Math.max(1, JUMP_SHARE * all))
    return remarkOn('clock-jump', far, far.length, (count) =>
      count === 1
        ? '1 reading is far from all others: a clock was wrong; it is left out'
        : `${count} readings are far from all others: a clock was wrong; they are left out`,
    );
  return remarkOn(
    'gap',
    far,
    far.length,
    (count) => `${count} readings lie beyond a silence that is longer than the rest: they are left out`,
  );
}

function futureSays(count: number): string {
  return count === 1
    ? '1 reading is of the future: a clock was wrong; it is left out'
    : `${count} readings are of the future: a clock was wrong; they are left out`;
}

import type {Remark} from '../series.ts';
import {type Cleaned, remarkOn} from './clean.ts';

/** A value that holds from one time to another, epoch ms. */
export type Piece = {readonly from: number; readonly to: number; readonly value: number};

/** Two readings that are this many times as far apart as usual have a gap between them. */
const GAP_FACTOR = 1.5;

/** How far apart readings are, in ms: the middle, the bounds of the middle half. `holdMs` = how long one stands for itself. */
export type Spacing = {readonly median: number; readonly p25: number; readonly p75: number; readonly holdMs: number};

/** `stepMs` bounds how long a reading holds: one a day says nothing of each hour. */
export function spacingOf(at: Float64Array, stepMs: number): Spacing {
  const apart = new Float64Array(Math.max(0, at.length - 1));
  for (let index = 0; index < apart.length; index += 1) apart[index] = (at[index + 1] as number) - (at[index] as number);
  apart.sort();
  const quantile = (share: number): number => apart[Math.floor(share * (apart.length - 1))] ?? stepMs;
  const p75 = quantile(0.75);
  return {median: quantile(0.5), p25: quantile(0.25), p75, holdMs: Math.min(p75, stepMs)};
}

/**
 * The time that each reading stands for: until the next one, or, where that is missing, as long as readings usually do. Holding the last value is what a
 * reading means that is the mean of the time after it, and within half an interval what a sample means.
 */
export function heldPieces({at, value}: Cleaned, {holdMs}: Spacing, until: number): readonly Piece[] {
  const pieces: Piece[] = [];
  at.forEach((from, index) => {
    const next = at[index + 1] ?? Number.POSITIVE_INFINITY;
    const to = Math.min(next - from <= GAP_FACTOR * holdMs ? next : from + holdMs, until);
    if (to > from) pieces.push({from, to, value: value[index] as number});
  });
  return pieces;
}

/**
 * The rates of a counter between its readings, per second. Where it was reset, or readings are missing, the rate is not known: what was counted until the
 * reset is lost, and a sum over several counters falls by only a part of itself when one of them is reset, so that what is left is no increase.
 */
export function ratePieces(
  {at, value}: Cleaned,
  {holdMs}: Spacing,
): {readonly pieces: readonly Piece[]; readonly remarks: readonly Remark[]} {
  const pieces: Piece[] = [];
  const resets: number[] = [];
  for (let index = 1; index < at.length; index += 1) {
    const [from, to] = [at[index - 1] as number, at[index] as number];
    const grown = (value[index] as number) - (value[index - 1] as number);
    if (grown < 0) resets.push(to);
    else if (to - from <= GAP_FACTOR * holdMs) pieces.push({from, to, value: (grown / (to - from)) * 1000});
  }
  const says = (count: number): string =>
    `the counter was reset ${count === 1 ? 'once' : `${count} times`}: what was counted around ${count === 1 ? 'it' : 'them'} is not known`;
  return {pieces, remarks: remarkOn('reset', resets, resets.length, says)};
}

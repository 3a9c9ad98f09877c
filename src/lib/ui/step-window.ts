/** The part of a list that is shown, and how many items are hidden before and after it. */
export type Window = {readonly from: number; readonly to: number; readonly earlier: number; readonly later: number};

const FEWEST = 3;

/** The window of `rows` lines (3 at least) on `count` items around `current`. Where items are hidden, a line is left free to say so. */
export function windowOn(count: number, current: number, rows: number): Window {
  const room = Math.max(FEWEST, rows);
  if (count <= room) return {from: 0, to: count, earlier: 0, later: 0};
  const start = Math.min(Math.max(0, current - Math.floor(room / 2)), count - room);
  const from = start === 0 ? 0 : start + 1;
  const to = start + room === count ? count : start + room - 1;
  return {from, to, earlier: from, later: count - to};
}

/** The item nearest to `wanted` that a window can have in its middle: from there on each step moves the window. */
export function centreWithin(count: number, wanted: number, rows: number): number {
  const room = Math.max(FEWEST, rows);
  const first = Math.floor(room / 2);
  return Math.min(Math.max(first, wanted), Math.max(first, count - room + first));
}

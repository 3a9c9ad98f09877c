/** The part of a list that is shown, and how many items are hidden before and after it. */
export type Window = {readonly from: number; readonly to: number; readonly earlier: number; readonly later: number};

/** The window of `rows` lines (3 at least) on `count` items around `current`. Where items are hidden, a line is left free to say so. */
export function windowOn(count: number, current: number, rows: number): Window {
  const room = Math.max(3, rows);
  if (count <= room) return {from: 0, to: count, earlier: 0, later: 0};
  const start = Math.min(Math.max(0, current - Math.floor(room / 2)), count - room);
  const from = start === 0 ? 0 : start + 1;
  const to = start + room === count ? count : start + room - 1;
  return {from, to, earlier: from, later: count - to};
}

/** Where a sender's log ended at earlier looks: in bytes as a decimal string, from the first to the last of these looks (epoch ms). */
export type Mark = {readonly end: string; readonly at: number; readonly until: number};

/** Marks are kept as far apart as an eighth of their age: some sixty for an hour. */
const APART = 8;
const LEAST_APART_MS = 250;
const MOST_MARKS = 100;

/** With one more look, oldest first. */
export function withMark(marks: readonly Mark[], end: string | null, at: number): readonly Mark[] {
  const last = marks.at(-1);
  if (end === null || !isPlace(end)) return marks;
  // A log that is shorter than it was is another one.
  if (last !== undefined && BigInt(end) < BigInt(last.end)) return [{end, at, until: at}];
  const all = last?.end === end ? [...marks.slice(0, -1), {...last, until: at}] : [...marks, {end, at, until: at}];
  return thinned(all, at).slice(-MOST_MARKS);
}

/** Without those whose neighbours are near one another already, for their age. The first and the last always stay. */
function thinned(marks: readonly Mark[], at: number): readonly Mark[] {
  const kept: Mark[] = [];
  for (const [index, mark] of marks.entries()) {
    const [before, after] = [kept.at(-1), marks[index + 1]];
    const isNear = before !== undefined && after !== undefined && after.at - before.at < Math.max(LEAST_APART_MS, (at - mark.at) / APART);
    if (!isNear) kept.push(mark);
  }
  return kept;
}

/**
 * What marks tell of a receiver's lag: at most as long as since the log was last seen to end where it is, at least as long as since it was first seen to
 * end further on.
 * null = there is no such mark.
 */
export function markedLag(
  marks: readonly Mark[],
  {place, at}: {readonly place: string | null; readonly at: number},
): {readonly atMostMs: number | null; readonly atLeastMs: number | null} {
  if (place === null || !isPlace(place)) return {atMostMs: null, atLeastMs: null};
  const here = BigInt(place);
  const reached = marks.findLast(({end}) => BigInt(end) <= here);
  const missed = marks.find(({end}) => BigInt(end) > here);
  return {
    atMostMs: reached === undefined ? null : Math.max(0, at - reached.until),
    atLeastMs: missed === undefined ? null : Math.max(0, at - missed.at),
  };
}

const isPlace = (text: string): boolean => /^\d+$/.test(text);

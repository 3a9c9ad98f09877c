import type {DatabaseSync} from 'node:sqlite';

/**
 * Values that are older than they are kept for, and stay: time that nothing was kept in lies between, which may be a clock that jumped. `from`, `to` = the newest such
 * silence, epoch ms.
 */
export type HeldBack = {readonly count: number; readonly from: number; readonly to: number};

const [HOUR_MS, DAY_MS] = [3_600_000, 86_400_000];
/** Nobody collects less often than once a week. */
const LONGEST_SILENCE_MS = 8 * DAY_MS;
const LEAST_SILENCE_MS = 25 * HOUR_MS;

/** What is longer between two values than this is not taken for time that passed: eight days, at most a third of what is kept, at least a bit more than a day. */
const silenceOf = (keepMs: number): number => Math.max(LEAST_SILENCE_MS, Math.min(LONGEST_SILENCE_MS, keepMs / 3));

/**
 * Removes of a series (by its id) what is older than `keepMs` before `now` (epoch ms), but only where so much time was seen to pass since: the time from value to
 * value, without silences. A clock that is years ahead for some rounds would take everything along otherwise. null = nothing is held back.
 */
export function removeOld(
  db: DatabaseSync,
  series: number,
  {keepMs, now}: {readonly keepMs: number; readonly now: number},
): HeldBack | null {
  const before = Math.round(now - keepMs);
  if (numberOf(db, 'SELECT MIN(at) AS x FROM readings WHERE series = ? AND at < ?', series, before) === null) return null;
  const {until, silence} = passedUntil(db, series, keepMs);
  db.prepare('DELETE FROM readings WHERE series = ? AND at < ?').run(series, Math.min(before, until));
  if (silence === null || until >= before) return null;
  const count = numberOf(db, 'SELECT COUNT(*) AS x FROM readings WHERE series = ? AND at < ?', series, before) ?? 0;
  return count === 0 ? null : {count, ...silence};
}

type Passed = {readonly until: number; readonly silence: Pick<HeldBack, 'from' | 'to'> | null};

/** Before when `keepMs` have passed since, silences left out (-Infinity = never), and the newest of these. Walks back in strides, so that it costs a few dozen look-ups. */
function passedUntil(db: DatabaseSync, series: number, keepMs: number): Passed {
  const longest = silenceOf(keepMs);
  let at = numberOf(db, 'SELECT MAX(at) AS x FROM readings WHERE series = ?', series);
  let left = keepMs;
  let silence: Passed['silence'] = null;
  while (at !== null) {
    const stride = Math.round(at - Math.min(longest, left));
    const reached = numberOf(db, 'SELECT MIN(at) AS x FROM readings WHERE series = ? AND at BETWEEN ? AND ?', series, stride, at - 1);
    const earlier = reached ?? numberOf(db, 'SELECT MAX(at) AS x FROM readings WHERE series = ? AND at < ?', series, at);
    if (earlier === null) return {until: Number.NEGATIVE_INFINITY, silence};
    const apart = at - earlier;
    if (apart > longest) silence ??= {from: earlier, to: at};
    else if (apart >= left) return {until: at - left, silence};
    else left -= apart;
    at = earlier;
  }
  return {until: Number.NEGATIVE_INFINITY, silence};
}

function numberOf(db: DatabaseSync, sql: string, ...values: readonly number[]): number | null {
  const found = db.prepare(sql).get(...values)?.x;
  return typeof found === 'number' ? found : null;
}

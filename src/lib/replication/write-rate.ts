/** Where a log ended at one look (epoch ms): in bytes, and the first transaction id that was not given out; null = not known. */
export type LogEnd = {readonly end: number; readonly xid: number | null; readonly at: number};

/** How fast a log was written; null = no two looks have seen it being written. */
export type WriteRate = {readonly bytesPerSecond: number | null; readonly transactionsPerSecond: number | null};

/**
 * What several looks tell of it: the rate to count with, which is the highest that was seen. `highest` = of whole intervals, as it counts at the last
 * look, which is `last`. The interval that is not over began at `since` and has had so many `looks`.
 */
export type KeptRate = WriteRate & {readonly last: LogEnd; readonly since: LogEnd; readonly looks: number; readonly highest: WriteRate};

/** What is seen within less than this may be one burst: it is not kept. */
const LEAST_MS = 1000;
/** A rate counts for half after so long. A day on, the same hour is likely as busy again. */
const HALF_MS = 86_400_000;
/** Where no transaction ids are known: a server writes less than this by itself, in bytes per second. */
const QUIET = 1024;

const NO_RATE: WriteRate = {bytesPerSecond: null, transactionsPerSecond: null};

/** With one more look; `before` null = it is the first. A log that is shorter than it was is another one, and a clock that was set back measures nothing. */
export function withLogEnd(before: KeptRate | null, now: LogEnd): KeptRate {
  if (before === null || now.end < before.last.end || now.at < before.last.at)
    return {...NO_RATE, last: now, since: now, looks: 0, highest: NO_RATE};
  const {since} = before;
  const looks = before.looks + 1;
  const highest = faded(before.highest, now.at - before.last.at);
  const rate = higher(highest, between(since, now, looks));
  return now.at - since.at < LEAST_MS
    ? {...rate, last: now, since, looks, highest}
    : {...rate, last: now, since: now, looks: 0, highest: rate};
}

/** A quiet time says nothing of any other. Each look may have written one transaction itself: the heartbeat. */
function between(since: LogEnd, now: LogEnd, looks: number): WriteRate {
  const seconds = (now.at - since.at) / 1000;
  if (seconds <= 0) return NO_RATE;
  const bytesPerSecond = Math.round((now.end - since.end) / seconds);
  if (since.xid === null || now.xid === null) return bytesPerSecond < QUIET ? NO_RATE : {bytesPerSecond, transactionsPerSecond: null};
  const transactions = now.xid - since.xid;
  return transactions <= looks ? NO_RATE : {bytesPerSecond, transactionsPerSecond: transactions / seconds};
}

function faded({bytesPerSecond, transactionsPerSecond}: WriteRate, ms: number): WriteRate {
  const left = (rate: number | null): number | null => (rate === null ? null : rate * 0.5 ** (ms / HALF_MS));
  return {bytesPerSecond: left(bytesPerSecond), transactionsPerSecond: left(transactionsPerSecond)};
}

function higher(one: WriteRate, other: WriteRate): WriteRate {
  const most = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.max(a, b));
  return {
    bytesPerSecond: most(one.bytesPerSecond, other.bytesPerSecond),
    transactionsPerSecond: most(one.transactionsPerSecond, other.transactionsPerSecond),
  };
}

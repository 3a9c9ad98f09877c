import type {EverySpec, Period} from '../fleet/fleet.ts';

/** How an entry of the calendar stands: `due` within its grace, `never` = nothing that counts is known, `unknown` = it cannot be told. */
export type DueState = 'ok' | 'due-soon' | 'due' | 'overdue' | 'never' | 'unknown';

/** Something that is owed regularly. `name` of readiness is `readiness`; `file` as the fleet file gives it, absolute. */
export type CalendarEntry = {
  readonly kind: 'drill' | 'readiness';
  readonly name: string;
  readonly every: EverySpec;
  readonly graceMs: number;
  readonly file: string | null;
};

/** A time at which it was tried (epoch ms). `says` is one sentence: what came of it, and for what does not count why. */
export type Try = {
  readonly runId: string | null;
  readonly at: number;
  readonly verdict: 'passed' | 'failed' | 'unknown';
  readonly code: string;
  readonly counts: boolean;
  readonly says: string;
};

/** How an entry stands. `nextDue` and `overdueMs` (since `nextDue`, not negative) are null where nothing is known that they could follow from. */
export type Standing = {
  readonly state: Exclude<DueState, 'unknown'>;
  readonly lastPassed: Try | null;
  readonly lastTried: Try | null;
  readonly nextDue: number | null;
  readonly overdueMs: number | null;
};

const DAY_MS = 24 * 3_600_000;
/** An entry is due soon within this time, or within the last quarter of a shorter interval. */
const SOON_MS = 7 * DAY_MS;
/** Clocks are set back by so much without anybody noticing. */
const AHEAD_MS = 5 * 60_000;

/** How an entry stands at `now` (epoch ms), by what was tried, in any order. Only what counts moves it; what lies ahead of `now` does not count. */
export function standingOf({every, graceMs}: Pick<CalendarEntry, 'every' | 'graceMs'>, tries: readonly Try[], now: number): Standing {
  const newest = tries
    .map((one) => (one.at > now + AHEAD_MS ? {...one, counts: false, says: 'it is of a time that has not come yet'} : one))
    .toSorted((a, b) => b.at - a.at || (a.runId ?? '').localeCompare(b.runId ?? ''));
  const lastTried = newest[0] ?? null;
  const lastPassed = newest.find(({counts}) => counts) ?? null;
  if (lastPassed === null) return {state: 'never', lastPassed, lastTried, nextDue: null, overdueMs: null};
  const nextDue = dueAfter(every, lastPassed.at);
  return {
    state: stateAt({every, graceMs, nextDue}, now),
    lastPassed,
    lastTried,
    nextDue,
    overdueMs: now <= nextDue ? null : now - nextDue,
  };
}

/**
 * When something is due again that was done at `at` (epoch ms): a span later, or, by a calendar period, at the end of the period that follows
 * (UTC). A drill of January 31 is that of January, so the one of February may be as late as February has days.
 */
export function dueAfter(every: EverySpec, at: number): number {
  return 'ms' in every ? at + every.ms : startOf(every.period, indexOf(every.period, at) + 2);
}

function stateAt({every, graceMs, nextDue}: {every: EverySpec; graceMs: number; nextDue: number}, now: number): Standing['state'] {
  if (now > nextDue + graceMs) return 'overdue';
  if (now > nextDue) return 'due';
  return now > nextDue - soonMs(every) ? 'due-soon' : 'ok';
}

function soonMs(every: EverySpec): number {
  const lengthMs = 'ms' in every ? every.ms : every.period === 'week' ? 7 * DAY_MS : 4 * SOON_MS;
  return Math.min(SOON_MS, lengthMs / 4);
}

const MONTHS: Readonly<Record<Exclude<Period, 'week'>, number>> = {month: 1, quarter: 3, year: 12};

/** Which period of its kind a time is in, counted from one far back. */
function indexOf(period: Period, at: number): number {
  // 1970 began on a Thursday; weeks begin on Monday.
  if (period === 'week') return Math.floor((at / DAY_MS + 3) / 7);
  const date = new Date(at);
  return Math.floor((date.getUTCFullYear() * 12 + date.getUTCMonth()) / MONTHS[period]);
}

function startOf(period: Period, index: number): number {
  if (period === 'week') return (index * 7 - 3) * DAY_MS;
  const month = index * MONTHS[period];
  return Date.UTC(Math.floor(month / 12), month % 12);
}

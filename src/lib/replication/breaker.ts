import type {BreakerSpec} from '../fleet/fleet.ts';
import {type Mark, markedLag, withMark} from './marks.ts';

/** The limits of a fleet file that says nothing. */
export const BREAKER: BreakerSpec = {warnMs: 30_000, openMs: 60_000, readmitMs: 30_000};

/**
 * A breaker of one link. Times are epoch ms. `closed` = the link is relied on, `warn` = it is late, `open` = it is too late to be relied on, until it
 * was well for a while without a break.
 */
export type BreakerState = {
  readonly state: 'closed' | 'warn' | 'open';
  readonly since: number;
  /** Since when nothing has moved; null = something does. */
  readonly stuckSince: number | null;
  /** Since when an open one has been well; null = it is not. */
  readonly wellSince: number | null;
  /** The lag that was measured last; null = none was. */
  readonly lagMs: number | null;
  /** When both ends were last looked at. */
  readonly seenAt: number;
  /** How far the receiver was then, in bytes as a decimal string; null = not known. */
  readonly place: string | null;
  /** Where the sender's log ended at earlier looks. */
  readonly marks: readonly Mark[];
};

/**
 * One look at a link. `lagMs` = at most so much, by the engine's own figures; null = they do not tell. `stuck` = nothing moves although both ends were
 * looked at. `unseen` = the sending end could not be asked: that is no lag, and no end of one. `end` and `place`: where the sender's log ends, and how far
 * the receiver has replayed it, in bytes as decimal strings; null = not known. `late` = it is behind for a reason that is over by itself, or on purpose.
 */
export type BreakerLook = {
  readonly at: number;
  readonly lagMs: number | null;
  readonly link: 'moves' | 'stuck' | 'unseen' | 'late';
  readonly end: string | null;
  readonly place: string | null;
};

/** After a gap of so long between two looks nobody knows what was in between: it begins anew. */
const BLIND_MS = 300_000;

/** The breaker after one more look. `before` null = the first. */
export function nextBreaker(before: BreakerState | null, look: BreakerLook, spec: BreakerSpec): BreakerState {
  const {at, link, place} = look;
  const fresh: BreakerState = {state: 'closed', since: at, stuckSince: null, wellSince: null, lagMs: null, seenAt: at, place, marks: []};
  const past = before ?? fresh;
  if (link === 'unseen') return {...past, wellSince: null};
  const isBlind = before !== null && (at - before.seenAt > BLIND_MS || at < before.seenAt);
  const marks = withMark(at < past.seenAt ? [] : past.marks, look.end, at);
  const stuckSince = link === 'stuck' ? (beganStanding(past, look, isBlind) ?? at) : null;
  const seen = {stuckSince, seenAt: at, place, marks};
  const lagMs = lagOf(past, look, stuckSince);
  // Nothing is concluded from what is not known.
  if (lagMs === null) return {...past, ...seen, lagMs, wellSince: null};
  // Else one that is looked at rarely would never close.
  return judge(isBlind && stuckSince === null ? fresh : past, {...seen, lagMs}, spec);
}

/** Since when it has stood still: before a time in which nobody looked only where it has not come any further since. */
function beganStanding(past: BreakerState, {place}: BreakerLook, isBlind: boolean): number | null {
  const isSamePlace = place !== null && place === past.place;
  return isBlind && !isSamePlace ? null : past.stuckSince;
}

/** What is known of the lag; null = nothing. */
function lagOf(past: BreakerState, look: BreakerLook, stuckSince: number | null): number | null {
  const {at, lagMs, link} = look;
  if (link === 'late') return null;
  const marked = markedLag(past.marks, look);
  if (link === 'stuck') {
    const stood = stuckSince === null || stuckSince >= at ? null : at - stuckSince;
    return most([stood, marked.atLeastMs]);
  }
  if (lagMs === 0) return 0;
  if (marked.atMostMs !== null) return Math.min(marked.atMostMs, lagMs ?? marked.atMostMs);
  // Without places there is only what the engine says; with them its figure may be the age of what was written long before.
  if (look.end === null || look.place === null) return lagMs;
  return marked.atLeastMs === null ? null : Math.min(marked.atLeastMs, lagMs ?? marked.atLeastMs);
}

const most = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
};

function judge(past: BreakerState, seen: Seen, spec: BreakerSpec): BreakerState {
  const {lagMs, stuckSince, seenAt} = seen;
  const isLate = lagMs >= spec.warnMs;
  const plain = {...seen, wellSince: null};
  if (lagMs >= spec.openMs) return to(past, 'open', plain);
  if (past.state !== 'open') return to(past, isLate || (past.state === 'warn' && stuckSince !== null) ? 'warn' : 'closed', plain);
  if (isLate || stuckSince !== null) return {...past, ...plain};
  const wellSince = past.wellSince ?? seenAt;
  return seenAt - wellSince >= spec.readmitMs ? to(past, 'closed', plain) : {...past, ...seen, wellSince};
}

type Seen = Pick<BreakerState, 'stuckSince' | 'seenAt' | 'place' | 'marks'> & {readonly lagMs: number};

function to(past: BreakerState, state: BreakerState['state'], seen: Omit<BreakerState, 'state' | 'since'>): BreakerState {
  return {...seen, state, since: past.state === state ? past.since : seen.seenAt};
}

/** A breaker as it is shown. `since` is ISO 8601, `reason` one sentence without its full stop. */
export type BreakerNow = {readonly state: BreakerState['state']; readonly since: string; readonly reason: string};

export function breakerNow(breaker: BreakerState, spec: BreakerSpec): BreakerNow {
  return {state: breaker.state, since: new Date(breaker.since).toISOString(), reason: breakerSays(breaker, spec)};
}

/** One sentence without its full stop: why it is as it is. */
export function breakerSays({state, lagMs, wellSince, seenAt}: BreakerState, {warnMs, openMs, readmitMs}: BreakerSpec): string {
  const behind = lagMs === null ? 'its lag is not known' : `${seconds(lagMs)} behind`;
  if (state === 'closed') return `closed: ${behind}`;
  if (state === 'warn') return `warns from ${seconds(warnMs)} on: ${behind}`;
  if (wellSince === null)
    return `open, at ${seconds(openMs)}: ${behind}; closes when it is below ${seconds(warnMs)} for ${seconds(readmitMs)}`;
  const left = Math.max(0, readmitMs - (seenAt - wellSince));
  return `open: ${behind} by now; closes in ${seconds(left)} if it stays below ${seconds(warnMs)}`;
}

const seconds = (ms: number): string => `${ms < 10_000 ? Math.round(ms / 100) / 10 : Math.round(ms / 1000)} s`;

/** Reads what was kept; null for what is no breaker. */
export function readBreaker(value: unknown): BreakerState | null {
  if (typeof value !== 'object' || value === null) return null;
  const {state, since, stuckSince, wellSince, lagMs, seenAt, place, marks} = value as Partial<Record<keyof BreakerState, unknown>>;
  const isTime = (each: unknown): boolean => typeof each === 'number' && Number.isFinite(each);
  const isFit =
    (state === 'closed' || state === 'warn' || state === 'open') &&
    isTime(since) &&
    isTime(seenAt) &&
    (place === null || typeof place === 'string') &&
    Array.isArray(marks) &&
    [stuckSince, wellSince, lagMs].every((each) => each === null || isTime(each));
  return isFit ? (value as BreakerState) : null;
}

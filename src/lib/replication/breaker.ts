import type {BreakerSpec} from '../fleet/fleet.ts';

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
  /** The lag that was measured last, and when. null = none was yet. */
  readonly lagMs: number | null;
  readonly seenAt: number;
};

/**
 * One look at a link. `lagMs` = how far it is behind; null = that is not known, or nothing moves. `stuck` = nothing moves although both ends were looked at.
 * `unseen` = the sending end could not be asked: that is no lag, and no end of one.
 */
export type BreakerLook = {readonly at: number; readonly lagMs: number | null; readonly link: 'moves' | 'stuck' | 'unseen'};

/** After a gap of so long between two looks nobody knows what was in between: it begins anew. */
const BLIND_MS = 300_000;

/** The breaker after one more look. `before` null = the first. */
export function nextBreaker(before: BreakerState | null, look: BreakerLook, spec: BreakerSpec): BreakerState {
  const {at, link} = look;
  const fresh: BreakerState = {state: 'closed', since: at, stuckSince: null, wellSince: null, lagMs: null, seenAt: at};
  if (link === 'unseen') return {...(before ?? fresh), wellSince: null};
  const isBlind = before !== null && (at - before.seenAt > BLIND_MS || at < before.seenAt);
  // Else one that is looked at rarely would never close.
  const past = before === null || isBlind ? fresh : before;
  const stuckSince = link === 'stuck' ? (past.stuckSince ?? at) : null;
  if (look.lagMs === null && stuckSince === null) return {...past, stuckSince, wellSince: null, seenAt: at};
  const lagMs = Math.max(0, look.lagMs ?? 0, at - (stuckSince ?? at));
  return judge(past, {stuckSince, lagMs, seenAt: at}, spec);
}

function judge(
  past: BreakerState,
  seen: Pick<BreakerState, 'stuckSince' | 'seenAt'> & {readonly lagMs: number},
  spec: BreakerSpec,
): BreakerState {
  const {lagMs, stuckSince, seenAt} = seen;
  const isLate = lagMs >= spec.warnMs;
  const plain = {...seen, wellSince: null};
  if (lagMs >= spec.openMs) return to(past, 'open', seenAt, plain);
  if (past.state !== 'open') return to(past, isLate ? 'warn' : 'closed', seenAt, plain);
  if (isLate || stuckSince !== null) return {...past, ...plain};
  const wellSince = past.wellSince ?? seenAt;
  return seenAt - wellSince >= spec.readmitMs ? to(past, 'closed', seenAt, plain) : {...past, ...seen, wellSince};
}

function to(past: BreakerState, state: BreakerState['state'], at: number, seen: Omit<BreakerState, 'state' | 'since'>): BreakerState {
  return {...seen, state, since: past.state === state ? past.since : at};
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
  const {state, since, stuckSince, wellSince, lagMs, seenAt} = value as Partial<Record<keyof BreakerState, unknown>>;
  const isTime = (each: unknown): boolean => typeof each === 'number' && Number.isFinite(each);
  const isFit =
    (state === 'closed' || state === 'warn' || state === 'open') &&
    isTime(since) &&
    isTime(seenAt) &&
    [stuckSince, wellSince, lagMs].every((each) => each === null || isTime(each));
  return isFit ? (value as BreakerState) : null;
}

import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {LinkReading} from '../ports/store.ts';
import type {BreakerNow} from './breaker.ts';
import {fromFirst, handedOn} from './chain.ts';
import {holdsUp, throughChain} from './chain-row.ts';
import {BEHIND_BYTES, BEHIND_SECONDS, judgeState, type LinkState} from './judge-link.ts';
import {figuresOf, type LagRow, tidy} from './lag-row.ts';
import {type EarlierLook, isWorthASecondLook, lookApart} from './link-motion.ts';
import {type EarlierMessages, judgeMessages, messageSecondsNote, needsSecondLookAtMessages, secondsOfMessages} from './message-link.ts';

export type {LinkState} from './judge-link.ts';
export type {LagRow} from './lag-row.ts';

/** What is judged: one link, read from both ends. */
export type LinkSample = LinkReading;

/** The store that links belong to, and what they are measured by. */
export type LagThresholds = {
  readonly store: string;
  readonly engine: string;
  /** The tightest objective of the store's data classes; null = none. */
  readonly rpoMs: number | null;
  /** Ms since the readings were taken; default 0. */
  readonly sinceMs?: number;
  /** An earlier look at the same links, and how long before: what tells a stalled replay from a slow one. */
  readonly earlier?: {readonly samples: readonly LinkSample[]; readonly msBefore: number};
};

/** Judges the links of one store. State and bytes of a row are those of its own link; its seconds, and whether it is within the objective, those of the whole chain by which its receiver gets the log. */
export function judgeLinks(samples: readonly LinkSample[], thresholds: LagThresholds): readonly LagRow[] {
  const tidied = samples.map(tidy);
  const rows = tidied.map((sample) => judgeLink(sample, thresholds));
  return rows.map((row, index) => judgeChain(row, tidied[index] as LinkSample, {rows, samples: tidied, thresholds}));
}

type Judged = {readonly rows: readonly LagRow[]; readonly samples: readonly LinkSample[]; readonly thresholds: LagThresholds};

function judgeChain(row: LagRow, sample: LinkSample, {rows, samples, thresholds}: Judged): LagRow {
  const chain = handedOn(sample, samples);
  if (chain === null) return row;
  const hops = chain.links.slice(0, -1).map((link) => rows[samples.indexOf(link)] as LagRow);
  const isCut = hops.some((hop) => hop.state === 'broken' && holdsUp(hop));
  const whole = fromFirst(sample, samples);
  const since = whole === null ? null : sinceLook(whole, wholeBefore(sample, thresholds.earlier));
  const seconds = since === null ? null : secondsOf(since, isCut && row.state !== 'unknown' ? 'broken' : row.state);
  const within = withinRpo(sample, row.state, seconds, thresholds.rpoMs);
  // What its sender has not got was written all the same.
  const own = row.state === 'idle' && hops.some(holdsUp) ? judgeLink({...sample, lastReplayAgeSeconds: null}, thresholds) : row;
  // Only where it cannot be kept at all, that is known without the chain.
  const known = whole === null && within !== false ? null : within;
  return throughChain(own, {hops, isCircle: chain.isCircle, seconds, withinRpo: known});
}

function wholeBefore(sample: LinkSample, earlier: LagThresholds['earlier']): EarlierLook | null {
  const before = earlier?.samples.find(isSame(sample));
  if (earlier === undefined || before === undefined) return null;
  const whole = fromFirst(before, earlier.samples);
  return whole === null ? null : {sample: tidy(whole), msBefore: earlier.msBefore};
}

/** Whether a second look, a moment later, could tell more: whether what is outstanding moves. */
export function needsSecondLook(samples: readonly LinkSample[]): boolean {
  return lookAgainAfter(samples) !== null;
}

/** How much later a second look should come, in ms; null = it could not tell more. */
export function lookAgainAfter(samples: readonly LinkSample[]): number | null {
  // Nothing may be outstanding on the last link of a chain, and much before it.
  const apart = samples.filter((sample) => isUndecided(sample) || isUndecided(fromFirst(sample, samples) ?? sample)).map(lookApart);
  return apart.length === 0 ? null : Math.max(...apart);
}

function isUndecided(sample: LinkSample): boolean {
  if (sample.messages !== undefined) return needsSecondLookAtMessages(sample.messages);
  return sample.cause === undefined ? isWorthASecondLook(sample, BEHIND_BYTES) : sample.cause.code === 'connecting';
}

/** What of a row says how its link stands. */
export type LinkStanding = Pick<LagRow, 'state' | 'code' | 'seconds'> & {readonly breaker?: Pick<BreakerNow, 'state'>};

/** The exit code of all rows: broken, its sender silent to everybody, or its breaker open, 2; else unknown 3; else stalled, more than 30 s behind, or its breaker warns, 1; else 0. No rows at all = unknown. */
export function worst(rows: readonly LinkStanding[]): ExitCode {
  const isDown = ({state, code, breaker}: LinkStanding): boolean =>
    state === 'broken' || code === 'sender-silent' || breaker?.state === 'open';
  if (rows.some(isDown)) return EXIT.critical;
  if (rows.length === 0 || rows.some(({state}) => state === 'unknown')) return EXIT.unknown;
  const late = (row: LinkStanding): boolean =>
    row.state === 'stalled' ||
    row.breaker?.state === 'warn' ||
    (row.state === 'catching-up' && (row.seconds ?? Number.POSITIVE_INFINITY) > BEHIND_SECONDS);
  return rows.some(late) ? EXIT.warning : EXIT.good;
}

function judgeLink(read: LinkSample, thresholds: LagThresholds): LagRow {
  const before = lookBefore(read, thresholds.earlier);
  const sample = sinceLook(read, before);
  const {messages} = sample;
  const judged = messages === undefined ? judgeState(sample, before) : judgeMessages({...sample, messages}, messagesBefore(before));
  const seconds = messages === undefined ? secondsOf(sample, judged.state) : secondsOfMessages(messages);
  const note = messages === undefined ? secondsNote(sample, judged.state, seconds) : messageSecondsNote(messages);
  return {
    ...figuresOf(sample),
    store: thresholds.store,
    engine: thresholds.engine,
    state: judged.state,
    seconds,
    ageMs: sample.sampleAgeMs + Math.max(0, thresholds.sinceMs ?? 0),
    withinRpo: withinRpo(sample, judged.state, seconds, thresholds.rpoMs),
    code: judged.code,
    reason: [`${judged.reason}${note}`, ...(sample.notes ?? [])].join('; ').concat('.'),
  };
}

/**
 * The age of the last transaction that was replayed bounds how late a link is; so does the time since an earlier look, where it has replayed all that there
 * was then: on a log that is rarely written the age says little.
 */
function sinceLook(sample: LinkSample, before: EarlierLook | null): LinkSample {
  const {replayBytes, replayOffset, lastReplayAgeSeconds} = sample;
  const end = before?.sample.endOffset ?? null;
  if (before === null || end === null || replayOffset === null || (replayBytes ?? 0) === 0) return sample;
  if (!/^\d+$/.test(end) || !/^\d+$/.test(replayOffset) || BigInt(replayOffset) < BigInt(end)) return sample;
  const seconds = before.msBefore / 1000;
  return {...sample, lastReplayAgeSeconds: Math.min(seconds, lastReplayAgeSeconds ?? seconds)};
}

const isSame =
  (sample: LinkSample) =>
  ({from, to, link}: LinkSample): boolean =>
    from === sample.from && to === sample.to && link === sample.link;

function lookBefore(sample: LinkSample, earlier: LagThresholds['earlier']): EarlierLook | null {
  const before = earlier?.samples.find(isSame(sample));
  return earlier === undefined || before === undefined ? null : {sample: tidy(before), msBefore: earlier.msBefore};
}

const messagesBefore = (before: EarlierLook | null): EarlierMessages | null =>
  before?.sample.messages === undefined ? null : {sample: before.sample.messages, msBefore: before.msBefore};

/** The age of the last transaction grows on an idle link too, so it only counts when something is outstanding. */
function secondsOf({replayBytes, lastReplayAgeSeconds, kind, replaySeconds}: LinkSample, state: LinkState): number | null {
  if (state === 'unknown') return null;
  if (replayBytes === 0 && state !== 'broken') return 0;
  // Subscribers do not tell how old what they applied last is: as long as they move, their publisher has measured it.
  const isMeasured = kind === 'logical' && (state === 'streaming' || state === 'catching-up');
  return lastReplayAgeSeconds ?? (isMeasured ? (replaySeconds ?? null) : null);
}

function secondsNote({kind}: LinkSample, state: LinkState, seconds: number | null): string {
  if (seconds !== null || state === 'unknown') return '';
  const why = kind === 'logical' ? 'a subscriber does not say when it last applied a' : 'the standby did not say when it last replayed a';
  return `; the seconds are not known, because ${why} transaction`;
}

/** An objective of 0 is met by a standby that every write waits for, never by a small number. */
function withinRpo({sync}: LinkSample, state: LinkState, seconds: number | null, rpoMs: number | null): boolean | null {
  if (rpoMs === null || state === 'unknown') return null;
  if (rpoMs === 0) return (sync === 'quorum' || sync === 'sync') && (state === 'streaming' || state === 'idle');
  return seconds === null ? null : seconds * 1000 <= rpoMs;
}

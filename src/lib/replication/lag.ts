import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {LinkReading, MessageReading} from '../ports/store.ts';
import {type EarlierMessages, judgeMessages, messageSecondsNote, needsSecondLookAtMessages, secondsOfMessages} from './message-link.ts';

export type LinkState = 'streaming' | 'catching-up' | 'idle' | 'stalled' | 'broken' | 'unknown';

/** One row of `replication lag`. Nothing is blank and nothing is negative; what is not known is null, and `reason` says why. */
export type LagRow = {
  readonly store: string;
  readonly engine: string;
  /** The link's name where a pair of members may have several; absent = they have one. */
  readonly link?: string;
  readonly from: string;
  readonly to: string;
  readonly state: LinkState;
  /** How far each stage is behind the sender's log: sent, written, on disk, seen by queries. */
  readonly sendBytes: number | null;
  readonly writeBytes: number | null;
  readonly flushBytes: number | null;
  readonly replayBytes: number | null;
  /** 0 when nothing is outstanding, else the age of the last transaction that was replayed: at most so much is missing. */
  readonly seconds: number | null;
  readonly ageMs: number;
  readonly runwayBytes: number | null;
  /** null = the store has no objective, or it cannot be told. */
  readonly withinRpo: boolean | null;
  readonly code: string;
  readonly reason: string;
  /** Of a link that carries messages: its bytes are null. */
  readonly messages?: MessageReading;
};

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

type Judged = {readonly state: LinkState; readonly code: string; readonly reason: string};

/** Without a word from the last transaction for so long, a link that has nothing to send is called idle. */
const IDLE_SECONDS = 5;
/** Above this a link is catching up rather than streaming. */
const BEHIND_BYTES = 1024 * 1024;
const BEHIND_SECONDS = 30;
/** Two looks that are closer than this cannot tell a stall from a pause. */
const STALL_MS = 200;

/** Judges the links of one store. */
export function judgeLinks(samples: readonly LinkSample[], thresholds: LagThresholds): readonly LagRow[] {
  return samples.map((sample) => judgeLink(tidy(sample), thresholds));
}

/** Whether a second look, some 250 ms later, could tell more: something is outstanding, and its last transaction is not from just now. */
export function needsSecondLook(samples: readonly LinkSample[]): boolean {
  return samples.some(({replayBytes, lastReplayAgeSeconds, messages}) =>
    messages === undefined ? (replayBytes ?? 0) > 0 && (lastReplayAgeSeconds ?? IDLE_SECONDS) >= 1 : needsSecondLookAtMessages(messages),
  );
}

/** The exit code of all rows: broken 2, else unknown 3, else stalled or more than 30 s behind 1, else 0. No rows at all = unknown. */
export function worst(rows: readonly LagRow[]): ExitCode {
  if (rows.some(({state}) => state === 'broken')) return EXIT.critical;
  if (rows.length === 0 || rows.some(({state}) => state === 'unknown')) return EXIT.unknown;
  const late = (row: LagRow): boolean =>
    row.state === 'stalled' || (row.state === 'catching-up' && (row.seconds ?? Number.POSITIVE_INFINITY) > BEHIND_SECONDS);
  return rows.some(late) ? EXIT.warning : EXIT.good;
}

function judgeLink(sample: LinkSample, thresholds: LagThresholds): LagRow {
  const {messages} = sample;
  const judged =
    messages === undefined
      ? judgeState(sample, thresholds.earlier)
      : judgeMessages({...sample, messages}, earlierOf(sample, thresholds.earlier));
  const seconds = messages === undefined ? secondsOf(sample, judged.state) : secondsOfMessages(messages);
  const note = messages === undefined ? secondsNote(judged.state, seconds) : messageSecondsNote(messages);
  const {from, to, link, sendBytes, writeBytes, flushBytes, replayBytes, runwayBytes} = sample;
  return {
    store: thresholds.store,
    engine: thresholds.engine,
    ...(link === undefined ? {} : {link}),
    from,
    to,
    state: judged.state,
    sendBytes,
    writeBytes,
    flushBytes,
    replayBytes,
    seconds,
    ageMs: sample.sampleAgeMs + Math.max(0, thresholds.sinceMs ?? 0),
    runwayBytes,
    withinRpo: withinRpo(sample, judged.state, seconds, thresholds.rpoMs),
    code: judged.code,
    reason: `${judged.reason}${note}.`,
    ...(messages === undefined ? {} : {messages}),
  };
}

function judgeState(sample: LinkSample, earlier: LagThresholds['earlier']): Judged {
  const {from, to, senderState, receiverConnected, trouble} = sample;
  const because = trouble === null ? '' : `: ${trouble.replace(/\.+$/, '')}`;
  if (!sample.senderRead) {
    if (receiverConnected === false)
      return {state: 'broken', code: 'not-connected', reason: `${to} has no connection to ${from}${because}`};
    if (receiverConnected === true)
      return {state: 'unknown', code: 'sender-unread', reason: `${to} says that it streams, which ${from} could not confirm${because}`};
    return {state: 'unknown', code: 'unread', reason: `Neither end could be read${because}`};
  }
  if (senderState === null) {
    if (receiverConnected === true)
      return {state: 'broken', code: 'one-sided', reason: `${to} says that it streams, but ${from} does not list it${because}`};
    return {state: 'broken', code: 'not-connected', reason: `${from} has no connection from ${to}${because}`};
  }
  if (receiverConnected === false)
    return {state: 'broken', code: 'one-sided', reason: `${from} still lists ${to}, which does not stream${because}`};
  if (senderState !== 'streaming')
    return {state: 'catching-up', code: `sender-${senderState}`, reason: `${from} says ${senderState} of ${to}${because}`};
  return judgeStream(sample, earlier, because);
}

/** Both ends hold the stream: what is left is how much of it has arrived, and whether it moves. */
function judgeStream(sample: LinkSample, earlier: LagThresholds['earlier'], because: string): Judged {
  const {to, from, replayBytes, flushBytes, lastReplayAgeSeconds: age, trouble, receiverConnected} = sample;
  if (replayBytes === null) return {state: 'unknown', code: 'no-position', reason: `${from} does not know yet how far ${to} is${because}`};
  if (replayBytes === 0) {
    const isIdle = age !== null && age > IDLE_SECONDS;
    if (isIdle) return {state: 'idle', code: 'idle', reason: `${to} has everything; nothing was written for ${age.toFixed(0)} s`};
    return {state: 'streaming', code: 'ok', reason: `${to} has everything that ${from} has${because}`};
  }
  const where = flushBytes === 0 ? 'on disk, not replayed' : 'outstanding';
  const stuck = trouble !== null && receiverConnected === true ? because.slice(2) : stallOf(sample, earlier);
  if (stuck !== null) return {state: 'stalled', code: 'stalled', reason: `${replayBytes} bytes are ${where} on ${to}: ${stuck}`};
  const isBehind = replayBytes > BEHIND_BYTES || (age ?? 0) > BEHIND_SECONDS;
  if (isBehind) return {state: 'catching-up', code: 'behind', reason: `${replayBytes} bytes are ${where} on ${to}${because}`};
  return {state: 'streaming', code: 'ok', reason: `${replayBytes} bytes are on their way to ${to}${because}`};
}

/** Nothing was replayed between two looks although there was something to replay at both. */
function stallOf(sample: LinkSample, earlier: LagThresholds['earlier']): string | null {
  if (earlier === undefined || earlier.msBefore < STALL_MS) return null;
  const before = earlier.samples.find(isSame(sample));
  if (before === undefined || (before.replayBytes ?? 0) <= 0) return null;
  const hasMoved =
    sample.replayOffset != null && before.replayOffset != null
      ? sample.replayOffset !== before.replayOffset
      : (sample.replayBytes ?? 0) < (before.replayBytes ?? 0) || (sample.lastReplayAgeSeconds ?? 0) <= (before.lastReplayAgeSeconds ?? 0);
  return hasMoved ? null : `nothing was replayed for ${Math.round(earlier.msBefore)} ms`;
}

const isSame =
  (sample: LinkSample) =>
  ({from, to, link}: LinkSample): boolean =>
    from === sample.from && to === sample.to && link === sample.link;

function earlierOf(sample: LinkSample, earlier: LagThresholds['earlier']): EarlierMessages | null {
  const before = earlier?.samples.find(isSame(sample))?.messages;
  return earlier === undefined || before === undefined ? null : {sample: before, msBefore: earlier.msBefore};
}

/** The age of the last transaction grows on an idle link too, so it only counts when something is outstanding. */
function secondsOf({replayBytes, lastReplayAgeSeconds}: LinkSample, state: LinkState): number | null {
  if (state === 'unknown') return null;
  if (replayBytes === 0 && state !== 'broken') return 0;
  return lastReplayAgeSeconds;
}

const secondsNote = (state: LinkState, seconds: number | null): string =>
  seconds !== null || state === 'unknown'
    ? ''
    : '; the seconds are not known, because the standby did not say when it last replayed a transaction';

/** An objective of 0 is met by a standby that every write waits for, never by a small number. */
function withinRpo({sync}: LinkSample, state: LinkState, seconds: number | null, rpoMs: number | null): boolean | null {
  if (rpoMs === null || state === 'unknown') return null;
  if (rpoMs === 0) return (sync === 'quorum' || sync === 'sync') && (state === 'streaming' || state === 'idle');
  return seconds === null ? null : seconds * 1000 <= rpoMs;
}

function tidy(sample: LinkSample): LinkSample {
  const {sendBytes, writeBytes, flushBytes, replayBytes, runwayBytes, lastReplayAgeSeconds, sampleAgeMs} = sample;
  const bytes = {
    sendBytes: whole(sendBytes),
    writeBytes: whole(writeBytes),
    flushBytes: whole(flushBytes),
    replayBytes: whole(replayBytes),
  };
  const age = positive(lastReplayAgeSeconds);
  const messages = sample.messages === undefined ? {} : {messages: tidyMessages(sample.messages)};
  return {
    ...sample,
    ...bytes,
    ...messages,
    runwayBytes: whole(runwayBytes),
    lastReplayAgeSeconds: age,
    sampleAgeMs: whole(sampleAgeMs) ?? 0,
  };
}

function tidyMessages(messages: MessageReading): MessageReading {
  const {depth, unacknowledged, oldestAgeSeconds, consumers, redelivered, deadLettered, publishedPerSecond, movedPerSecond} = messages;
  return {
    ...messages,
    depth: whole(depth),
    unacknowledged: whole(unacknowledged),
    oldestAgeSeconds: positive(oldestAgeSeconds),
    consumers: whole(consumers),
    redelivered: whole(redelivered),
    deadLettered: whole(deadLettered),
    publishedPerSecond: positive(publishedPerSecond),
    movedPerSecond: positive(movedPerSecond),
  };
}

const whole = (value: number | null): number | null => (value === null || !Number.isFinite(value) ? null : Math.max(0, Math.round(value)));
const positive = (value: number | null): number | null => (value === null || !Number.isFinite(value) ? null : Math.max(0, value));

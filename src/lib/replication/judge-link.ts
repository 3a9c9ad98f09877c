import {formatBytes, formatMs} from '../output/units.ts';
import type {LinkCause, LinkReading} from '../ports/store.ts';
import {type EarlierLook, progressOf, stallOf} from './link-motion.ts';

export type LinkState = 'streaming' | 'catching-up' | 'idle' | 'stalled' | 'broken' | 'unknown';

/** A state with its stable word and one sentence without its full stop. */
export type Judged = {readonly state: LinkState; readonly code: string; readonly reason: string};

/** Without a word from the last transaction for so long, a link that has nothing to send is called idle. */
const IDLE_SECONDS = 5;
/** Above this a link is catching up rather than streaming. */
export const BEHIND_BYTES = 1024 * 1024;
export const BEHIND_SECONDS = 30;

const STATES: Readonly<Record<LinkCause['state'], LinkState>> = {stalled: 'stalled', broken: 'broken', late: 'catching-up'};

/**
 * Judges a link that has bytes to compare. What makes it impossible comes first, then whether both ends hold the stream, then what the engine says
 * stands in the way, then silence, and at last the figures: how much has arrived, and whether it moves.
 */
export function judgeState(sample: LinkReading, earlier: EarlierLook | null): Judged {
  const {cause, senderRead} = sample;
  if (cause?.state === 'broken') return byCause(sample, cause);
  const grew = errorsGrew(sample, earlier);
  if (grew !== null) return grew;
  if (!senderRead) return judgeUnread(sample);
  if (cause?.code === 'connecting' && earlier?.sample.cause?.code === 'connecting')
    return {state: 'broken', code: 'not-connected', reason: `${sample.to} has no connection to ${sample.from}${because(sample)}`};
  if (cause !== undefined) return byCause(sample, cause);
  return judgeEnds(sample) ?? judgeSilence(sample) ?? judgeStream(sample, earlier);
}

function byCause(sample: LinkReading, cause: LinkCause): Judged {
  const said = sentence(sample.trouble) ?? `${sample.to} has the trouble ${cause.code} with ${sample.from}`;
  const outstanding = (sample.replayBytes ?? 0) > 0 ? `; ${behindSays(sample)}` : '';
  return {state: STATES[cause.state], code: cause.code, reason: `${said}${outstanding}`};
}

/** A subscriber that failed again between two looks does so at the same transaction each time. */
function errorsGrew({subscription, from, to, trouble}: LinkReading, earlier: EarlierLook | null): Judged | null {
  const [now, then] = [subscription?.applyErrors ?? null, earlier?.sample.subscription?.applyErrors ?? null];
  if (subscription === undefined || now === null || then === null || now <= then) return null;
  const reason = `${subscription.name} on ${to} cannot apply what comes from ${from}: ${now} errors, ${now - then} of them in the last ${formatMs(earlier?.msBefore ?? 0)}`;
  return {state: 'broken', code: 'apply-error', reason: trouble === null ? reason : `${reason}: ${sentence(trouble)}`};
}

function judgeUnread(sample: LinkReading): Judged {
  const {from, to, receiverConnected, cause} = sample;
  const why = because(sample);
  if (receiverConnected === false) return {state: 'broken', code: 'not-connected', reason: `${to} has no connection to ${from}${why}`};
  if (receiverConnected === null) return {state: 'unknown', code: 'unread', reason: `Neither end could be read${why}`};
  if (cause?.state === 'stalled') return byCause(sample, cause);
  const silent = silenceOf(sample);
  if (silent !== null)
    return {
      state: 'stalled',
      code: 'sender-silent',
      reason: `${from} answers neither this machine nor ${to}, which heard from it ${silent} ago`,
    };
  return {state: 'unknown', code: 'sender-unread', reason: `${to} says that it streams, which ${from} could not confirm${why}`};
}

/** Whether both ends say that the stream is there; null = they do. */
function judgeEnds(sample: LinkReading): Judged | null {
  const {from, to, senderState, receiverConnected} = sample;
  const why = because(sample);
  if (senderState === null) {
    if (receiverConnected === true)
      return {state: 'broken', code: 'one-sided', reason: `${to} says that it streams, but ${from} does not list it${why}`};
    return {state: 'broken', code: 'not-connected', reason: `${from} has no connection from ${to}${why}`};
  }
  if (receiverConnected === false)
    return {state: 'broken', code: 'one-sided', reason: `${from} still lists ${to}, which does not stream${why}`};
  return null;
}

/** Both say that they stream, and yet nothing gets through: neither end notices that for as long as its time-out. */
function judgeSilence(sample: LinkReading): Judged | null {
  const silent = silenceOf(sample);
  if (silent === null) return null;
  const {from, to} = sample;
  const reason = `${to} asked ${from} for a sign of life and has heard nothing for ${silent}, while ${from} answers this machine: nothing gets through between them`;
  return {state: 'stalled', code: 'sender-silent', reason};
}

function silenceOf({heardUpstreamAgoMs, silentAfterMs, receiverConnected}: LinkReading): string | null {
  if (receiverConnected !== true || heardUpstreamAgoMs === null || silentAfterMs === null || silentAfterMs === undefined) return null;
  return heardUpstreamAgoMs > silentAfterMs ? formatMs(heardUpstreamAgoMs) : null;
}

/** Both ends hold the stream: what is left is how much of it has arrived, and whether it moves. */
function judgeStream(sample: LinkReading, earlier: EarlierLook | null): Judged {
  const {to, from, senderState, replayBytes, lastReplayAgeSeconds: age} = sample;
  const why = because(sample);
  const stuck = stallOf(sample, earlier);
  if (stuck !== null) return {state: 'stalled', code: 'stalled', reason: `${stuck}${why}`};
  if (senderState !== 'streaming') {
    const far = replayBytes === null ? '' : `, ${behindSays(sample)}${progressOf(sample, earlier)}`;
    return {state: 'catching-up', code: `sender-${senderState}`, reason: `${from} says ${senderState} of ${to}${far}${why}`};
  }
  if (replayBytes === null) return {state: 'unknown', code: 'no-position', reason: `${from} does not know yet how far ${to} is${why}`};
  if (replayBytes === 0) {
    const isIdle = age !== null && age > IDLE_SECONDS;
    if (isIdle) return {state: 'idle', code: 'idle', reason: `${to} has everything; nothing was written for ${formatMs(age * 1000)}${why}`};
    return {state: 'streaming', code: 'ok', reason: `${to} has everything that ${from} has${why}`};
  }
  const isBehind = replayBytes > BEHIND_BYTES || (age ?? 0) > BEHIND_SECONDS;
  if (isBehind) return {state: 'catching-up', code: 'behind', reason: `${behindSays(sample)}${progressOf(sample, earlier)}${why}`};
  return {state: 'streaming', code: 'ok', reason: `${formatBytes(replayBytes)} are on their way to ${to}${why}`};
}

/** `12 MiB behind`, and where most of that is. */
function behindSays({to, flushBytes, replayBytes}: LinkReading): string {
  const where = flushBytes === 0 ? ' (all of it on its disk)' : '';
  return `${to} is ${formatBytes(replayBytes)} behind${where}`;
}

const sentence = (trouble: string | null): string | null => trouble?.replace(/\.+$/, '') ?? null;
const because = ({trouble}: LinkReading): string => (trouble === null ? '' : `: ${sentence(trouble)}`);

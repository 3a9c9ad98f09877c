import type {LinkReading, MessageReading} from '../ports/store.ts';

/** A state with its stable word and one sentence without its full stop. */
type Judged = {
  readonly state: 'streaming' | 'catching-up' | 'idle' | 'stalled' | 'broken' | 'unknown';
  readonly code: string;
  readonly reason: string;
};

/** What is judged: one reading of a link that carries messages. */
export type MessageSample = LinkReading & {readonly messages: MessageReading};

/** An earlier look at the same link. */
export type EarlierMessages = {readonly sample: MessageReading; readonly msBefore: number};

/** Above this a link is behind rather than on its way; as for bytes. */
const BEHIND_SECONDS = 30;
/** Two looks that are closer than this cannot tell a stall from a pause. */
const STALL_MS = 200;

/**
 * Judges a link that carries messages. The carrier's own word comes first: what does not run moves nothing, however little waits. A carrier that says
 * `running` is believed only as far as messages move: it says so for seconds after its connection froze.
 */
export function judgeMessages(sample: MessageSample, earlier: EarlierMessages | null): Judged {
  const {messages, senderRead, trouble, from} = sample;
  const {carrier, flow, depth, queue} = messages;
  const because = trouble === null ? '' : `: ${trouble.replace(/\.+$/, '')}`;
  const waiting = waitingSays(sample);
  if (flow === 'down') return {state: 'broken', code: 'link-down', reason: `${carrier} does not run${because}; ${waiting}`};
  if (flow === 'starting') return judgeStart(sample, earlier, because);
  if (!senderRead) return {state: 'unknown', code: flow === null ? 'unread' : 'sender-unread', reason: `${waiting}${because}`};
  if (flow === null) {
    if (messages.consumers === 0)
      return {
        state: 'broken',
        code: 'not-connected',
        reason: `nobody consumes ${queue} on ${from}, and ${carrier} could not be asked${because}; ${waiting}`,
      };
    return {state: 'unknown', code: 'carrier-unread', reason: `${carrier} could not be asked${because}; ${waiting}`};
  }
  if (depth === null) return {state: 'unknown', code: 'no-depth', reason: `${waiting}${because}`};
  if (depth > 0) return judgeWaiting(sample, depth, earlier, because);
  if ((messages.publishedPerSecond ?? 0) > 0)
    return {state: 'streaming', code: 'ok', reason: `${carrier} has taken everything from ${queue}${because}`};
  return {state: 'idle', code: 'idle', reason: `${carrier} has taken everything from ${queue}, and nothing comes in${because}`};
}

/** Whether a second look could tell more: whether what waits moves, or whether a carrier that starts gets its connection. */
export function needsSecondLookAtMessages({flow, depth}: MessageReading): boolean {
  return flow === 'starting' || (flow === 'running' && (depth ?? 0) > 0);
}

/** At most so much time is missing. Known to be none only when the queue was seen empty. */
export function secondsOfMessages({depth, oldestAgeSeconds}: MessageReading): number | null {
  return depth === 0 ? 0 : oldestAgeSeconds;
}

/** Why the seconds of a link are not known; empty = they are. */
export function messageSecondsNote({depth, oldestAgeSeconds}: MessageReading): string {
  return depth === null || depth === 0 || oldestAgeSeconds !== null
    ? ''
    : '; the seconds are not known, because the messages have no timestamp and the counts do not reach back so far';
}

/** Between two attempts a carrier says that it starts: only one that is still at it at the second look has no connection. */
function judgeStart(sample: MessageSample, earlier: EarlierMessages | null, because: string): Judged {
  const {carrier} = sample.messages;
  const waiting = waitingSays(sample);
  const hasBegun = earlier === null || earlier.sample.flow === 'running';
  if (hasBegun && (!sample.senderRead || sample.messages.depth === null))
    return {state: 'unknown', code: 'starting', reason: `${carrier} is starting${because}; ${waiting}`};
  if (hasBegun) return {state: 'catching-up', code: 'starting', reason: `${carrier} is starting${because}; ${waiting}`};
  return {state: 'broken', code: 'not-connected', reason: `${carrier} has no connection${because}; ${waiting}`};
}

function judgeWaiting(sample: MessageSample, depth: number, earlier: EarlierMessages | null, because: string): Judged {
  const {messages, from} = sample;
  const waiting = waitingSays(sample);
  if (isStuck(messages, depth, earlier)) {
    const why = messages.consumers === 0 ? `nobody consumes ${messages.queue} on ${from}` : 'none of them has left the queue';
    return {state: 'stalled', code: 'stalled', reason: `${waiting}, and ${why}${because}`};
  }
  const {oldestAgeSeconds: age} = messages;
  if (age === null || age > BEHIND_SECONDS) return {state: 'catching-up', code: 'behind', reason: `${waiting}${because}`};
  return {state: 'streaming', code: 'ok', reason: `${waiting}${because}`};
}

/** Nothing left the queue between two looks, nor before them as far as the broker counts. Its counts alone are seconds old, two looks alone too near. */
function isStuck({movedPerSecond}: MessageReading, depth: number, earlier: EarlierMessages | null): boolean {
  if (movedPerSecond !== 0 || earlier === null || earlier.msBefore < STALL_MS) return false;
  const before = earlier.sample.depth ?? 0;
  return before > 0 && depth >= before;
}

function waitingSays({messages, from}: MessageSample): string {
  const {depth, unacknowledged, queue, oldestAgeSeconds: age, ageBasis} = messages;
  if (depth === null) return `how many messages wait in ${queue} on ${from} is not known`;
  if (depth === 0) return `no message waits in ${queue} on ${from}`;
  const flying = unacknowledged === null || unacknowledged === 0 ? '' : `, ${unacknowledged} of them unacknowledged`;
  const old = age === null ? '' : `, the oldest for ${age.toFixed(0)} s${ageBasis === 'estimate' ? ' (estimate)' : ''}`;
  return `${depth} ${depth === 1 ? 'message waits' : 'messages wait'} in ${queue} on ${from}${flying}${old}`;
}

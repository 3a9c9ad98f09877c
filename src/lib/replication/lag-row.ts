import type {LinkReading, MessageReading, SlotReading, SubscriptionReading} from '../ports/store.ts';
import type {BreakerNow} from './breaker.ts';
import type {LinkState} from './judge-link.ts';
import type {LinkPercentiles} from './link-record.ts';

/** What a row says of the slot that its sender keeps log in. */
export type SlotInShort = Pick<SlotReading, 'name' | 'active' | 'status' | 'invalidated' | 'retainedBytes' | 'safeBytes'>;

/** One row of `replication lag`. Nothing is blank and nothing is negative; what is not known is null, and `reason` says why. */
export type LagRow = {
  readonly store: string;
  readonly engine: string;
  /** The link's name where a pair of members may have several; absent = they have one. */
  readonly link?: string;
  readonly from: string;
  readonly to: string;
  readonly kind: NonNullable<LinkReading['kind']>;
  readonly state: LinkState;
  /** How far each stage is behind the sender's log: sent, written, on disk, seen by queries. */
  readonly sendBytes: number | null;
  readonly writeBytes: number | null;
  readonly flushBytes: number | null;
  readonly replayBytes: number | null;
  /** How long the latest log took to each stage, in seconds, as the sender measured it. */
  readonly writeSeconds: number | null;
  readonly flushSeconds: number | null;
  readonly replaySeconds: number | null;
  /** 0 when nothing is outstanding, else the age of the last transaction that was replayed: at most so much is missing. Of a chain by the whole of it; null = not known. */
  readonly seconds: number | null;
  readonly ageMs: number;
  readonly runwayBytes: number | null;
  readonly sync: string | null;
  readonly senderTimeline: number | null;
  readonly receiverTimeline: number | null;
  /** Queries that replay has cancelled on the receiver. */
  readonly conflicts: number | null;
  readonly heardUpstreamAgoMs: number | null;
  readonly slot: SlotInShort | null;
  /** Of a chain by the whole of it. null = the store has no objective, or it cannot be told. */
  readonly withinRpo: boolean | null;
  readonly code: string;
  readonly reason: string;
  /** Whether the link is relied on; absent = that was not asked. */
  readonly breaker?: BreakerNow;
  /** How it was over the time that was asked for; absent = none was. */
  readonly percentiles?: LinkPercentiles;
  /** Of a link of row changes. */
  readonly subscription?: SubscriptionReading;
  /** Of a link that carries messages: its bytes are null. */
  readonly messages?: MessageReading;
};

/** What a row takes over from a reading as it is, tidied. */
export function figuresOf(
  sample: LinkReading,
): Omit<LagRow, 'store' | 'engine' | 'state' | 'seconds' | 'ageMs' | 'withinRpo' | 'code' | 'reason'> {
  const {from, to, link, kind, sendBytes, writeBytes, flushBytes, replayBytes, runwayBytes, sync, messages, subscription} = sample;
  return {
    ...(link === undefined ? {} : {link}),
    ...{from, to, kind: kind ?? (messages === undefined ? 'physical' : 'messages')},
    ...{sendBytes, writeBytes, flushBytes, replayBytes, runwayBytes, sync},
    writeSeconds: sample.writeSeconds ?? null,
    flushSeconds: sample.flushSeconds ?? null,
    replaySeconds: sample.replaySeconds ?? null,
    senderTimeline: sample.senderTimeline ?? null,
    receiverTimeline: sample.receiverTimeline ?? null,
    conflicts: sample.conflicts ?? null,
    heardUpstreamAgoMs: sample.heardUpstreamAgoMs,
    slot: shortOf(sample.slot ?? null),
    ...(subscription === undefined ? {} : {subscription}),
    ...(messages === undefined ? {} : {messages}),
  };
}

function shortOf(slot: SlotReading | null): SlotInShort | null {
  if (slot === null) return null;
  const {name, active, status, invalidated, retainedBytes, safeBytes} = slot;
  return {name, active, status, invalidated, retainedBytes: whole(retainedBytes), safeBytes: whole(safeBytes)};
}

/** Figures as they may be shown: whole bytes, nothing negative, and what is no number is not known. */
export function tidy(sample: LinkReading): LinkReading {
  const {sendBytes, writeBytes, flushBytes, replayBytes, runwayBytes, sampleAgeMs} = sample;
  return {
    ...sample,
    sendBytes: whole(sendBytes),
    writeBytes: whole(writeBytes),
    flushBytes: whole(flushBytes),
    replayBytes: whole(replayBytes),
    runwayBytes: whole(runwayBytes),
    writeSeconds: positive(sample.writeSeconds ?? null),
    flushSeconds: positive(sample.flushSeconds ?? null),
    replaySeconds: positive(sample.replaySeconds ?? null),
    conflicts: whole(sample.conflicts ?? null),
    lastReplayAgeSeconds: positive(sample.lastReplayAgeSeconds),
    heardUpstreamAgoMs: whole(sample.heardUpstreamAgoMs),
    sampleAgeMs: whole(sampleAgeMs) ?? 0,
    ...(sample.messages === undefined ? {} : {messages: tidyMessages(sample.messages)}),
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
/** More seconds than any clock has seen are no figure. */
const MOST = 1e12;
const positive = (value: number | null): number | null => (value === null || !(value < MOST) ? null : Math.max(0, value));

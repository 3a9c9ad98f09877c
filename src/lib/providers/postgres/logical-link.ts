import type {LinkReading, SubscriptionReading} from '../../ports/store.ts';
import type {Cluster} from './cluster.ts';
import {type LogicalEnds, logicalCauseOf} from './logical-cause.ts';
import type {Pair} from './logical-pairs.ts';
import {secondsOf, silentAfter} from './physical-link.ts';
import {type Reading, type Readings, readingOf, type Sender, type Slot, type Subscription} from './reading.ts';
import {toSlotReading} from './slots.ts';

/** The link of a subscription: what was sent as its sender lists it, what was applied as its slot has it confirmed. */
export function logicalLink(cluster: Cluster, pair: Pair, readings: Readings): LinkReading {
  const {subscriber, subscription, publisher} = pair;
  const from = publisher ?? 'unknown';
  const end = readingOf(readings, publisher);
  const slot = end?.slots.find(({name, kind}) => kind === 'logical' && name === subscription.slot) ?? null;
  const sending = readings[from];
  const ends: LogicalEnds = {pair, from, end, sending, slot};
  const {cause, trouble} = logicalCauseOf(ends);
  const own = readings[subscriber];
  const receiver = readingOf(readings, subscriber);
  const now = cluster.clock.wall();
  return {
    ...{from, to: subscriber, link: subscription.name, kind: 'logical', subscription: toSubscription(subscription)},
    ...(cause === null ? {} : {cause}),
    ...sentOf(end, slot, sending?.at ?? now, subscriber),
    receiverConnected: subscription.pid !== null,
    heldOffset: subscription.received,
    ...heardOf(receiver, subscription),
    ...NOT_OF_ROWS,
    sampleAgeMs: Math.max(0, now - Math.min(sending?.at ?? now, own?.at ?? now)),
    trouble,
  };
}

/** The link of a subscription that could not be read, by its slot alone. */
export function logicalLinkBySlot(cluster: Cluster, readings: Readings, from: string, slot: Slot, to: string): LinkReading {
  const [sending, own] = [readings[from], readings[to]];
  const now = cluster.clock.wall();
  return {
    ...{from, to, link: slot.name, kind: 'logical'},
    ...sentOf(readingOf(readings, from), slot, sending?.at ?? now, to),
    ...{receiverConnected: null, heldOffset: null, heardUpstreamAgoMs: null, silentAfterMs: null},
    ...NOT_OF_ROWS,
    sampleAgeMs: Math.max(0, now - Math.min(sending?.at ?? now, own?.at ?? now)),
    trouble: own?.known === false ? own.reason : null,
  };
}

/* Subscribers cancel nobody's query, go by no timeline of their own, and do not say how old what they applied last is. */
const NOT_OF_ROWS = {conflicts: null, receiverTimeline: null, lastReplayAgeSeconds: null} as const;

type Sent = Pick<
  LinkReading,
  'senderRead' | 'senderState' | 'sync' | 'sendBytes' | 'writeBytes' | 'flushBytes' | 'replayBytes' | 'runwayBytes'
> &
  Pick<LinkReading, 'writeSeconds' | 'flushSeconds' | 'replaySeconds' | 'endOffset' | 'replayOffset' | 'senderTimeline' | 'slot'>;

/** What the publisher says. A slot without a reader still knows what its reader has confirmed. */
function sentOf(end: Reading | null, slot: Slot | null, at: number, to: string): Sent {
  const sender = readerOf(end, slot);
  const confirmed = slot?.confirmedBehind ?? null;
  return {
    ...{senderRead: end !== null, senderState: sender?.state ?? null, sync: sender?.sync ?? null},
    ...{sendBytes: sender?.sendBytes ?? null, writeBytes: sender?.writeBytes ?? null, flushBytes: confirmed, replayBytes: confirmed},
    ...secondsOf(sender),
    runwayBytes: slot === null ? null : slot.status === 'lost' ? 0 : slot.safeBytes,
    endOffset: end?.facts.durable ?? null,
    replayOffset: slot?.confirmed ?? null,
    senderTimeline: end?.facts.timeline ?? null,
    slot: slot === null || end === null ? null : toSlotReading(slot, to, end, at),
  };
}

const readerOf = (end: Reading | null, slot: Slot | null): Sender | null =>
  end?.senders.find(({pid}) => slot?.pid !== null && pid === slot?.pid) ?? null;

function heardOf(receiver: Reading | null, {heardAt}: Subscription): Pick<LinkReading, 'heardUpstreamAgoMs' | 'silentAfterMs'> {
  if (receiver === null) return {heardUpstreamAgoMs: null, silentAfterMs: null};
  const ago = heardAt === null ? null : Math.max(0, Math.round(receiver.facts.now - heardAt));
  return {heardUpstreamAgoMs: ago, silentAfterMs: silentAfter(receiver)};
}

function toSubscription(subscription: Subscription): SubscriptionReading {
  const {name, enabled, ready, copying, applyErrors, syncErrors, skipping, conflicts, origin} = subscription;
  return {name, enabled, tables: {ready, copying}, applyErrors, syncErrors, skipping, conflicts, origin};
}

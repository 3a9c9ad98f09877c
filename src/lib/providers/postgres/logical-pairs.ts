import {type Cluster, type Node, nodeOf} from './cluster.ts';
import type {Address} from './conninfo.ts';
import {isSameName, type Reading, type Readings, readingOf, type Slot, type Subscription} from './reading.ts';
import type {More} from './reading-more.ts';

/** One subscription of a member with the member that publishes to it. `publisher` null = one that cannot be told; `why` says so, or how it was. */
export type Pair = {
  readonly subscriber: string;
  readonly subscription: Subscription;
  readonly publisher: string | null;
  readonly why: string | null;
};

/** Which member published to a subscription when that could last be seen, by subscriber and subscription. */
export type Publishers = Map<string, string>;

type Look = {readonly cluster: Cluster; readonly readings: Readings; readonly more: More; readonly publishers: Publishers};
/** `skip`: its publisher is not of this store. */
type Found = 'skip' | Omit<Pair, 'subscriber' | 'subscription'>;

/** Every subscription whose publisher is a member of the same store, as far as that can be told. What can be seen is kept in `publishers`. */
export function pairsOf(look: Look): readonly Pair[] {
  return Object.keys(look.readings).flatMap((subscriber) =>
    (readingOf(look.readings, subscriber)?.subscriptions ?? []).flatMap((subscription) => {
      const found = publisherOf(look, subscriber, subscription);
      return found === 'skip' ? [] : [{subscriber, subscription, ...found}];
    }),
  );
}

/** Slots of what may be subscriptions that were not read, in the store's own database. */
export function unaccounted(cluster: Cluster, readings: Readings, pairs: readonly Pair[]): readonly {member: string; slot: Slot}[] {
  return Object.keys(readings).flatMap((member) =>
    (readingOf(readings, member)?.slots ?? [])
      .filter(
        ({kind, database, temporary, synced}) =>
          kind === 'logical' && !temporary && !synced && database === nodeOf(cluster, member).place.database,
      )
      .filter(({name}) => !pairs.some(({publisher, subscription}) => publisher === member && subscription.slot === name))
      .filter((slot) => mayBeOfSubscription(readingOf(readings, member), slot))
      .map((slot) => ({member, slot})),
  );
}

/** A subscription reads under its own name, which its slot has too. Who reads under another one is no member of the store: a capture of changes, say. */
function mayBeOfSubscription(reading: Reading | null, {name, pid}: Slot): boolean {
  const reads = pid === null ? undefined : reading?.senders.find((sender) => sender.pid === pid);
  return reads === undefined || isSameName(reads.application, name);
}

/**
 * Where a subscription leads: by its own words where the role may read them, else by who has its slot. What cannot be seen now may have been seen
 * before, or be the one member that did not answer; if all did, who publishes what it takes.
 */
function publisherOf(look: Look, subscriber: string, subscription: Subscription): Found {
  const key = `${subscriber}/${subscription.name}`;
  const said = look.more.publishers.get(subscriber)?.get(subscription.id);
  if (said !== undefined && said !== null) {
    const publisher = memberAt(look.cluster, nodeOf(look.cluster, subscriber), said);
    return publisher === null ? 'skip' : seen(look, key, publisher);
  }
  const before = look.publishers.get(key);
  if (before !== undefined && (look.readings[before]?.known === false || hasSlot(readingOf(look.readings, before), subscription)))
    return {publisher: before, why: null};
  const others = Object.keys(look.readings).filter((name) => name !== subscriber);
  const owners = others.filter((name) => hasSlot(readingOf(look.readings, name), subscription));
  const [owner, second] = owners.length > 1 ? owners.filter((name) => publishes(readingOf(look.readings, name), subscription)) : owners;
  if (owner !== undefined && second === undefined) return seen(look, key, owner);
  if (before !== undefined) return {publisher: before, why: null};
  if (owners.length > 1) return {publisher: null, why: `${owners.join(' and ')} each have a slot ${subscription.slot}`};
  const unread = others.filter((name) => look.readings[name]?.known === false);
  const [silent, another] = unread;
  if (silent !== undefined && another === undefined) return {publisher: silent, why: `${silent} is the only member that did not answer`};
  if (silent !== undefined) return {publisher: null, why: `${unread.join(' and ')} did not answer`};
  const [likely, also] = others.filter((name) => publishes(readingOf(look.readings, name), subscription));
  return likely === undefined || also !== undefined ? 'skip' : {publisher: likely, why: null};
}

function seen({publishers}: Look, key: string, publisher: string): Found {
  publishers.set(key, publisher);
  return {publisher, why: null};
}

/** Whether a member keeps the slot that a subscription uses, and not only a copy of it. */
const hasSlot = (reading: Reading | null, {slot}: Subscription): boolean =>
  slot !== null && (reading?.slots.some(({name, kind, synced}) => name === slot && kind === 'logical' && !synced) ?? false);

const publishes = (reading: Reading | null, {publications}: Subscription): boolean =>
  publications.length > 0 && publications.every((name) => reading?.publications.includes(name) ?? false);

function memberAt(cluster: Cluster, subscriber: Node, {host, port}: Address): string | null {
  for (const other of cluster.nodes.values()) {
    const way = subscriber.upstreams[other.name] ?? other.address;
    if (other.name !== subscriber.name && way.host === host && way.port === port) return other.name;
  }
  return null;
}

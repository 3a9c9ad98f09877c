import type {LinkReading} from '../../ports/store.ts';
import type {Cell} from '../../snapshot/cell.ts';
import type {Cluster, Node} from './cluster.ts';
import {parseConninfo} from './conninfo.ts';
import {type Facts, missingIds, primariesOf, upstreamOf} from './facts.ts';
import {causeOf} from './physical-cause.ts';
import {factsOf, isSameName, type Reading, type Readings, readingOf, type Sender, type Slot} from './reading.ts';
import type {More} from './reading-more.ts';
import {toSlotReading} from './slots.ts';

/** Everything that is known of one link of the log, before it is put into words. */
export type Ends = {
  readonly node: Node;
  readonly own: Cell<Reading> | undefined;
  readonly from: string;
  readonly sending: Cell<Reading> | undefined;
  /** null = that end was not read. */
  readonly end: Reading | null;
  readonly receiver: Reading | null;
  /** How the sender lists the receiver; null = it does not. */
  readonly sender: Sender | null;
  /** Where it does not: the one that it lists under another name and that may be the receiver; null = there is none, or more than one may be. */
  readonly stranger: Sender | null;
  readonly slot: Slot | null;
  readonly more: More;
};

/** The link over which a member gets the log, or should: `primary` = whom it should follow when it does not say itself. */
export function physicalLink(cluster: Cluster, node: Node, readings: Readings, primary: string | null, more: More): LinkReading {
  const ends = endsOf(cluster, node, readings, primary, more);
  const {own, from, sending, end, receiver, sender, slot} = ends;
  const now = cluster.clock.wall();
  const {cause, trouble} = causeOf(ends);
  // Places in two logs cannot be compared, whatever the sender says of them.
  const distances = cause !== null && ELSEWHERE.includes(cause.code) ? NOTHING : distancesOf(ends);
  return {
    ...{from, to: node.name, kind: 'physical', senderRead: end !== null, senderState: sender?.state ?? null},
    ...(cause === null ? {} : {cause}),
    ...distances,
    ...receiverOf(receiver),
    endOffset: end?.facts.durable ?? null,
    ...transactionsOf(readings, ends, distances),
    senderTimeline: end?.facts.timeline ?? null,
    slot: slot === null || sending === undefined || end === null ? null : toSlotReading(slot, node.name, end, sending.at),
    lastReplayAgeSeconds: replayAge(readings, receiver, own?.at ?? now),
    sync: sender?.sync ?? null,
    sampleAgeMs: Math.max(0, now - Math.min(sending?.at ?? now, own?.at ?? now)),
    trouble,
  };
}

/** Nothing outstanding is no transaction; else by ids, those that were aborted too, and those that have arrived and are not replayed. */
function transactionsOf(readings: Readings, {end, receiver}: Ends, {flushBytes}: Bytes): Transactions {
  const endTransaction = end === null ? null : givenOut(readings, end);
  const isSame = end !== null && receiver !== null && isSameHistory(end.facts, receiver.facts);
  const byIds = isSame && endTransaction !== null ? missingIds(endTransaction, receiver.facts) : null;
  return {outstandingTransactions: flushBytes === 0 ? 0 : byIds, endTransaction};
}

type Transactions = Pick<LinkReading, 'outstandingTransactions' | 'endTransaction'>;

const isSameHistory = (one: Facts, other: Facts): boolean => one.lineage === other.lineage && one.timeline === other.timeline;

/** The first id that no transaction in the sender's log has. One that is a standby itself knows it of what it has replayed only: the primary knows all. */
function givenOut(readings: Readings, {facts}: Reading): string | null {
  if (!facts.recovering) return facts.nextXid;
  const primary = primaryOf(readings, facts)?.facts;
  if (primary !== undefined && isSameHistory(primary, facts))
    return BigInt(primary.nextXid) > BigInt(facts.nextXid) ? primary.nextXid : facts.nextXid;
  return facts.applied === facts.durable ? facts.nextXid : null;
}

const ELSEWHERE: readonly string[] = ['old-timeline', 'other-cluster', 'promoted'];

type Distances = Bytes & Pick<LinkReading, 'writeSeconds' | 'flushSeconds' | 'replaySeconds' | 'runwayBytes'>;

const distancesOf = (ends: Ends): Distances => ({...bytesOf(ends), ...secondsOf(ends.sender), runwayBytes: runwayOf(ends)});

type Received = Pick<
  LinkReading,
  'receiverConnected' | 'heldOffset' | 'replayOffset' | 'receiverTimeline' | 'conflicts' | 'heardUpstreamAgoMs' | 'silentAfterMs'
>;

/** What the receiver says of itself. */
function receiverOf(receiver: Reading | null): Received {
  if (receiver === null)
    return {
      ...{receiverConnected: null, heldOffset: null, replayOffset: null, receiverTimeline: null},
      ...{conflicts: null, heardUpstreamAgoMs: null, silentAfterMs: null},
    };
  const {facts, conflicts} = receiver;
  return {
    receiverConnected: facts.receiver === 'streaming',
    ...{heldOffset: facts.durable, replayOffset: facts.applied, receiverTimeline: facts.timeline, conflicts},
    heardUpstreamAgoMs: facts.heardAt === null ? null : Math.max(0, Math.round(facts.now - facts.heardAt)),
    silentAfterMs: silentAfter(receiver),
  };
}

function endsOf(cluster: Cluster, node: Node, readings: Readings, primary: string | null, more: More): Ends {
  const own = readings[node.name];
  const receiver = readingOf(readings, node.name);
  const from = senderOf(cluster, node, readings) ?? primary ?? 'unknown';
  const end = readingOf(readings, from);
  const sender = end === null ? null : listed(end, node.name, receiver?.facts.slotName ?? '');
  const slotName = end?.slots.find(({pid}) => pid !== null && pid === sender?.pid)?.name ?? receiver?.facts.slotName;
  const slot = end?.slots.find(({name, kind}) => kind === 'physical' && name === slotName) ?? null;
  const stranger = end === null || receiver === null || sender !== null ? null : strangerOf(cluster, node, end, receiver);
  return {node, own, from, sending: readings[from], end, receiver, sender, stranger, slot, more};
}

/** A connection that has the name of no member: the one with the name that the receiver is set to use, else the only one from its address, else the only one. */
function strangerOf(cluster: Cluster, {address}: Node, {senders, slots}: Reading, {facts}: Reading): Sender | null {
  const taken = slots.map(({pid}) => pid);
  const isNobodys = ({pid, application, state}: Sender): boolean =>
    (state === 'streaming' || state === 'catchup') &&
    !taken.includes(pid) &&
    ![...cluster.nodes.keys()].some((name) => isSameName(name, application));
  const strangers = senders.filter(isNobodys);
  const own = parseConninfo(facts.conninfo).application_name ?? null;
  const groups = [
    strangers.filter(({application}) => application === own),
    strangers.filter((each) => each.address === address.host),
    strangers,
  ];
  return groups.find(({length}) => length === 1)?.[0] ?? null;
}

/** The receiver's entry: by its name, else by its slot. After a cut the sender may still list the former connection, so the newest counts. */
export function listed({senders, slots}: Reading, member: string, slotName: string): Sender | null {
  const logical = slots.filter(({kind}) => kind === 'logical').map(({pid}) => pid);
  const log = senders.filter(({pid}) => !logical.includes(pid)).toSorted((a, b) => b.startedAt - a.startedAt);
  const overSlot = slots.find(({name, kind}) => kind === 'physical' && name === slotName)?.pid;
  return log.find(({application}) => isSameName(application, member)) ?? log.find(({pid}) => pid === overSlot) ?? null;
}

/** By what the standby says of itself; when it does not answer, by who lists it. */
function senderOf(cluster: Cluster, node: Node, readings: Readings): string | null {
  const own = readingOf(readings, node.name);
  if (own !== null) return upstreamOf(cluster, node, own.facts);
  const lists = (name: string): boolean => {
    const reading = readingOf(readings, name);
    return reading !== null && listed(reading, node.name, '') !== null;
  };
  return Object.keys(readings).find(lists) ?? null;
}

type Bytes = Pick<LinkReading, 'sendBytes' | 'writeBytes' | 'flushBytes' | 'replayBytes'>;

const NO_BYTES: Bytes = {sendBytes: null, writeBytes: null, flushBytes: null, replayBytes: null};
const NOTHING: Distances = {...NO_BYTES, writeSeconds: null, flushSeconds: null, replaySeconds: null, runwayBytes: null};

/**
 * As the sender lists them. What it does not tell (no listing, or a receiver that has just come and reported nothing yet): how far apart the two ends are
 * on disk and in what queries see.
 */
function bytesOf({sender, end, receiver}: Ends): Bytes {
  const {sendBytes, writeBytes, flushBytes, replayBytes} = sender ?? NO_BYTES;
  const [there, here] = [end?.facts, receiver?.facts];
  const comparable = there !== undefined && here !== undefined && isSameHistory(there, here);
  if (!comparable) return {sendBytes, writeBytes, flushBytes, replayBytes};
  const apart = (place: string): number => Math.max(0, Number(BigInt(there.durable) - BigInt(place)));
  return {sendBytes, writeBytes, flushBytes: flushBytes ?? apart(here.durable), replayBytes: replayBytes ?? apart(here.applied)};
}

/** The last figure stays where it was on an idle link: a stage that has everything takes no time. */
export function secondsOf(sender: Sender | null): Pick<LinkReading, 'writeSeconds' | 'flushSeconds' | 'replaySeconds'> {
  const at = (bytes: number | null | undefined, seconds: number | null | undefined): number | null => (bytes === 0 ? 0 : (seconds ?? null));
  return {
    writeSeconds: at(sender?.writeBytes, sender?.writeSeconds),
    flushSeconds: at(sender?.flushBytes, sender?.flushSeconds),
    replaySeconds: at(sender?.replayBytes, sender?.replaySeconds),
  };
}

/** Commit times are the primary's, so they are measured by its clock where that was read, at the moment when the standby was. */
function replayAge(readings: Readings, receiver: Reading | null, readAt: number): number | null {
  if (receiver?.facts.lastReplay == null) return null;
  const primary = primaryOf(readings, receiver.facts);
  const now = primary === null ? receiver.facts.now : primary.facts.now + (readAt - primary.at);
  return Math.max(0, (now - receiver.facts.lastReplay) / 1000);
}

function primaryOf(readings: Readings, {lineage}: Facts): {readonly facts: Facts; readonly at: number} | null {
  const [primary] = primariesOf(factsOf(readings)).filter(({facts}) => facts.lineage === lineage);
  const cell = primary === undefined ? undefined : readings[primary.name];
  return cell?.known === true ? {facts: cell.value.facts, at: cell.at} : null;
}

/** At half its time-out a receiver asks for a sign of life, which a sender answers at once: a second later it had none. 0 = it never asks. */
export function silentAfter({settings: {receiverTimeoutMs}}: Reading): number | null {
  return receiverTimeoutMs === 0 ? null : receiverTimeoutMs / 2 + 1000;
}

/** With a slot the server computes it; without one, wal_keep_size is all that is promised. */
function runwayOf(ends: Ends): number | null {
  const {end, slot} = ends;
  if (end === null) return null;
  if (slot !== null) return slot.status === 'lost' ? 0 : slot.safeBytes === null ? null : Math.max(0, slot.safeBytes);
  const {flushBytes} = bytesOf(ends);
  return flushBytes === null ? null : Math.max(0, end.settings.keepBytes - flushBytes);
}

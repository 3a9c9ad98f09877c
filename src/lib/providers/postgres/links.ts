import {timeoutAwake} from '../../awake.ts';
import type {Abilities, LinkReading} from '../../ports/store.ts';
import type {Cell} from '../../snapshot/cell.ts';
import type {Cluster, Node} from './cluster.ts';
import {asCell, type Facts, primariesOf, readFacts, upstreamOf} from './facts.ts';

/** A reading with two more facts that a judge can use: whether the sending end answered, and how far the receiver has replayed (bytes). */
export type PostgresLink = LinkReading & {readonly senderRead: boolean; readonly replayOffset: string | null};

type Sender = {
  readonly application: string;
  readonly state: string;
  readonly sync: string;
  readonly sendBytes: number | null;
  readonly writeBytes: number | null;
  readonly flushBytes: number | null;
  readonly replayBytes: number | null;
  readonly slot: string | null;
};
type Slot = {readonly name: string; readonly safeBytes: number | null; readonly status: string | null; readonly behind: number | null};
type End = {readonly facts: Facts; readonly senders: readonly Sender[]; readonly slots: readonly Slot[]; readonly keepBytes: number};

const behind = (lsn: string): string => `greatest((h.here - ${lsn})::float8, 0)`;
const HERE = `select case when pg_is_in_recovery() then greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) else pg_current_wal_flush_lsn() end as here`;
/* All figures of a link come from one look at the sender, so that none of them can be negative. */
const SENDERS = `
with h as materialized (${HERE})
select r.application_name as "application", r.state as "state", r.sync_state as "sync", s.slot_name as "slot",
  ${behind('r.sent_lsn')} as "sendBytes", ${behind('r.write_lsn')} as "writeBytes",
  ${behind('r.flush_lsn')} as "flushBytes", ${behind('r.replay_lsn')} as "replayBytes"
from pg_stat_replication r cross join h left join pg_replication_slots s on s.active_pid = r.pid`;
const SLOTS = `
with h as materialized (${HERE})
select s.slot_name as "name", s.safe_wal_size::float8 as "safeBytes", s.wal_status as "status", ${behind('s.restart_lsn')} as "behind"
from pg_replication_slots s cross join h where s.slot_type = 'physical'`;
const KEEP = `select (setting::float8 * 1048576) as "keepBytes" from pg_settings where name = 'wal_keep_size'`;

/** Every link of the store, read from both of its ends at the same time: one for each member that is not a primary. */
export function createLinks(cluster: Cluster): Abilities['links'] {
  return {links: (signal) => links(cluster, signal)};
}

async function links(cluster: Cluster, signal: AbortSignal): Promise<readonly PostgresLink[]> {
  const nodes = [...cluster.nodes.values()];
  const cells = await Promise.all(nodes.map(async (node) => [node.name, await asCell(cluster, () => readEnd(node, signal))] as const));
  const ends = Object.fromEntries(cells);
  const facts = Object.fromEntries(cells.map(([name, cell]) => [name, cell.known ? {...cell, value: cell.value.facts} : cell]));
  const primaries = primariesOf(facts);
  // A second primary on an older timeline is a former one: it has no link, which is what has to be said of it.
  const standbys = nodes.filter(({name}) => name !== primaries[0]?.name);
  return standbys.map((node) => linkTo(cluster, node, ends, primaries[0]?.name ?? null));
}

async function readEnd(node: Node, signal: AbortSignal): Promise<End> {
  const limits = {signal: AbortSignal.any([signal, timeoutAwake(1500)])};
  const [facts, senders, slots, keep] = await Promise.all([
    readFacts(node, limits),
    node.session.rows<Sender>(SENDERS, [], limits),
    node.session.rows<Slot>(SLOTS, [], limits),
    node.session.rows<{keepBytes: number}>(KEEP, [], limits),
  ]);
  return {facts, senders, slots, keepBytes: keep[0]?.keepBytes ?? 0};
}

function linkTo(cluster: Cluster, node: Node, ends: Readonly<Record<string, Cell<End>>>, primary: string | null): PostgresLink {
  const own = ends[node.name];
  const from = senderOf(cluster, node, ends) ?? primary ?? 'unknown';
  const sending = ends[from];
  const end = sending?.known === true ? sending.value : null;
  const sender = end?.senders.find(({application}) => application.toLowerCase() === node.name.toLowerCase()) ?? null;
  const facts = own?.known === true ? own.value.facts : null;
  const now = cluster.clock.wall();
  return {
    from,
    to: node.name,
    senderRead: end !== null,
    senderState: sender?.state ?? null,
    receiverConnected: facts === null ? null : facts.receiver === 'streaming',
    ...bytesOf(sender, end, facts),
    lastReplayAgeSeconds: facts?.lastReplay == null ? null : Math.max(0, (facts.now - facts.lastReplay) / 1000),
    heardUpstreamAgoMs: facts?.heardAt == null ? null : Math.max(0, Math.round(facts.now - facts.heardAt)),
    runwayBytes: runwayOf(sender, end, facts),
    sync: sender?.sync ?? null,
    sampleAgeMs: Math.max(0, now - Math.min(sending?.at ?? now, own?.at ?? now)),
    replayOffset: facts?.applied ?? null,
    trouble: troubleWith(node, own, from, sending, facts),
  };
}

/** By what the standby says of itself; when it does not answer, by who lists it. */
function senderOf(cluster: Cluster, node: Node, ends: Readonly<Record<string, Cell<End>>>): string | null {
  const own = ends[node.name];
  if (own?.known === true) return upstreamOf(cluster, node, own.value.facts);
  const lists = ([, cell]: readonly [string, Cell<End>]): boolean =>
    cell.known && cell.value.senders.some(({application}) => application.toLowerCase() === node.name.toLowerCase());
  return Object.entries(ends).find(lists)?.[0] ?? null;
}

type Bytes = Pick<LinkReading, 'sendBytes' | 'writeBytes' | 'flushBytes' | 'replayBytes'>;

/** As the sender lists them. Without a listing, how far apart the two ends are on disk and in what queries see. */
function bytesOf(sender: Sender | null, end: End | null, facts: Facts | null): Bytes {
  if (sender !== null) {
    const {sendBytes, writeBytes, flushBytes, replayBytes} = sender;
    return {sendBytes, writeBytes, flushBytes, replayBytes};
  }
  const comparable = end !== null && facts !== null && end.facts.lineage === facts.lineage && end.facts.timeline === facts.timeline;
  if (!comparable) return {sendBytes: null, writeBytes: null, flushBytes: null, replayBytes: null};
  const apart = (place: string): number => Math.max(0, Number(BigInt(end.facts.durable) - BigInt(place)));
  return {sendBytes: null, writeBytes: null, flushBytes: apart(facts.durable), replayBytes: apart(facts.applied)};
}

/** With a slot the server computes it; without one, wal_keep_size is all that is promised. */
function runwayOf(sender: Sender | null, end: End | null, facts: Facts | null): number | null {
  if (end === null) return null;
  const slot = end.slots.find(({name}) => name === (sender?.slot ?? facts?.slotName));
  if (slot !== undefined) return slot.status === 'lost' ? 0 : slot.safeBytes === null ? null : Math.max(0, slot.safeBytes);
  const {flushBytes} = bytesOf(sender, end, facts);
  return flushBytes === null ? null : Math.max(0, end.keepBytes - flushBytes);
}

function troubleWith(
  node: Node,
  own: Cell<End> | undefined,
  from: string,
  sending: Cell<End> | undefined,
  facts: Facts | null,
): string | null {
  if (own?.known === false && sending?.known === false) return `${own.reason} ${sending.reason}`;
  if (sending?.known === false) return sending.reason;
  if (own?.known === false) return own.reason;
  if (sending === undefined) return `${node.name} is set to follow ${from}, which is no member that can be asked.`;
  if (facts?.recovering === false) return `${node.name} runs as a primary of its own on timeline ${facts.timeline}.`;
  if (facts?.replayPaused === true) return `Replay is paused on ${node.name}.`;
  return null;
}

import {within} from '../../awake.ts';
import {isRegionctlError, messageOf} from '../../errors.ts';
import type {Cell} from '../../snapshot/cell.ts';
import {known, unknown} from '../../snapshot/cell.ts';
import type {Position} from '../../snapshot/position.ts';
import type {Member} from '../../snapshot/snapshot.ts';
import {type Cluster, type Node, nodeOf, only} from './cluster.ts';
import {addressOf, addressText} from './conninfo.ts';
import type {Limits} from './session.ts';
import {sharedReading} from './shared-reading.ts';
import {parseSyncNames} from './sync-names.ts';

/** Everything that one statement tells of one member. Offsets are decimal strings of bytes, times epoch ms of the server's own clock. */
export type Facts = {
  readonly recovering: boolean;
  readonly readOnly: boolean;
  readonly lineage: string;
  readonly timeline: number;
  readonly durable: string;
  readonly applied: string;
  /** The first transaction id that is not assigned yet, as this member knows it; a standby knows what it has replayed. Read after `durable`. */
  readonly nextXid: string;
  /**
   * So many ids are over here, at least: what was given out elsewhere beyond this number is the most that can be missing, late commits of old ids
   * included. Read before `durable`.
   */
  readonly overXids: string;
  readonly now: number;
  readonly lastReplay: number | null;
  readonly replayPaused: boolean;
  /** After a restart a standby does not know how far it received: until it has replayed all that is on its disk, its position reads too low. */
  readonly replaying: boolean;
  /** It has found no whole record behind the last one that it applied, and nothing more comes. */
  readonly drained: boolean;
  readonly conninfo: string;
  readonly slotName: string;
  readonly receiver: string | null;
  readonly senderHost: string | null;
  readonly senderPort: number | null;
  readonly heardAt: number | null;
  readonly syncNames: string;
  readonly syncCommit: string;
};

/** The furthest place that a standby holds on disk. The receiver starts over at a segment's beginning, hence the greater of the two. */
export const STANDBY_DURABLE = `greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(), '0/0'::pg_lsn)`;

/**
 * The timeline of a standby's durable place, given as SQL. A standby has no function for it: the receiver knows while it runs, the last
 * restart point lags behind, and after the receiver is gone only the name of the segment that was written last tells. The highest is right,
 * because a standby never goes back to an older timeline. As long as the receiver itself wrote up to there, no directory has to be read.
 */
export const standbyTimeline = (durable: string): string => `coalesce(
  (select received_tli from pg_stat_wal_receiver where status = 'streaming' and flushed_lsn >= ${durable}), greatest(
  (select received_tli from pg_stat_wal_receiver),
  (select timeline_id from pg_control_checkpoint()),
  (select min_recovery_end_timeline from pg_control_recovery()),
  (select max(('x' || substr(w.name, 1, 8))::bit(32)::int) from pg_ls_waldir() w,
     lateral (select greatest((${durable} - '0/0'::pg_lsn)::bigint - 1, 0) as byte, pg_size_bytes(current_setting('wal_segment_size')) as size) s
   where w.name ~ '^[0-9A-F]{24}$'
     and substr(w.name, 9) = upper(lpad(to_hex(s.byte / 4294967296), 8, '0') || lpad(to_hex((s.byte % 4294967296) / s.size), 8, '0')))))`;

/** The timeline that a primary writes, as SQL. Fails during recovery. */
export const PRIMARY_TIMELINE = `('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int`;

/** A connection string without its passwords, as SQL: they never leave the server. It is a list of keywords or a URI. */
export const withoutPasswords = (conninfo: string): string =>
  `regexp_replace(regexp_replace(${conninfo}, $q$\\w*password\\s*=\\s*('([^'\\\\]|\\\\.)*'|(\\\\.|[^\\s\\\\])+)$q$, '', 'gi'), '://[^@/]*@', '://')`;

const ms = (time: string): string => `(extract(epoch from ${time}) * 1000)::float8`;

/** On a standby with more ids than this between the oldest open one and the newest, all of them are taken for open: each has to be asked for. */
const MOST_OPEN = 2000;

/* `recovering` is read once: a promotion in the middle of the statement leaves the standby's functions valid. A snapshot ends at what is over last, and
   one that is taken in recovery does not name what is open below: so each id is asked for. Only `age` tells which id comes next. It is asked last, and
   the ids first, so that the log up to the place in between has no transaction that they do not count. */
export const FACTS = `
with ids as materialized (
  select pg_is_in_recovery() as recovering, pg_snapshot_xmin(s)::text::int8 as xmin, pg_snapshot_xmax(s)::text::int8 as xmax from pg_current_snapshot() s),
role as materialized (
  select recovering, xmax, case when recovering and xmax - xmin <= ${MOST_OPEN}
    then xmax - (select count(*) from generate_series(xmin, xmax - 1) n where pg_xact_status(n::text::xid8) = 'in progress') else xmin end as over
  from ids),
place as materialized (
  select recovering, xmax, over,
    case when recovering then ${STANDBY_DURABLE} else pg_current_wal_flush_lsn() end as durable,
    case when recovering then coalesce(pg_last_wal_replay_lsn(), '0/0') else pg_current_wal_flush_lsn() end as applied
  from role)
select p.recovering as "recovering",
  current_setting('transaction_read_only') = 'on' as "readOnly",
  (select system_identifier::text from pg_control_system()) as "lineage",
  case when p.recovering then ${standbyTimeline('p.durable')} else ${PRIMARY_TIMELINE} end as "timeline",
  (p.durable - '0/0'::pg_lsn)::text as "durable",
  (p.applied - '0/0'::pg_lsn)::text as "applied",
  (p.xmax + age(p.xmax::text::xid8::xid))::text as "nextXid",
  p.over::text as "overXids",
  ${ms('clock_timestamp()')} as "now",
  case when p.recovering then ${ms('pg_last_xact_replay_timestamp()')} end as "lastReplay",
  case when p.recovering then pg_get_wal_replay_pause_state() <> 'not paused' else false end as "replayPaused",
  ${withoutPasswords("current_setting('primary_conninfo')")} as "conninfo",
  current_setting('primary_slot_name') as "slotName",
  r.status as "receiver", r.sender_host as "senderHost", r.sender_port as "senderPort",
  ${ms('r.last_msg_receipt_time')} as "heardAt",
  p.recovering and pg_last_wal_receive_lsn() is null
    and not exists (select from pg_stat_activity a where a.backend_type = 'startup' and a.wait_event in ('RecoveryRetrieveRetryInterval', 'RecoveryWalStream'))
    as "replaying",
  case when p.recovering and p.applied < p.durable and r.pid is null then exists
    (select from pg_stat_activity a where a.backend_type = 'startup' and a.wait_event = 'RecoveryRetrieveRetryInterval') else false end as "drained",
  current_setting('synchronous_standby_names') as "syncNames",
  current_setting('synchronous_commit') as "syncCommit"
from place p left join pg_stat_wal_receiver r on true`;

/** Reads a member in one statement. Throws a RegionctlError with the reason when it cannot be read. */
export async function readFacts(node: Node, limits: Limits): Promise<Facts> {
  return only(await node.session.rows<Facts>(FACTS, [], limits), node);
}

/** How long one member is waited for, connecting included. */
export const OBSERVE_MS = 1500;

/** What was read of members, by name. */
export type AllFacts = Readonly<Record<string, Cell<Facts>>>;

const shared = new WeakMap<Cluster, Map<string, (signal: AbortSignal) => Promise<AllFacts>>>();

/**
 * Reads members (default: all) at the same time, each with its own deadline; a member that does not answer is an unknown cell. Those who ask for the same
 * members in one turn of the program share one reading: a snapshot asks for members and rule at once, and losses are compared of several members at once.
 */
export function readAll(cluster: Cluster, signal: AbortSignal, members: readonly string[] = [...cluster.nodes.keys()]): Promise<AllFacts> {
  const readings = shared.get(cluster) ?? new Map();
  shared.set(cluster, readings);
  const key = JSON.stringify(members);
  const reading = readings.get(key) ?? sharedReading((own) => readEach(cluster, own, members));
  readings.set(key, reading);
  return reading(signal);
}

async function readEach(cluster: Cluster, signal: AbortSignal, members: readonly string[]): Promise<AllFacts> {
  const cells = members.map(async (name) => {
    const node = nodeOf(cluster, name);
    await node.session.ready(signal);
    const read = (own: AbortSignal) => readFacts(node, {signal: own, timeoutMs: OBSERVE_MS});
    return [name, await asCell(cluster, () => within(signal, OBSERVE_MS, read))] as const;
  });
  return Object.fromEntries(await Promise.all(cells));
}

/** A reading as a cell: what failed becomes unknown with its reason. */
export async function asCell<T>(cluster: Cluster, read: () => Promise<T>): Promise<Cell<T>> {
  try {
    const value = await read();
    return known(value, cluster.clock.wall(), 'sql');
  } catch (error) {
    return unknown(isRegionctlError(error) ? error.code : 'error', messageOf(error), cluster.clock.wall());
  }
}

/** The durable place of a member. */
export const durableOf = (facts: Facts): Position => ({lineage: facts.lineage, epoch: facts.timeline, offset: facts.durable});

/** Whose log a member's positions are of. Peers may be copies of one another, but each writes a log of its own, so nobody compares their positions. */
export const lineageOf = ({peers}: Pick<Cluster, 'peers'>, {name}: Pick<Node, 'name'>, {lineage}: Pick<Facts, 'lineage'>): string =>
  peers ? `${lineage}/${name}` : lineage;

/** How many transactions a member can lack at most, when all ids below `next` have been given out: also those that were aborted. Of one history only. */
export function missingIds(next: string, {overXids}: Pick<Facts, 'overXids'>): number {
  return Math.max(0, Number(BigInt(next) - BigInt(overXids)));
}

/** The name of the member that a standby follows or is set to follow; its address when no member has it; null when it follows nobody. */
export function upstreamOf(cluster: Cluster, node: Node, facts: Facts): string | null {
  if (!facts.recovering) return null;
  const live = facts.senderHost !== null && facts.senderPort !== null ? {host: facts.senderHost, port: facts.senderPort} : null;
  const address = live ?? addressOf(facts.conninfo);
  if (address === null) return null;
  for (const other of cluster.nodes.values()) {
    const way = node.upstreams[other.name] ?? other.address;
    if (other.name !== node.name && way.host === address.host && way.port === address.port) return other.name;
  }
  return addressText(address);
}

/** What the snapshot keeps of a member. */
export function toMember(cluster: Cluster, node: Node, facts: Facts): Member {
  return {
    region: node.region,
    role: cluster.peers ? 'peer' : facts.recovering ? 'standby' : 'primary',
    writable: !facts.recovering && !facts.readOnly,
    durable: {...durableOf(facts), lineage: lineageOf(cluster, node, facts)},
    applied: {lineage: lineageOf(cluster, node, facts), epoch: facts.timeline, offset: facts.applied},
    ...(facts.drained ? {drained: true} : {}),
    upstream: upstreamOf(cluster, node, facts),
    heardUpstreamAgoMs: facts.heardAt === null ? null : Math.max(0, Math.round(facts.now - facts.heardAt)),
    ...acknowledging(facts),
  };
}

/** Names as they are set, so that they can be put back. A list in order of preference is no such rule. */
function acknowledging({syncNames, syncCommit}: Facts): Pick<Member, 'acknowledges' | 'lowered'> {
  const rule = parseSyncNames(syncNames);
  if (rule === null || rule.method === 'first' || rule.of.includes('*')) return {};
  return {acknowledges: {need: rule.need, of: rule.of}, ...(['off', 'local'].includes(syncCommit) ? {lowered: true} : {})};
}

/** The members that say they are primary, the one on the highest timeline first. Several = split brain or a former primary that came back. */
export function primariesOf(facts: Readonly<Record<string, Cell<Facts>>>): readonly {name: string; facts: Facts}[] {
  return Object.entries(facts)
    .flatMap(([name, cell]) => (cell.known && !cell.value.recovering ? [{name, facts: cell.value}] : []))
    .toSorted((a, b) => b.facts.timeline - a.facts.timeline || a.name.localeCompare(b.name));
}

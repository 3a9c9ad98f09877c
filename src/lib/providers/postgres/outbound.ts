import {randomBytes} from 'node:crypto';
import {z} from 'zod';
import {messageOf, unavailable} from '../../errors.ts';
import type {Abilities, LinkReading, Unsent} from '../../ports/store.ts';
import {type Cluster, nodeOf, only} from './cluster.ts';
import {lsnText} from './timeline.ts';

/** More log than this is not decoded for a count, in bytes, nor longer than this, in ms. */
const MOST_BYTES = 256 * 1024 * 1024;
const DECODE_MS = 15_000;
const COUNT_MS = 10_000;
/** More ids than this are not looked at one by one. */
const MOST_IDS = 5_000_000;

/**
 * What a subscription takes, and where its receiver stands: the end of the last transaction of the publisher that it has applied. null = our role may not
 * ask (it takes a superuser, or a grant on pg_replication_origin_progress).
 */
const TAKES = `
select s.subpublications as "publications", has_function_privilege('pg_replication_origin_progress(text, boolean)', 'execute') as "mayAsk"
from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = current_database() and s.subname = $1`;
const APPLIED = `
select (pg_replication_origin_progress('pg_' || s.oid, true) - '0/0'::pg_lsn)::text as "applied"
from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = current_database() and s.subname = $1`;
const PUBLISHED = `select array(select pubname::text from pg_publication) as "publications"`;
/* A copy can be read while its original is in use; a temporary one ends with the session. */
const COPY = 'select pg_copy_logical_replication_slot($1, $2, true)';
const DROP = 'select pg_drop_replication_slot($1)';
/* A commit of pgoutput (byte C) has its end in the log in bytes 10 to 17. Transactions that send nothing are left out by pgoutput itself (15 and newer). */
const PEEK = `
select count(*)::float8 as "transactions" from pg_logical_slot_peek_binary_changes($1, null, null, 'proto_version', '1', 'publication_names', $2, 'origin', 'none') c
where get_byte(c.data, 0) = 67 and '0/0'::pg_lsn + ('x' || encode(substring(c.data from 11 for 8), 'hex'))::bit(64)::int8 > $3::pg_lsn`;

/* What is committed now and was not in the mark's snapshot, by who it came from: PostgreSQL notes that with the time of each commit. */
const MARK = `
select pg_current_snapshot()::text as "snapshot", coalesce((select json_object_agg(s.subname, s.oid::text)
  from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = current_database()), '{}') as "streams"`;
const SINCE = `
select count(*) filter (where t.roident = (
    select o.roident from pg_subscription s join pg_database d on d.oid = s.subdbid join pg_replication_origin o on o.roname = 'pg_' || s.oid
    where d.datname = current_database() and s.subname = $2))::float8 as "transactions",
  count(*) filter (where t."timestamp" is null and pg_xact_status(x.id) = 'committed')::float8 as "untold"
from generate_series(pg_snapshot_xmin($1::pg_snapshot)::text::int8, pg_snapshot_xmax(pg_current_snapshot())::text::int8 - 1) n,
  lateral (select n::text::xid8 as id) x, lateral pg_xact_commit_timestamp_origin(xid(x.id)) t
where not pg_visible_in_snapshot(x.id, $1::pg_snapshot)`;
/* A subscription that was made anew has another origin, and perhaps the number that another one's had. */
const STREAM = `
select s.oid::text as "oid" from pg_subscription s join pg_database d on d.oid = s.subdbid
where d.datname = current_database() and s.subname = $1`;
const RANGE = `select (pg_snapshot_xmax(pg_current_snapshot())::text::int8 - pg_snapshot_xmin($1::pg_snapshot)::text::int8)::float8 as "ids"`;

/** `streams`: the object id of each subscription, by its name; absent in marks of older journals. */
type Mark = {readonly snapshot: string; readonly streams: Readonly<Record<string, string>>};
const markSchema = z.object({snapshot: z.string(), streams: z.record(z.string(), z.string()).optional()});

/** What a peer has not sent to the others: counted by decoding its log from where each of them stands. */
export function createOutbound(cluster: Cluster, links: Abilities['links']): Abilities['outbound'] {
  return {
    async unsent(member, signal) {
      const own = (await links.links(signal)).filter(({from, kind}) => from === member && kind === 'logical');
      const counted: [string, Unsent][] = [];
      // One after the other: each takes the member's one session.
      for (const link of own) counted.push([link.to, await unsentOn(cluster, link, signal)]);
      return Object.fromEntries(counted);
    },
    async mark(at, signal) {
      const node = nodeOf(cluster, at);
      return only(await node.session.rows<Mark>(MARK, [], {signal}), node);
    },
    since: async (at, from, mark, signal) => since(cluster, await linkBetween(links, from, at, signal), mark, signal),
  };
}

async function linkBetween(links: Abilities['links'], from: string, to: string, signal: AbortSignal): Promise<LinkReading> {
  const found = (await links.links(signal)).find((link) => link.from === from && link.to === to && link.kind === 'logical');
  if (found === undefined) throw unavailable('no-link', `No stream leads from ${from} to ${to}.`);
  return found;
}

async function unsentOn(cluster: Cluster, link: LinkReading, signal: AbortSignal): Promise<Unsent> {
  const {from, slot, replayBytes: bytes, senderRead} = link;
  if (!senderRead) throw unavailable('unread', link.trouble ?? `${from} was not read.`);
  const not = (why: string): Unsent => ({transactions: null, exact: false, bytes, why});
  if (slot === null || slot === undefined) return not(link.trouble ?? `${from} has no slot for ${link.link}`);
  if (bytes !== null && bytes > MOST_BYTES) return not(`${bytes} bytes of log are too much to decode for a count`);
  try {
    const {applied, publications} = await standing(cluster, link, signal);
    const transactions = await peek(cluster, {from, slot: slot.name, publications, after: applied ?? '0'}, signal);
    return {transactions, exact: applied !== null, bytes, why: null};
  } catch (error) {
    signal.throwIfAborted();
    return not(messageOf(error));
  }
}

type Standing = {readonly applied: string | null; readonly publications: readonly string[]};

/** Where the receiver stands, as it says itself; a receiver that cannot be asked is counted from what it confirmed, for everything that is published. */
async function standing(cluster: Cluster, {from, to, link = ''}: LinkReading, signal: AbortSignal): Promise<Standing> {
  const receiver = nodeOf(cluster, to);
  try {
    const takes = await receiver.session.rows<{publications: readonly string[]; mayAsk: boolean}>(TAKES, [link], {signal});
    const {publications, mayAsk} = only(takes, receiver);
    if (!mayAsk) return {applied: null, publications};
    const {applied} = only(await receiver.session.rows<{applied: string | null}>(APPLIED, [link], {signal}), receiver);
    return {applied, publications};
  } catch {
    signal.throwIfAborted();
    const sender = nodeOf(cluster, from);
    const {publications} = only(await sender.session.rows<{publications: readonly string[]}>(PUBLISHED, [], {signal}), sender);
    return {applied: null, publications};
  }
}

type Peek = {readonly from: string; readonly slot: string; readonly publications: readonly string[]; readonly after: string};

async function peek(cluster: Cluster, {from, slot, publications, after}: Peek, signal: AbortSignal): Promise<number> {
  const node = nodeOf(cluster, from);
  const copy = `regionctl_${randomBytes(6).toString('hex')}`;
  const names = publications.map((name) => `"${name.replaceAll('"', '""')}"`).join(',');
  await node.session.rows(COPY, [slot, copy], {signal});
  try {
    const limits = {signal, timeoutMs: DECODE_MS};
    const counted = await node.session.rows<{transactions: number}>(PEEK, [copy, names, lsnText(BigInt(after))], limits);
    return only(counted, node).transactions;
  } finally {
    // A session that broke has taken it along.
    await node.session.rows(DROP, [copy]).catch(() => undefined);
  }
}

async function since(cluster: Cluster, {to, link = ''}: LinkReading, held: unknown, signal: AbortSignal): Promise<number> {
  const node = nodeOf(cluster, to);
  const mark = markSchema.safeParse(held);
  if (!mark.success) throw unavailable('bad-mark', `There is nothing to count from on ${to}.`);
  const {snapshot, streams} = mark.data;
  const {oid} = only(await node.session.rows<{oid: string}>(STREAM, [link], {signal}), node);
  if (streams !== undefined && streams[link] !== oid)
    throw unavailable(
      'made-anew',
      `The subscription ${link} on ${to} was made anew since: what came before cannot be told from what others sent.`,
    );
  const {ids} = only(await node.session.rows<{ids: number}>(RANGE, [snapshot], {signal}), node);
  if (ids > MOST_IDS) throw unavailable('too-many', `${ids} transactions began on ${to} since: they are not counted one by one.`);
  const counted = await node.session.rows<{transactions: number; untold: number}>(SINCE, [snapshot, link], {signal, timeoutMs: COUNT_MS});
  const {transactions, untold} = only(counted, node);
  if (untold > 0) throw unavailable('untold', `Of ${untold} transactions ${to} does not know any more where they came from.`);
  return transactions;
}

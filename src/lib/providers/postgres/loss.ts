import {z} from 'zod';
import {unavailable} from '../../errors.ts';
import type {Json} from '../../plan/json.ts';
import type {Abilities} from '../../ports/store.ts';
import {bytesBetween} from '../../snapshot/position.ts';
import {type Cluster, type Node, nodeOf, only} from './cluster.ts';
import {countCommits} from './count-commits.ts';
import {durableOf, type Facts, missingIds, primariesOf, readAll} from './facts.ts';
import {readForks} from './history.ts';
import {lsnText} from './timeline.ts';

type Reading = Awaited<ReturnType<Abilities['loss']['loss']>>;

/**
 * What the primary holds at this moment and `to` does not: a live reading, so an estimate; what it means for an objective is judged elsewhere.
 * Transactions are counted in the primary's log where pg_walinspect is installed, else by ids, aborted ones included: never too few.
 */
export function createLoss(cluster: Cluster): Abilities['loss'] {
  return {
    loss: (to, signal) => loss(cluster, to, signal),
    mark: (member, signal) => mark(nodeOf(cluster, member), signal),
    since: (member, mark, signal, without = []) => since(cluster, member, mark, signal, without),
  };
}

/* Below its end a snapshot says which transactions are over, but one that is taken in recovery does not name those that are still open. What it
   held of them is asked of the member itself, whenever that is: once it is promoted they are aborted there, and their ids are not given out again.
   So what is committed elsewhere, and is either past the end or not committed there, is missing: exactly. A transaction with savepoints counts
   once for each that was written in. */
const MARK = `select pg_snapshot_xmin(s)::text as "from", pg_snapshot_xmax(s)::text as "end" from pg_current_snapshot() s`;
/** More ids than this are not counted one by one. */
const MOST_IDS = 5_000_000;
const COUNT_MS = 10_000;
const NOT_THERE = `
select coalesce(range_agg(int8range(n, n + 1)) filter (where x.status <> 'committed'), '{}')::text as "ids", count(*) filter (where x.status is null)::int as "forgotten"
from generate_series($1::int8, $2::int8 - 1) n, lateral (select pg_xact_status(n::text::xid8) as status) x`;
const SINCE = `
select count(*)::int as "transactions" from generate_series($1::int8, pg_snapshot_xmax(pg_current_snapshot())::text::int8 - 1) n
where (n >= $2::int8 or $3::int8multirange @> n) and n <> all($4::int8[]) and pg_xact_status(n::text::xid8) = 'committed'`;
const RANGE = `select (pg_snapshot_xmax(pg_current_snapshot())::text::int8 - $1::int8)::float8 as "ids"`;

/** What a member held: everything that was committed there of the ids before `end`; those before `from` were all over. */
const markSchema = z.object({member: z.string(), from: z.string(), end: z.string()});

async function mark(node: Node, signal: AbortSignal): Promise<Json> {
  return {member: node.name, ...only(await node.session.rows<{from: string; end: string}>(MARK, [], {signal}), node)};
}

async function since(
  cluster: Cluster,
  member: string,
  held: Json,
  signal: AbortSignal,
  without: readonly string[],
): Promise<{transactions: number}> {
  const node = nodeOf(cluster, member);
  const mark = markSchema.safeParse(held);
  if (!mark.success) throw unavailable('bad-mark', `There is nothing to count from on ${member}.`);
  const {from, end, member: marked} = mark.data;
  const {ids} = only(await node.session.rows<{ids: number}>(RANGE, [from], {signal}), node);
  if (ids > MOST_IDS) throw unavailable('too-many', `${ids} transactions began on ${member} since: they are not counted one by one.`);
  const limits = {signal, timeoutMs: COUNT_MS};
  const there = nodeOf(cluster, marked);
  const open = only(await there.session.rows<{ids: string; forgotten: number}>(NOT_THERE, [from, end], limits), there);
  if (open.forgotten > 0) throw unavailable('forgotten', `${marked} does not know any more which transactions it held.`);
  return only(await node.session.rows<{transactions: number}>(SINCE, [from, end, open.ids, without], limits), node);
}

type Primary = {readonly name: string; readonly facts: Facts; readonly again: boolean};

/** The primary once more; what was read before where it does not answer, or is none any more. */
async function readAgain(cluster: Cluster, {name, facts}: Omit<Primary, 'again'>, signal: AbortSignal): Promise<Primary> {
  const cell = (await readAll(cluster, signal, [name]))[name];
  const again = cell?.known === true && !cell.value.recovering && cell.value.timeline === facts.timeline;
  return {name, facts: again ? cell.value : facts, again};
}

async function loss(cluster: Cluster, to: string, signal: AbortSignal): Promise<Reading> {
  nodeOf(cluster, to);
  const facts = await readAll(cluster, signal);
  const target = facts[to];
  const [first, ...rivals] = primariesOf(facts);
  // A target that is far away answers later: what was written until then is missing there, too.
  const primary = first === undefined ? undefined : await readAgain(cluster, first, signal);
  const nothing = (basis: string): Reading => ({
    store: cluster.store,
    transactions: null,
    bytes: null,
    seconds: null,
    certainty: 'unknown',
    basis,
  });
  if (target?.known !== true) return nothing(target?.reason ?? `${to} was not read.`);
  if (primary === undefined) return nothing(`No primary of ${cluster.store} answers.`);
  const bytes = bytesBetween(durableOf(target.value), durableOf(primary.facts));
  if (bytes === null) return nothing(`${to} belongs to another lineage than ${primary.name}.`);
  const parted = rivalSays(primary, rivals) ?? (await partedSays(cluster, primary, {to, target: target.value}, signal));
  if (parted !== null) return nothing(parted);
  const {lastReplay} = target.value;
  // Commit times are the primary's, so they are compared with the primary's clock.
  const seconds = bytes === 0 ? 0 : lastReplay === null ? null : Math.max(0, (primary.facts.now - lastReplay) / 1000);
  const range = {applied: target.value.applied, held: target.value.durable, end: primary.facts.durable};
  const counted = bytes === 0 ? 0 : await countCommits(cluster, nodeOf(cluster, primary.name), range, signal);
  const transactions = counted ?? mostMissing(primary.facts, target.value);
  const basis = `${whenRead(primary, to)}${bytes === 0 ? '' : howCounted(primary.name, counted, transactions)}`;
  return {store: cluster.store, transactions, bytes, seconds, certainty: 'estimate', basis};
}

/** Two that were promoted beside one another number what are two timelines alike. */
function rivalSays({name, facts: {lineage, timeline}}: Primary, others: readonly Omit<Primary, 'again'>[]): string | null {
  const rival = others.find(({facts}) => facts.lineage === lineage && facts.timeline === timeline);
  if (rival === undefined) return null;
  return `${name} and ${rival.name} both run as primaries on timeline ${timeline}: what either lacks of the other is not known.`;
}

/** Places in two logs that went separate ways cannot be compared. Why they cannot; null = what the target holds is a part of the primary's log. */
async function partedSays(
  cluster: Cluster,
  {name, facts: {timeline}}: Primary,
  {to, target}: {readonly to: string; readonly target: Facts},
  signal: AbortSignal,
): Promise<string | null> {
  if (target.timeline === timeline) return null;
  if (target.timeline > timeline)
    return `${to} is on timeline ${target.timeline}, and no primary that answers is: what was written there last is not known.`;
  const forks = await readForks(nodeOf(cluster, name), timeline, signal).catch(() => null);
  signal.throwIfAborted();
  const end = forks?.get(target.timeline);
  if (end === undefined)
    return `${to} is on timeline ${target.timeline} and ${name} on timeline ${timeline}: where they parted could not be read.`;
  const held = BigInt(target.durable);
  if (held <= end) return null;
  return `The log of ${to} went another way: timeline ${timeline} of ${name} forked off at ${lsnText(end)}, and ${to} has timeline ${target.timeline} up to ${lsnText(held)}.`;
}

/** Ids were given out anew on a timeline that was left. */
const mostMissing = ({timeline, nextXid}: Facts, target: Facts): number | null =>
  timeline === target.timeline ? missingIds(nextXid, target) : null;

const whenRead = ({name, again}: Primary, to: string): string =>
  again
    ? `${name} was read right after ${to}.`
    : `${name} was read at the same time as ${to} and not again: what it has written since is left out.`;

function howCounted(primary: string, counted: number | null, transactions: number | null): string {
  if (counted !== null) return ` Commits are counted in the log of ${primary}.`;
  if (transactions === null) return ` Transactions cannot be counted by their ids: ${primary} writes another timeline.`;
  return ' Transactions are counted by their ids, aborted ones too: at most so many.';
}

import {refused, unavailable} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Abilities} from '../../ports/store.ts';
import type {Position} from '../../snapshot/position.ts';
import {act, CLAIMED_BY_US, claimRest, lockKeys} from './claim.ts';
import {type Cluster, limitsOf, type Node, nodeOf, only, pollUntil} from './cluster.ts';
import {durableOf, readFacts, STANDBY_DURABLE, standbyTimeline} from './facts.ts';

type When = {readonly from: Position; readonly until: number};
type Judgement = {
  readonly recovering: boolean;
  readonly lineage: string;
  readonly timeline: number | null;
  readonly durable: string;
  readonly claimed: boolean;
  readonly inTime: boolean;
  readonly receiving: boolean;
};

/** A moment so many ms, the next parameter, after the one that is given. */
const LIMIT = (from: number): string => `$${from}::timestamptz + $${from + 1}::float8 * interval '1 millisecond'`;

/* $1 $2 the claim, $3 lineage, $4 timeline, $5 the least position in bytes, $6 $7 the last moment. All of it is judged inside the one statement that
   promotes: a process that slept through its lease sends a statement that refuses itself. */
const JUDGED = `
with place as materialized (select pg_is_in_recovery() as recovering, ${STANDBY_DURABLE} as durable),
judged as materialized (
  select p.recovering, (select system_identifier::text from pg_control_system()) as lineage,
    case when p.recovering then ${standbyTimeline('p.durable')} end as timeline,
    (p.durable - '0/0'::pg_lsn) as durable, ${CLAIMED_BY_US} as claimed,
    exists (select from pg_stat_wal_receiver) or exists (select from pg_stat_activity where backend_type = 'walreceiver') as receiving
  from place p)`;
export const PROMOTE = `${JUDGED}
select pg_promote(false) as "promoted" from judged j
where j.recovering and j.claimed and not j.receiving and j.lineage = $3 and j.timeline = $4 and j.durable >= $5::numeric
  and clock_timestamp() < ${LIMIT(6)}`;
const WHY = `${JUDGED}
select j.recovering, j.lineage, j.timeline, j.durable::text, j.claimed, j.receiving, clock_timestamp() < ${LIMIT(3)} as "inTime" from judged j`;

/** Promotion with its conditions inside the statement itself. */
export function createPromote(cluster: Cluster): Abilities['promote'] {
  return {promote: (ctx, member, when) => promote(cluster, ctx, nodeOf(cluster, member), when)};
}

async function promote(cluster: Cluster, ctx: Ctx, node: Node, when: When): Promise<Position> {
  await claimRest(cluster, ctx);
  const keys = lockKeys(cluster.store);
  const limit = await lastMoment(node, ctx, when);
  const {lineage, epoch, offset} = when.from;
  const promoted = await act<{promoted: boolean}>(cluster, ctx, node, PROMOTE, [...keys, lineage, epoch, offset, ...limit]);
  if (promoted.length === 0) {
    const why = only(await node.session.rows<Judgement>(WHY, [...keys, ...limit], limitsOf(ctx)), node);
    throw refused('promote-refused', `${node.name} was not promoted: ${reasonOf(why, when, cluster.store)}.`);
  }
  const done = await pollUntil(cluster, ctx, {forMs: Number.POSITIVE_INFINITY, everyMs: 1}, async () => {
    const {recovering} = only(
      await node.session.rows<{recovering: boolean}>('select pg_is_in_recovery() as "recovering"', [], limitsOf(ctx)),
      node,
    );
    return recovering ? null : true;
  });
  if (done === null) throw unavailable('promote-unfinished', `${node.name} was told to promote and was still in recovery at the deadline.`);
  return durableOf(await readFacts(node, limitsOf(ctx)));
}

/** The server's clock is read before our own is asked how long the decision is still good: a pause before, between or after them is noticed. */
async function lastMoment(node: Node, ctx: Ctx, {until}: When): Promise<readonly [now: string, leftMs: number]> {
  const clock = await node.session.rows<{now: string}>('select clock_timestamp()::text as "now"', [], limitsOf(ctx));
  const left = until - ctx.now();
  if (left <= 0)
    throw refused('promote-refused', `${node.name} was not promoted: what the decision rests on is ${Math.round(-left)} ms too old.`);
  return [only(clock, node).now, left];
}

function reasonOf(why: Judgement, {from}: When, store: string): string {
  if (!why.recovering) return 'it is a primary already';
  if (!why.claimed) return `this session does not hold the claim on ${store}`;
  if (why.receiving) return 'it still receives from an upstream; seal it first';
  if (why.lineage !== from.lineage) return `it belongs to another lineage (${why.lineage}, expected ${from.lineage})`;
  if (why.timeline !== from.epoch) return `it is on timeline ${why.timeline}, expected ${from.epoch}`;
  if (BigInt(why.durable) < BigInt(from.offset)) return `it holds ${why.durable} bytes of the stream, expected at least ${from.offset}`;
  if (!why.inTime) return 'the time that the decision was good for had passed';
  return 'its conditions did not hold at that moment, and do now; look again and retry';
}

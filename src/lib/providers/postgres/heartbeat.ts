import {within} from '../../awake.ts';
import type {Abilities} from '../../ports/store.ts';
import {lockKeys} from './claim.ts';
import type {Cluster, Node} from './cluster.ts';
import {OBSERVE_MS, PRIMARY_TIMELINE} from './facts.ts';

type Role = {readonly node: Node; readonly lineage: string; readonly timeline: number};

/** How long the others are waited for once a primary has answered, and how long a primary at all: whoever is slower is read without a heartbeat. */
const OTHERS_MS = 100;
const PRIMARY_MS = 300;

const ROLE = `
select (select system_identifier::text from pg_control_system()) as "lineage",
  case when not pg_is_in_recovery() then ${PRIMARY_TIMELINE} end as "timeline"`;
/* The commit waits for no standby. Nothing is stored: the message only stands in the log, and a session that can write nothing else may send it.
   A run that has claimed the member compares where logs end and counts what was committed, so nothing is added for as long as it has. Nor is it
   where nobody would see it go by: that may be a primary that was fenced and left. */
const BEAT = `
select set_config('synchronous_commit', 'local', true), pg_logical_emit_message(true, 'regionctl', 'heartbeat')
where not pg_is_in_recovery() and exists (select from pg_stat_replication)
  and not exists (select from pg_locks l where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.classid::bigint = $1 and l.objid::bigint = $2
    and l.database = (select oid from pg_database where datname = current_database()))`;

/**
 * One small transaction on every primary of its own cluster; on the newest where a former one runs on, and on none where two claim the same timeline.
 * Needs no table and no privilege beyond a login. A store that a run has claimed is left alone. Resolves when it is written, or when no primary answers soon.
 */
export function createHeartbeat(cluster: Cluster): Abilities['heartbeat'] {
  return {
    beat: (signal) => within(signal, OBSERVE_MS, (own) => beat(cluster, {signal: own, timeoutMs: OBSERVE_MS})),
  };
}

async function beat(cluster: Cluster, limits: Limits): Promise<void> {
  const roles = await answersOf(cluster, limits);
  await Promise.all(newest(roles).map(({node}) => node.reader.rows(BEAT, lockKeys(cluster.store), limits)));
}

type Limits = {readonly signal: AbortSignal; readonly timeoutMs: number};

/** Who says that it is a primary, as soon as there is nobody left who is worth waiting for. */
async function answersOf(cluster: Cluster, limits: Limits): Promise<readonly Role[]> {
  const roles: Role[] = [];
  const found = Promise.withResolvers<void>();
  const asked = [...cluster.nodes.values()].map(async (node) => {
    const [row] = await node.reader.rows<{lineage: string; timeline: number | null}>(ROLE, [], limits).catch(() => []);
    if (row === undefined || row.timeline === null) return;
    roles.push({node, lineage: row.lineage, timeline: row.timeline});
    found.resolve();
  });
  const othersToo = found.promise.then(() => cluster.clock.sleep(OTHERS_MS));
  await Promise.race([Promise.all(asked), othersToo, cluster.clock.sleep(PRIMARY_MS)]);
  return roles;
}

/** A message to a former primary would only take its log further away from the others'. */
function newest(roles: readonly Role[]): readonly Role[] {
  return roles.filter((role) => roles.every((other) => other === role || other.lineage !== role.lineage || other.timeline < role.timeline));
}

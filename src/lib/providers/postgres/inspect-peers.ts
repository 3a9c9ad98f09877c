import {timeoutAwake} from '../../awake.ts';
import {messageOf} from '../../errors.ts';
import type {Finding} from '../../ports/finding.ts';
import {askEach, type Cluster, type Node, nodesOf, only} from './cluster.ts';

/** What a server among peers is set to, as read in one statement. */
export type PeerSettings = {
  readonly version: number;
  readonly recovering: boolean;
  readonly walLevel: string;
  readonly commitTimes: boolean;
  readonly senders: number;
  readonly slots: number;
  readonly workers: number;
  readonly logicalWorkers: number;
  /** How many publishers it can keep apart. Before PostgreSQL 18 that is max_replication_slots. */
  readonly origins: number;
  readonly hbaError: string | null;
  /** Subscriptions of its database that pass on what they were sent. null = the version passes on everything. */
  readonly anyOrigin: readonly string[] | null;
};

const SETTINGS = `
select current_setting('server_version_num')::int / 10000 as "version",
  pg_is_in_recovery() as "recovering",
  current_setting('wal_level') as "walLevel",
  current_setting('track_commit_timestamp') = 'on' as "commitTimes",
  current_setting('max_wal_senders')::int as "senders",
  current_setting('max_replication_slots')::int as "slots",
  current_setting('max_worker_processes')::int as "workers",
  current_setting('max_logical_replication_workers')::int as "logicalWorkers",
  coalesce(current_setting('max_active_replication_origins', true), current_setting('max_replication_slots'))::int as "origins",
  (select error from pg_hba_file_rules where error is not null limit 1) as "hbaError",
  case when current_setting('server_version_num')::int >= 160000 then (select coalesce(json_agg(s.subname order by s.subname), '[]')
    from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = current_database() and to_jsonb(s) ->> 'suborigin' <> 'none') end as "anyOrigin"`;

/** Reads members (default: all) and judges what would keep peers from replicating to one another. A member that cannot be read is a finding of its own. */
export async function inspectPeers(cluster: Cluster, signal: AbortSignal, members?: readonly string[]): Promise<readonly Finding[]> {
  const asked = await askEach(nodesOf(cluster, members), async (node) => {
    const limits = {signal: AbortSignal.any([signal, timeoutAwake(1500)])};
    return only(await node.session.rows<PeerSettings>(SETTINGS, [], limits), node);
  });
  return asked.flatMap(({node, value, error}): readonly Finding[] => {
    if (value !== undefined) return judgePeer(cluster, node, value);
    const says = `its settings could not be read: ${messageOf(error)}`;
    return [{check: `${cluster.store} ${node.name} settings`, verdict: 'unknown', says, fix: null, member: node.name}];
  });
}

/** `name` is the end of the finding's check. */
type Rule = {
  readonly name: string;
  readonly verdict: 'warning' | 'error';
  readonly holds: boolean;
  readonly says: string;
  readonly fix: string;
};

/** One finding for each thing that is wrong, or one that says that nothing is. */
export function judgePeer(
  {store, nodes}: Pick<Cluster, 'store' | 'nodes'>,
  {name}: Pick<Node, 'name'>,
  seen: PeerSettings,
): readonly Finding[] {
  const check = `${store} ${name}`;
  const wrong = [...roomRules(nodes.size - 1, seen), ...stateRules(seen)].filter(({holds}) => !holds);
  if (wrong.length > 0)
    return wrong.map((rule) => ({check: `${check} ${rule.name}`, verdict: rule.verdict, says: rule.says, fix: rule.fix, member: name}));
  const says = `PostgreSQL ${seen.version} is set up to take writes beside its peers`;
  return [{check: `${check} settings`, verdict: 'pass', says, fix: null, member: name}];
}

/** Each of the others takes one walsender and one slot here, and one worker and one origin for what it sends. */
function roomRules(others: number, {senders, slots, workers, logicalWorkers, origins, version}: PeerSettings): readonly Rule[] {
  const room = (name: string, has: number, needs: number, what: string): Rule => ({
    ...{name, verdict: 'error', holds: has >= needs, says: `${name} is ${has}: too few for ${what} of ${others} other members`},
    fix: `set it to ${needs} or more`,
  });
  return [
    room('max_wal_senders', senders, others, 'the streams'),
    room('max_replication_slots', slots, others, 'the slots'),
    room('max_logical_replication_workers', logicalWorkers, others, 'the subscriptions'),
    // The launcher of the workers is one itself.
    room('max_worker_processes', workers, others + 1, 'the subscriptions'),
    ...(version >= 18 ? [room('max_active_replication_origins', origins, others, 'the origins')] : []),
  ];
}

function stateRules({version, recovering, walLevel, commitTimes, hbaError, anyOrigin}: PeerSettings): readonly Rule[] {
  return [
    {
      name: 'version',
      verdict: 'error',
      holds: version >= 16 && version <= 18,
      says: `PostgreSQL ${version} is not supported among peers`,
      fix: 'use PostgreSQL 16 to 18: older ones send on what they were sent',
    },
    {
      name: 'role',
      verdict: 'error',
      holds: !recovering,
      says: 'it is in recovery: a standby takes no writes and subscribes to nobody',
      fix: 'promote it and subscribe it to the others, or take it out of the members',
    },
    {
      name: 'wal_level',
      verdict: 'error',
      holds: walLevel === 'logical',
      says: `wal_level is ${walLevel}: nobody can subscribe to it`,
      fix: 'set it to logical',
    },
    {
      name: 'track_commit_timestamp',
      verdict: 'warning',
      holds: commitTimes,
      says: 'track_commit_timestamp is off: where and when a row was written cannot be told',
      fix: 'set it to on',
    },
    {
      name: 'origin',
      verdict: 'warning',
      holds: anyOrigin === null || anyOrigin.length === 0,
      says: `${anyOrigin?.join(' and ')} also takes what its publisher was sent by others: changes come twice or go in circles`,
      fix: 'alter subscription … set (origin = none)',
    },
    {
      name: 'pg_hba',
      verdict: 'error',
      holds: hbaError === null,
      says: `the pg_hba file cannot be read: ${hbaError}`,
      fix: 'mend the file: a reload is refused as long as it is broken',
    },
  ];
}

import {timeoutAwake} from '../../awake.ts';
import {messageOf} from '../../errors.ts';
import type {Finding} from '../../ports/finding.ts';
import {askEach, type Cluster, type Node, nodesOf, only} from './cluster.ts';
import {parseConninfo} from './conninfo.ts';
import {withoutPasswords} from './facts.ts';
import {isSameName} from './reading.ts';

/** What a failover will need of one server, as read in one statement. */
export type Settings = {
  readonly version: number;
  readonly superuser: boolean;
  readonly scram: boolean;
  readonly mayAlter: boolean;
  readonly retryMs: number;
  readonly senders: number;
  readonly targetTimeline: string;
  readonly syncCommit: string;
  readonly hbaError: string | null;
  readonly replicates: boolean | null;
  /** How a standby connects, without passwords; null = it is a primary. */
  readonly conninfo: string | null;
  readonly clusterName: string;
};

const SETTINGS = `
select current_setting('server_version_num')::int / 10000 as "version",
  (select rolsuper from pg_roles where rolname = session_user) as "superuser",
  coalesce((select rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolname = session_user), false) as "scram",
  coalesce(current_setting('allow_alter_system', true), 'on') = 'on' as "mayAlter",
  (select setting::int from pg_settings where name = 'wal_retrieve_retry_interval') as "retryMs",
  current_setting('max_wal_senders')::int as "senders",
  current_setting('recovery_target_timeline') as "targetTimeline",
  current_setting('synchronous_commit') as "syncCommit",
  (select error from pg_hba_file_rules where error is not null limit 1) as "hbaError",
  (select rolreplication or rolsuper from pg_roles where rolname = $1) as "replicates",
  case when pg_is_in_recovery() then ${withoutPasswords("current_setting('primary_conninfo')")} end as "conninfo",
  current_setting('cluster_name') as "clusterName"`;

/** Reads members (default: all) and judges what a failover would stumble over. A member that cannot be read is a finding of its own. */
export async function inspect(cluster: Cluster, signal: AbortSignal, members?: readonly string[]): Promise<readonly Finding[]> {
  const nodes = nodesOf(cluster, members);
  const asked = await askEach(nodes, async (node) => {
    const limits = {signal: AbortSignal.any([signal, timeoutAwake(1500)])};
    return only(await node.session.rows<Settings>(SETTINGS, [cluster.replicationUser], limits), node);
  });
  return asked.flatMap(({node, value, error}) =>
    value === undefined
      ? [
          {
            check: `${cluster.store} ${node.name} settings`,
            verdict: 'unknown' as const,
            says: `its settings could not be read: ${messageOf(error)}`,
            fix: null,
            member: node.name,
          },
        ]
      : judgeSettings(cluster, node, value),
  );
}

type Rule = {
  readonly name: string;
  readonly verdict: 'warning' | 'error';
  readonly holds: boolean;
  readonly says: string;
  readonly fix: string;
};

/** One finding for each thing that is wrong, or one that says that nothing is. */
export function judgeSettings(
  cluster: Pick<Cluster, 'store' | 'user' | 'replicationUser' | 'nodes'>,
  node: Pick<Node, 'name'>,
  seen: Settings,
): readonly Finding[] {
  const wrong = [...privilegeRules(cluster, seen), ...settingRules(cluster, seen), nameRule(node, seen)].filter(({holds}) => !holds);
  const check = `${cluster.store} ${node.name}`;
  if (wrong.length === 0)
    return [
      {
        check: `${check} settings`,
        verdict: 'pass',
        says: `PostgreSQL ${seen.version} is set up for a failover`,
        fix: null,
        member: node.name,
      },
    ];
  return wrong.map(({name, verdict, says, fix}) => ({check: `${check} ${name}`, verdict, says, fix, member: node.name}));
}

function privilegeRules({user, replicationUser}: Pick<Cluster, 'user' | 'replicationUser'>, seen: Settings): readonly Rule[] {
  const {version, superuser, scram, mayAlter, replicates} = seen;
  return [
    {
      name: 'version',
      verdict: 'error',
      holds: version >= 15 && version <= 18,
      says: `PostgreSQL ${version} is not supported`,
      fix: 'use PostgreSQL 15 to 18',
    },
    {
      name: 'role',
      verdict: 'error',
      holds: superuser,
      says: `${user} is no superuser: it can neither seal nor fence`,
      fix: `alter role ${user} superuser`,
    },
    {
      name: 'password',
      verdict: 'error',
      holds: scram,
      says: `${user} has no SCRAM-SHA-256 password: closing the server would lock it out`,
      fix: `set a password for ${user} with password_encryption = scram-sha-256`,
    },
    {
      name: 'alter-system',
      verdict: 'error',
      holds: mayAlter,
      says: 'allow_alter_system is off: nothing can be set over SQL',
      fix: 'allow_alter_system = on',
    },
    {
      name: 'replication-role',
      verdict: 'error',
      holds: replicates === true,
      says: `${replicationUser} ${replicates === null ? 'does not exist' : 'may not replicate'}`,
      fix: `create or alter the role ${replicationUser} with replication login`,
    },
  ];
}

/** A standby is known by the name under which it connects. Without one it is that of the cluster, and without that `walreceiver`. */
function nameRule({name}: Pick<Node, 'name'>, {conninfo, clusterName}: Settings): Rule {
  const own = parseConninfo(conninfo ?? '').application_name ?? (clusterName === '' ? 'walreceiver' : clusterName);
  return {
    name: 'application_name',
    verdict: 'warning',
    holds: conninfo === null || conninfo === '' || isSameName(own, name),
    says: `it connects as ${own}: its primary cannot tell that it is ${name}, nor wait for it`,
    fix: `set application_name=${name} in its primary_conninfo`,
  };
}

function settingRules(
  {nodes}: Pick<Cluster, 'nodes'>,
  {retryMs, senders, targetTimeline, syncCommit, hbaError}: Settings,
): readonly Rule[] {
  const needed = nodes.size;
  return [
    {
      name: 'wal_retrieve_retry_interval',
      verdict: 'warning',
      holds: retryMs <= 500,
      says: `wal_retrieve_retry_interval is ${retryMs} ms: a promotion can stall for that long`,
      fix: 'set it to 100ms',
    },
    {
      name: 'max_wal_senders',
      verdict: 'error',
      holds: senders >= needed,
      says: `max_wal_senders is ${senders}: too few for ${needed - 1} standbys and a base backup`,
      fix: `set it to ${needed + 2} or more`,
    },
    {
      name: 'recovery_target_timeline',
      verdict: 'error',
      holds: targetTimeline === 'latest',
      says: `recovery_target_timeline is ${targetTimeline}: it will not follow a promoted server`,
      fix: 'set it to latest',
    },
    {
      name: 'synchronous_commit',
      verdict: 'warning',
      holds: !['off', 'local'].includes(syncCommit),
      says: `synchronous_commit is ${syncCommit}: writes do not wait for a standby`,
      fix: 'set it to on',
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

import type {LabMode, LabProfile} from './record.ts';

/** What a region's own postgresql.conf depends on. `others` are the other members, the candidates of its quorum when it is the primary. */
export type SettingsOf = {
  readonly profile: LabProfile;
  readonly mode: LabMode;
  readonly major: number;
  readonly member: string;
  readonly others: readonly string[];
};

/** In both profiles: what replication needs, and what lets `lab down` leave nothing behind. */
const ALWAYS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  password_encryption: 'scram-sha-256',
  // Without slots this is how far a standby may fall behind before it needs a new copy.
  wal_keep_size: '64MB',
  // The default leaves files in /dev/shm when a server is killed.
  dynamic_shared_memory_type: 'mmap',
  log_line_prefix: '%m [%p] %b ',
  timezone: 'UTC',
  log_timezone: 'UTC',
} as const;

/** Profile fast: small, impatient, and without fsync: a killed process loses nothing, only a crash of the machine would. */
const FAST = {
  fsync: 'off',
  max_connections: '60',
  shared_buffers: '16MB',
  wal_level: 'logical',
  max_wal_senders: '10',
  max_replication_slots: '10',
  max_wal_size: '256MB',
  min_wal_size: '32MB',
  hot_standby: 'on',
  wal_log_hints: 'on',
  track_commit_timestamp: 'on',
  wal_receiver_timeout: '5s',
  wal_sender_timeout: '5s',
  wal_receiver_status_interval: '1s',
  wal_retrieve_retry_interval: '100ms',
  autovacuum_max_workers: '1',
  max_worker_processes: '8',
  // So that applications of two-phase commit can be tried out.
  max_prepared_transactions: '20',
  max_parallel_workers: '0',
  jit: 'off',
} as const;

/** Mode active-active: subscriptions to six other regions, and the name by which a region marks what it wrote. */
const PEER = {
  wal_level: 'logical',
  track_commit_timestamp: 'on',
  max_worker_processes: '24',
  max_logical_replication_workers: '16',
} as const;

/** The whole of a region's postgresql.conf. What ALTER SYSTEM and the lab set later is in postgresql.auto.conf. */
export function postgresqlConf(of: SettingsOf): string {
  const settings: Record<string, string> = {
    ...ALWAYS,
    ...(of.profile === 'fast' ? FAST : {}),
    ...(of.profile === 'fast' && of.major >= 18 ? {io_method: 'sync'} : {}),
    ...(of.mode === 'active-active' ? {...PEER, 'shop.region': of.member} : {}),
    ...(of.mode === 'active-active' && of.major >= 18 ? {max_active_replication_origins: '16'} : {}),
    cluster_name: of.member,
    synchronous_standby_names: of.mode === 'quorum' ? quorumOf(of.others) : '',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quoted(value)}`);
  return `# regionctl lab, member ${of.member}, profile ${of.profile}\n${lines.join('\n')}\n`;
}

/** `ANY 1` of the other members: a commit is acknowledged when one of them has it on disk. */
export const quorumOf = (others: readonly string[]) => `ANY 1 (${others.map((name) => `"${name}"`).join(', ')})`;

/** Who may log in: each of the three roles with its password, nobody else, nobody without. */
export const pgHba = (mode: LabMode): string => (mode === 'active-active' ? `${PG_HBA}${FOR_SUBSCRIPTIONS}` : PG_HBA);

/** For them `replication` is no database: a subscription names the one that it wants changes of. */
const FOR_SUBSCRIPTIONS = 'host orders      replicator 127.0.0.1/32 scram-sha-256\n';

const PG_HBA = `# type database user address method
host all         regionctl  127.0.0.1/32 scram-sha-256
host replication replicator 127.0.0.1/32 scram-sha-256
host orders      app        127.0.0.1/32 scram-sha-256
`;

/** How a standby finds its upstream. No password: that is in the passfile. */
export function primaryConninfo(port: number, member: string, passfile: string): string {
  return `host=127.0.0.1 port=${port} user=replicator application_name='${member}' passfile='${passfile}' connect_timeout=5`;
}

/** How a subscription finds its publisher. Its name goes with it by itself. No password: that is in the passfile. */
export function publisherConninfo(port: number, passfile: string): string {
  return `host=127.0.0.1 port=${port} dbname=orders user=replicator passfile='${passfile}' connect_timeout=5`;
}

/** The text of postgresql.auto.conf with `primary_conninfo` set; every other setting in it stays. */
export function withPrimaryConninfo(autoConf: string, conninfo: string): string {
  const kept = autoConf.split('\n').filter((line) => line !== '' && !/^\s*primary_conninfo\s*=/.test(line));
  return `${[...kept, `primary_conninfo = ${quoted(conninfo)}`].join('\n')}\n`;
}

const quoted = (value: string) => `'${value.replaceAll("'", "''")}'`;

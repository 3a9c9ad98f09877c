import {type ChildProcess, spawn} from 'node:child_process';
import {chmodSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import pg from 'pg';
import {removeSegment} from '../../src/lab/shared-memory.ts';
import {eventually, freePort, PASSWORD} from './embedded.ts';
import {freezeAll, isAlive, isUp, signalAll, treeOf} from './process-tree.ts';

/** Debian's programs. */
const PATRONI = '/usr/bin/patroni';
/** What an operator gives orders with, and the file in a member's folder that it reads. */
export const PATRONICTL = '/usr/bin/patronictl';
export const CONFIG = 'patroni.json';
const ETCD = '/usr/bin/etcd';
const POSTGRES = '/usr/lib/postgresql/15/bin';

/** Why tests of Patroni are skipped where its packages are not installed; null = they are. */
const missing = [PATRONI, PATRONICTL, ETCD, `${POSTGRES}/postgres`].find((file) => !existsSync(file));
export const noPatroni: string | null = missing === undefined ? null : `no ${missing}`;

/** The scope of the cluster, and who may use the unsafe part of its REST API. */
export const SCOPE = 'orders';
export const REST_USER = 'operator';
export const REST_PASSWORD = 'only-for-tests-too';

export type PatroniOptions = {
  /** Member names; the first becomes the leader. */
  readonly names: readonly string[];
  /** Seconds. Default 20, 1 and 3: the quickest that Patroni's documentation allows. */
  readonly ttl?: number;
  readonly loopWait?: number;
  readonly retryTimeout?: number;
  /** Further keys of the dynamic configuration, such as synchronous_mode. */
  readonly dcs?: Readonly<Record<string, unknown>>;
};

/** One member: PostgreSQL 15 with its Patroni. */
export type PatroniMember = {
  readonly name: string;
  readonly port: number;
  readonly restPort: number;
  readonly rest: string;
  readonly dir: string;
  readonly logFile: string;
  /** Starts Patroni on the data that is there, which starts its server. */
  start(): void;
  /** SIGKILL for both at the same moment, as when a machine is lost. */
  kill(): Promise<void>;
  /** SIGKILL for Patroni alone; its server goes on. */
  killAgent(): Promise<void>;
  /** SIGSTOP for Patroni alone, until `thaw`; its server goes on. */
  freezeAgent(): void;
  /** A clean stop of the server alone, which Patroni starts again unless it is paused. */
  stopServer(): void;
  /** Every process of the two. */
  pids(): readonly number[];
  freeze(): void;
  thaw(): void;
  sql<Row extends pg.QueryResultRow>(text: string): Promise<Row[]>;
  /** What Patroni says of the path, without the provider. */
  ask(path: string): Promise<unknown>;
};

/** A cluster on one etcd. `end` stops everything by pid and removes the folder. */
export type PatroniCluster = {
  readonly dir: string;
  readonly members: readonly PatroniMember[];
  member(name: string): PatroniMember;
  /** Changes the dynamic configuration, as an operator does. */
  configure(patch: Readonly<Record<string, unknown>>): Promise<void>;
  /** SIGKILL for etcd. After `retryTimeout` the leader steps down, unless failsafe_mode is on. */
  stopDcs(): Promise<void>;
  /** Starts it again on its data. */
  startDcs(): void;
  /** The member that holds the leader key, when every member runs and follows it; waits for that. */
  settled(ms?: number): Promise<string>;
  end(): Promise<void>;
};

/** Starts etcd and the members, on loopback and ports below the ephemeral range, as an ordinary user, with no watchdog. */
export async function startPatroni(options: PatroniOptions): Promise<PatroniCluster> {
  const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'rc-patroni-'));
  const [client, peer] = [await freePort(), await freePort()];
  const startEtcd = (): ChildProcess => launch(join(dir, 'etcd.log'), ETCD, etcdFlags(join(dir, 'etcd'), client, peer));
  let etcd = startEtcd();
  const members: PatroniMember[] = [];
  for (const name of options.names) members.push(await createMember(join(dir, name), name, client, options));
  const stopAll = (): void => {
    signalAll([...members.flatMap(({pids}) => pids()), ...ownPid(etcd)], 'SIGKILL');
  };
  process.once('exit', stopAll);
  const cluster: PatroniCluster = {
    dir,
    members,
    member: (name) => memberNamed(members, name),
    configure: (patch) => configure(members, patch),
    stopDcs: () => killUntilGone(() => ownPid(etcd)),
    startDcs: () => {
      if (!isUp(etcd)) etcd = startEtcd();
    },
    settled: (ms = 60_000) => settled(members, ms),
    end: async () => {
      process.removeListener('exit', stopAll);
      for (const member of members) await member.kill();
      etcd.kill('SIGKILL');
      await eventually(() => !isUp(etcd));
      rmSync(dir, {recursive: true, force: true});
    },
  };
  try {
    const [first, ...others] = members;
    first?.start();
    await eventually(async () => (await leaderOf(members)) === first?.name, 60_000);
    await prepare(memberNamed(members, options.names[0] ?? ''));
    for (const member of others) member.start();
    await cluster.settled();
    return cluster;
  } catch (error) {
    const logs = members.map(({name, logFile}) => `${name}: ${existsSync(logFile) ? troubleIn(readFileSync(logFile, 'utf8')) : 'no log'}`);
    await cluster.end();
    throw new Error(`the cluster did not come up\n${logs.join('\n')}`, {cause: error});
  }
}

/** What went wrong, before the last lines: Patroni says every second that it goes on. */
function troubleIn(log: string): string {
  const wrong = log.split('\n').filter((line) => /FATAL|PANIC|ERROR|WARNING|could not|HINT|DETAIL/.test(line));
  return [...wrong.slice(0, 20), '…', log.slice(-500)].join('\n');
}

function memberNamed(members: readonly PatroniMember[], name: string): PatroniMember {
  const found = members.find((member) => member.name === name);
  if (found === undefined) throw new Error(`no member ${name}`);
  return found;
}

const etcdFlags = (data: string, client: number, peer: number): readonly string[] => [
  ...['--name', 'test', '--data-dir', data],
  ...['--listen-client-urls', `http://127.0.0.1:${client}`, '--advertise-client-urls', `http://127.0.0.1:${client}`],
  ...['--listen-peer-urls', `http://127.0.0.1:${peer}`, '--initial-advertise-peer-urls', `http://127.0.0.1:${peer}`],
  ...['--initial-cluster', `test=http://127.0.0.1:${peer}`],
];

async function createMember(dir: string, name: string, etcd: number, options: PatroniOptions): Promise<PatroniMember> {
  mkdirSync(dir, {mode: 0o700});
  const [port, restPort] = [await freePort(), await freePort()];
  const config = join(dir, CONFIG);
  // YAML is a superset of JSON.
  writeFileSync(config, JSON.stringify(configOf(dir, name, {port, restPort, etcd}, options)));
  chmodSync(config, 0o600);
  const logFile = join(dir, 'patroni.log');
  const rest = `http://127.0.0.1:${restPort}`;
  let agent: ChildProcess | null = null;
  const agentPids = (): readonly number[] => (agent === null ? [] : ownPid(agent));
  // Patroni lets go of the server that it starts, so the two are separate trees.
  const everyPid = (): readonly number[] => treeOf([...agentPids(), ...serverPids(join(dir, 'data'))]);
  return {
    ...{name, port, restPort, rest, dir, logFile},
    start: () => {
      if (agentPids().length === 0) agent = launch(logFile, PATRONI, [config]);
    },
    kill: async () => {
      await killUntilGone(everyPid);
      await removeSegment(join(dir, 'data'));
    },
    killAgent: () => killUntilGone(agentPids),
    freezeAgent: () => freezeAll(agentPids),
    stopServer: () => signalAll(serverPids(join(dir, 'data')), 'SIGINT'),
    pids: everyPid,
    freeze: () => freezeAll(everyPid),
    thaw: () => signalAll(everyPid(), 'SIGCONT'),
    sql: (text) => query(port, text),
    ask: async (path) => (await fetch(`${rest}${path}`, {signal: AbortSignal.timeout(3000)})).json(),
  };
}

type Ports = {readonly port: number; readonly restPort: number; readonly etcd: number};

function configOf(dir: string, name: string, {port, restPort, etcd}: Ports, options: PatroniOptions): object {
  const {ttl = 20, loopWait = 1, retryTimeout = 3, dcs = {}} = options;
  return {
    scope: SCOPE,
    name,
    restapi: {
      listen: `127.0.0.1:${restPort}`,
      connect_address: `127.0.0.1:${restPort}`,
      authentication: {username: REST_USER, password: REST_PASSWORD},
    },
    etcd3: {host: `127.0.0.1:${etcd}`},
    bootstrap: {
      dcs: {
        ...{ttl, loop_wait: loopWait, retry_timeout: retryTimeout, maximum_lag_on_failover: 1_048_576},
        // The backup is in the dynamic part, so that a test can slow it down: what a member file says goes before it.
        postgresql: {use_pg_rewind: true, use_slots: true, parameters: PARAMETERS, basebackup: [{checkpoint: 'fast'}]},
        ...dcs,
      },
      initdb: [{encoding: 'UTF8'}, 'no-locale', 'data-checksums', 'no-sync', {'wal-segsize': '1'}],
      pg_hba: ['host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust'],
    },
    postgresql: {
      listen: `127.0.0.1:${port}`,
      connect_address: `127.0.0.1:${port}`,
      data_dir: join(dir, 'data'),
      bin_dir: POSTGRES,
      pgpass: join(dir, 'pgpass'),
      authentication: {
        superuser: {username: 'postgres', password: PASSWORD},
        replication: {username: 'replicator', password: PASSWORD},
      },
      parameters: {unix_socket_directories: ''},
    },
    watchdog: {mode: 'off'},
  };
}

/** How a member is made anew, for `configure`. At 8M a second that takes some seconds; in one turn of Patroni nobody would see it. */
export const backup = (rate?: string): Readonly<Record<string, unknown>> => ({
  postgresql: {basebackup: [{checkpoint: 'fast'}, ...(rate === undefined ? [] : [{'max-rate': rate}])]},
});

const PARAMETERS = {
  max_connections: 30,
  shared_buffers: '16MB',
  wal_keep_size: '64MB',
  wal_retrieve_retry_interval: '100ms',
  wal_receiver_status_interval: '1s',
  dynamic_shared_memory_type: 'mmap',
  autovacuum: 'off',
  fsync: 'off',
  jit: 'off',
};

/** The role and the database of the fleet file. */
async function prepare(leader: PatroniMember): Promise<void> {
  await query(leader.port, `create role regionctl superuser login password '${PASSWORD}'`, 'postgres');
  await query(leader.port, 'create database orders', 'postgres');
  await leader.sql('create table t (x int primary key)');
}

async function query<Row extends pg.QueryResultRow>(port: number, text: string, database = 'orders'): Promise<Row[]> {
  const client = new pg.Client({host: '127.0.0.1', port, user: 'postgres', database, connectionTimeoutMillis: 2000, query_timeout: 5000});
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

async function configure(members: readonly PatroniMember[], patch: object): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${REST_USER}:${REST_PASSWORD}`).toString('base64')}`;
  const headers = {authorization, 'content-type': 'application/json'};
  const asked = members.map(({rest}) =>
    fetch(`${rest}/config`, {method: 'PATCH', headers, body: JSON.stringify(patch), signal: AbortSignal.timeout(5000)}),
  );
  const answers = await Promise.allSettled(asked);
  if (!answers.some((answer) => answer.status === 'fulfilled' && answer.value.ok)) throw new Error('no Patroni took the configuration');
}

type Listed = {readonly name: string; readonly role: string; readonly state: string; readonly lag?: number | string};

/** What each that answers lists: each has a copy of its own. */
async function lists(members: readonly PatroniMember[]): Promise<readonly (readonly Listed[])[]> {
  const answers = await Promise.all(members.map((member) => member.ask('/cluster').catch(() => null)));
  return answers.flatMap((answer) => (answer === null ? [] : [(answer as {members?: readonly Listed[]}).members ?? []]));
}

async function listed(members: readonly PatroniMember[]): Promise<readonly Listed[]> {
  return (await lists(members))[0] ?? [];
}

/** A member that was just started is listed as running before it has said where it stands: until then nobody may switch over to it. */
const isWell = ({role, state, lag}: Listed): boolean =>
  ['running', 'streaming'].includes(state) && (role === 'leader' || typeof lag === 'number');

async function leaderOf(members: readonly PatroniMember[]): Promise<string | null> {
  return (await listed(members)).find(({role, state}) => role === 'leader' && state === 'running')?.name ?? null;
}

/** The server's own word for each link, once a standby has said how far it is: what Patroni says of a state is as old as its last turn. */
async function settled(members: readonly PatroniMember[], ms: number): Promise<string> {
  return eventually(async () => {
    const leader = await leaderOf(members);
    if (leader === null || !(await lists(members)).flat().every(isWell)) return null;
    const streaming =
      "select application_name from pg_stat_replication where state = 'streaming' and replay_lsn is not null and not pg_is_in_recovery()";
    const rows = await memberNamed(members, leader)
      .sql<{application_name: string}>(streaming)
      .catch(() => []);
    return rows.length === members.length - 1 ? leader : null;
  }, ms);
}

function launch(logFile: string, program: string, args: readonly string[]): ChildProcess {
  const log = openSync(logFile, 'a');
  const [command, flags] = ordinary(program, args);
  const child = spawn(command, flags, {cwd: '/', stdio: ['ignore', log, log], env: {PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC'}});
  closeSync(log);
  child.on('error', (error) => writeFileSync(logFile, String(error)));
  return child;
}

/** Not as root. Patroni is told to end when the process that started it does, and stops its server then. */
function ordinary(program: string, args: readonly string[]): [string, string[]] {
  const bound = ['setpriv', '--pdeathsig', 'TERM', program, ...args];
  if (process.getuid?.() !== 0) return ['setpriv', bound.slice(1)];
  return ['unshare', ['--user', '--map-user=1000', '--map-group=1000', ...bound]];
}

/** Looks again until nothing is left: Patroni may have been in the middle of starting its server. */
async function killUntilGone(find: () => readonly number[]): Promise<void> {
  let last: readonly number[] = [];
  await eventually(() => {
    last = [...new Set([...last.filter(isAlive), ...find()])];
    signalAll(last, 'SIGKILL');
    return !last.some(isAlive);
  });
}

const ownPid = (child: ChildProcess): readonly number[] => (isUp(child) && child.pid !== undefined ? [child.pid] : []);

/** The postmaster of a data folder. A number that belongs to another program by now is not its. */
function serverPids(data: string): readonly number[] {
  const file = join(data, 'postmaster.pid');
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : 0;
  return Number.isInteger(pid) && pid > 0 && isAlive(pid) && nameOf(pid).startsWith('postgres') ? [pid] : [];
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

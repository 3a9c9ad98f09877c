import {execFile} from 'node:child_process';
import {appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import type pg from 'pg';
import {POSTGRES_15, startReaper, writeCtl} from './debian-ctl.ts';
import {type Links, openLinks} from './debian-links.ts';
import {eventually, PASSWORD, type Programs, prepareServers, type Server, type Servers} from './embedded.ts';
import {freezeAll, isAlive, signalAll, treeOf} from './process-tree.ts';

/** Why tests of Debian's PostgreSQL 15 are skipped where it is not installed. */
export const noPostgres15: string | null = existsSync(join(POSTGRES_15, 'pg_rewind')) ? null : `no ${POSTGRES_15}`;

const PROGRAMS: Programs = {initdb: join(POSTGRES_15, 'initdb'), postgres: join(POSTGRES_15, 'postgres'), lacks: ['io_method']};

export type DebianOptions = {
  /** The first is the primary; each is the only member in a region of its own name. */
  readonly members: readonly string[];
  /** ANY so many of the others must hold a write; 0 = asynchronous. */
  readonly quorum: number;
  /** Further parts of the fleet file, such as routes. A function is told where each server is to be reached. */
  readonly parts?: string | ((servers: readonly {name: string; host: string; port: number}[]) => string | Promise<string>);
  /** Each way between servers, and from clients to each, leads through a proxy that can delay or cut it. Default: none does. */
  readonly links?: boolean;
  /** Each standby has a replication slot at its upstream. Default true. */
  readonly slots?: boolean;
  /** Settings of all servers, over those of the lab. */
  readonly settings?: Readonly<Record<string, string>>;
};

/**
 * PostgreSQL 15 run by hand, each server controlled by a script as over ssh, with a fleet file for the built program. `regionctl` and
 * `replicator` have scram passwords; `app` and `postgres` are let in without. `end` stops every server by pid and removes everything.
 */
export type DebianFleet = {
  readonly dir: string;
  readonly fleetFile: string;
  readonly stateDir: string;
  readonly servers: Readonly<Record<string, DebianServer>>;
  /** Throws unless the fleet was started with `links`. */
  readonly links: Links;
  /** To the server's own port, past every proxy. */
  connect(name: string, options?: pg.ClientConfig): Promise<pg.Client>;
  kill(name: string): Promise<void>;
  /** The whole machine stops where it is: its server, and whoever controls it. */
  freeze(name: string): void;
  thaw(name: string): void;
  /** Started as its data says: a former primary as a primary. */
  restart(name: string): Promise<void>;
  /** Nobody reaches the machine, and it reaches nobody; its server goes on. Needs `links`. */
  partition(name: string): void;
  heal(name: string): void;
  end(): Promise<void>;
};

/** One server that pg_ctl starts: whoever holds its pid may signal it. */
export type DebianServer = {
  readonly name: string;
  readonly port: number;
  readonly dir: string;
  connect(options?: pg.ClientConfig): Promise<pg.Client>;
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** What its operator can do on the machine itself. */
  ctl(...args: readonly string[]): Promise<void>;
  /** SIGKILL of all of its processes at once, the postmaster first. Resolves when they are gone. */
  kill(): Promise<void>;
  running(): boolean;
};

type Harness = {readonly started: Servers; readonly script: string; readonly links: Links | null; readonly options: DebianOptions};

/** Starts it. */
export async function startDebianFleet(options: DebianOptions): Promise<DebianFleet> {
  const started = await prepareServers(options.members, PROGRAMS);
  const {dir, all} = started;
  const reaper = startReaper(dir);
  let links: Links | null = null;
  const servers: Record<string, DebianServer> = {};
  const end = async (): Promise<void> => {
    for (const server of Object.values(servers)) await server.kill();
    await links?.end();
    await started.end();
    await reaper.end();
  };
  try {
    const script = writeCtl(dir, {slots: options.slots ?? true});
    for (const server of all) servers[server.name] = byHand(server, script);
    if (options.links === true) links = await openLinks(Object.fromEntries(all.map(({name, port}) => [name, port])));
    const harness: Harness = {started, script, links, options};
    await handOver(harness, servers);
    const fleetFile = join(dir, 'regionctl.yaml');
    writeFileSync(join(dir, 'password'), PASSWORD, {mode: 0o600});
    writeFileSync(fleetFile, `${fleetText(harness)}${await partsOf(harness)}\n`);
    const stateDir = join(dir, 'state');
    mkdirSync(stateDir, {mode: 0o700});
    return {
      ...{dir, fleetFile, stateDir, servers, end},
      ...controls(servers, links),
      get links() {
        return opened(links);
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

function controls(servers: Readonly<Record<string, DebianServer>>, links: Links | null) {
  const find = (name: string): DebianServer => {
    const server = servers[name];
    if (server === undefined) throw new Error(`no server ${name}`);
    return server;
  };
  const cut = (name: string): void => writeFileSync(`${find(name).dir}.cut`, '');
  const mend = (name: string): void => rmSync(`${find(name).dir}.cut`, {force: true});
  return {
    connect: (name: string, options?: pg.ClientConfig) => find(name).connect(options),
    kill: (name: string) => find(name).kill(),
    restart: (name: string) => find(name).ctl('start'),
    freeze(name: string) {
      cut(name);
      freezeAll(() => processesOf(find(name).dir));
    },
    thaw(name: string) {
      signalAll(processesOf(find(name).dir).toReversed(), 'SIGCONT');
      mend(name);
    },
    partition(name: string) {
      opened(links).cut(name);
      cut(name);
    },
    heal(name: string) {
      mend(name);
      links?.clear(name);
    },
  };
}

function opened(links: Links | null): Links {
  if (links === null) throw new Error('the fleet was started without links');
  return links;
}

/** The servers are nobody's children: they are started and stopped as on a machine of their own. */
async function handOver(harness: Harness, servers: Readonly<Record<string, DebianServer>>): Promise<void> {
  const {all} = harness.started;
  const [primary, ...standbys] = all;
  if (primary === undefined) throw new Error('a fleet has a primary at least');
  const passfile = passfileOf(harness);
  writeFileSync(passfile, `*:*:*:replicator:${PASSWORD}\n*:*:*:regionctl:${PASSWORD}\n`, {mode: 0o600});
  for (const server of all) configure(harness, server);
  await servers[primary.name]?.ctl('start');
  for (const {name} of standbys) {
    if (harness.options.slots ?? true)
      await primary.sql('select pg_create_physical_replication_slot($1, true)', [name.replaceAll('-', '_')]);
    const [host, port] = ['127.0.0.1', String(wayPort(harness, name, primary))];
    await servers[name]?.ctl('standby', name, host, port, 'replicator', passfile);
  }
  await eventually(async () => {
    const [row] = await primary.sql<{n: number}>(`select count(*)::int as n from pg_stat_replication where state = 'streaming'`);
    return row?.n === standbys.length;
  }, 20_000);
}

function configure({started, options}: Harness, {name, dir}: Server): void {
  const others = started.all.map((each) => each.name).filter((other) => other !== name);
  const rule = options.quorum === 0 ? '' : `ANY ${options.quorum} (${others.map((other) => `"${other}"`).join(', ')})`;
  const settings = {synchronous_standby_names: rule, wal_log_hints: 'on', hot_standby_feedback: 'off', ...options.settings};
  writeFileSync(
    join(dir, 'by-hand.conf'),
    Object.entries(settings)
      .map(([key, value]) => `${key} = '${value}'\n`)
      .join(''),
  );
  appendFileSync(join(dir, 'postgresql.conf'), `\ninclude 'by-hand.conf'\n`);
  writeFileSync(
    join(dir, 'pg_hba.conf'),
    `# by hand
host all         regionctl  127.0.0.1/32 scram-sha-256
host replication replicator 127.0.0.1/32 scram-sha-256
host all         all        127.0.0.1/32 trust
`,
  );
}

function fleetText(harness: Harness): string {
  const {started, script, links, options} = harness;
  const {all} = started;
  const names = all.map(({name}) => name);
  const access = ({name, port}: Server): number => links?.accessPort(name) ?? port;
  const host = (server: Server): string => {
    const command = (...args: readonly string[]) => JSON.stringify([script, server.dir, String(server.port), ...args]);
    const upstream = ['{member}', '{upstream.host}', '{upstream.port}', '{user}', '{passfile}'];
    return `{kind: exec, status: ${command('status')}, stop: ${command('stop')}, start: ${command('start')}, startAsStandby: ${command('standby', ...upstream)}, rebuild: ${command('rebuild', ...upstream)}, rewind: ${command('rewind', ...upstream)}}`;
  };
  const upstreams = (server: Server): string =>
    links === null
      ? ''
      : `upstreams: {${all
          .filter((other) => other !== server)
          .map((other) => `${other.name}: "127.0.0.1:${wayPort(harness, server.name, other)}"`)
          .join(', ')}}, `;
  const region = (server: Server): string =>
    `  ${server.name}: {jurisdiction: EU, failoverOrder: [${names.filter((other) => other !== server.name).join(', ')}], endpoints: {postgres: {probe: tcp, host: 127.0.0.1, port: ${access(server)}, critical: true}}}`;
  const member = (server: Server): string =>
    `      ${server.name}: {region: ${server.name}, address: "127.0.0.1:${access(server)}", ${upstreams(server)}replicationPassfile: ${passfileOf(harness)}, host: ${host(server)}}`;
  return `version: 1
fleet: by-hand
regions:
${all.map(region).join('\n')}
stores:
  orders:
    engine: postgres
    database: orders
    user: regionctl
    password: "\${file:password}"
    replicationUser: replicator
    quorum: ${options.quorum}
    dataClasses: [user-content]
    members:
${all.map(member).join('\n')}
services: {checkout: {class: critical, rto: 15m, stores: [orders]}}
dataClasses: {user-content: {rpo: ${options.quorum === 0 ? '5m' : '0s'}}}
state: {dir: state}
`;
}

async function partsOf({started, links, options}: Harness): Promise<string> {
  const {parts = ''} = options;
  if (typeof parts === 'string') return parts;
  return parts(started.all.map(({name, port}) => ({name, host: '127.0.0.1', port: links?.accessPort(name) ?? port})));
}

const wayPort = ({links}: Harness, standby: string, upstream: Server): number =>
  links?.replicationPort(standby, upstream.name) ?? upstream.port;

const passfileOf = ({started}: Harness): string => join(started.dir, 'pgpass');

function byHand(server: Server, script: string): DebianServer {
  const {name, port, dir, connect, sql} = server;
  const running = (): boolean => processesOf(dir).length > 0;
  return {
    ...{name, port, dir, connect, sql, running},
    ctl: async (...args) => {
      const env = {...process.env, CTL_ON_THE_MACHINE: 'yes'};
      await promisify(execFile)(script, [dir, String(port), ...args], {env});
    },
    kill: async () => {
      const processes = processesOf(dir);
      signalAll(processes, 'SIGKILL');
      await eventually(() => !processes.some(isAlive));
    },
  };
}

/** The postmaster and all that it has started; empty when it does not run. Its pid may belong to somebody else by now. */
function processesOf(dir: string): readonly number[] {
  try {
    const pid = Number(readFileSync(join(dir, 'postmaster.pid'), 'utf8').split('\n')[0]);
    return isAlive(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${dir}\0`) ? treeOf([pid]) : [];
  } catch {
    return [];
  }
}

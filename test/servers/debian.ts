import {execFile} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import type pg from 'pg';
import {eventually, PASSWORD, type Programs, type Server, type Servers, startServers} from './embedded.ts';

/** Debian's PostgreSQL 15, and why tests of it are skipped where it is not installed. */
export const POSTGRES_15 = '/usr/lib/postgresql/15/bin';
export const noPostgres15: string | null = existsSync(join(POSTGRES_15, 'pg_rewind')) ? null : `no ${POSTGRES_15}`;

const PROGRAMS: Programs = {initdb: join(POSTGRES_15, 'initdb'), postgres: join(POSTGRES_15, 'postgres'), lacks: ['io_method']};

export type DebianOptions = {
  /** The first is the primary; each is the only member in a region of its own name. */
  readonly members: readonly string[];
  /** ANY so many of the others must hold a write; 0 = asynchronous. */
  readonly quorum: number;
  /** Further parts of the fleet file, such as routes. */
  readonly parts?: string;
};

/** PostgreSQL 15 run by hand, each server controlled by a script as over ssh, with a fleet file for the built program. */
export type DebianFleet = {
  readonly fleetFile: string;
  readonly stateDir: string;
  readonly servers: Readonly<Record<string, DebianServer>>;
  end(): Promise<void>;
};

/** One server that pg_ctl starts: whoever holds its pid may signal it. */
export type DebianServer = {
  readonly name: string;
  readonly port: number;
  connect(options?: pg.ClientConfig): Promise<pg.Client>;
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  ctl(...args: readonly string[]): Promise<void>;
  /** SIGKILL of the postmaster; its children end with it. Resolves when the server is gone. */
  kill(): Promise<void>;
  running(): boolean;
};

/** Starts it. `end` stops every server by pid and removes everything. */
export async function startDebianFleet({members, quorum, parts = ''}: DebianOptions): Promise<DebianFleet> {
  const started = await startServers(members, PROGRAMS);
  const script = writeScript(started.dir);
  const servers = Object.fromEntries(started.all.map((server) => [server.name, byHand(server, script)]));
  const stateDir = join(started.dir, 'state');
  const end = async (): Promise<void> => {
    for (const server of Object.values(servers)) if (server.running()) await server.kill();
    await started.end();
  };
  try {
    await handOver(started, servers, quorum);
    const fleetFile = join(started.dir, 'regionctl.yaml');
    writeFileSync(join(started.dir, 'password'), PASSWORD, {mode: 0o600});
    writeFileSync(fleetFile, `${fleetText(started.all, script, quorum)}${parts}\n`);
    mkdirSync(stateDir, {mode: 0o700});
    return {fleetFile, stateDir, servers, end};
  } catch (error) {
    await end();
    throw error;
  }
}

/** From here on the servers are nobody's children: they are started and stopped as on a machine of their own. */
async function handOver({all}: Servers, servers: Readonly<Record<string, DebianServer>>, quorum: number): Promise<void> {
  const names = all.map(({name}) => name);
  for (const server of all.toReversed()) await server.stop();
  for (const {name, dir} of all) {
    const others = names.filter((other) => other !== name);
    const rule = quorum === 0 ? '' : `ANY ${quorum} (${others.map((other) => `"${other}"`).join(', ')})`;
    writeFileSync(join(dir, 'by-hand.conf'), `synchronous_standby_names = '${rule}'\nwal_log_hints = on\nhot_standby_feedback = off\n`);
    writeFileSync(join(dir, 'postgresql.conf'), `${readFileSync(join(dir, 'postgresql.conf'), 'utf8')}\ninclude 'by-hand.conf'\n`);
    await servers[name]?.ctl('start');
  }
  const [primary] = all;
  await eventually(async () => {
    const rows = await servers[primary?.name ?? '']?.sql<{n: number}>('select count(*)::int as n from pg_stat_replication');
    return rows?.[0]?.n === all.length - 1;
  }, 20_000);
}

function fleetText(all: readonly Server[], script: string, quorum: number): string {
  const names = all.map(({name}) => name);
  const host = (server: Server): string => {
    const command = (...args: readonly string[]) => JSON.stringify([script, server.dir, String(server.port), ...args]);
    const upstream = ['{member}', '{upstream.host}', '{upstream.port}'];
    return `{kind: exec, status: ${command('status')}, stop: ${command('stop')}, start: ${command('start')}, startAsStandby: ${command('standby', ...upstream)}, rebuild: ${command('rebuild', ...upstream)}, rewind: ${command('rewind', ...upstream)}}`;
  };
  return `version: 1
fleet: by-hand
regions:
${names.map((name) => `  ${name}: {jurisdiction: EU, failoverOrder: [${names.filter((other) => other !== name).join(', ')}], endpoints: {postgres: {probe: tcp, host: 127.0.0.1, port: ${all.find((server) => server.name === name)?.port}, critical: true}}}`).join('\n')}
stores:
  orders:
    engine: postgres
    database: orders
    user: regionctl
    password: "\${file:password}"
    replicationUser: replicator
    quorum: ${quorum}
    dataClasses: [user-content]
    members:
${all.map((server) => `      ${server.name}: {region: ${server.name}, address: "127.0.0.1:${server.port}", host: ${host(server)}}`).join('\n')}
services: {checkout: {class: critical, rto: 15m, stores: [orders]}}
dataClasses: {user-content: {rpo: ${quorum === 0 ? '5m' : '0s'}}}
state: {dir: state}
`;
}

function byHand(server: Server, script: string): DebianServer {
  const pid = (): number | null => {
    try {
      return Number(readFileSync(join(server.dir, 'postmaster.pid'), 'utf8').split('\n')[0]);
    } catch {
      return null;
    }
  };
  const running = (): boolean => {
    const now = pid();
    return now !== null && isPostgres(now, server.dir);
  };
  return {
    name: server.name,
    port: server.port,
    connect: server.connect,
    sql: server.sql,
    running,
    ctl: async (...args) => void (await promisify(execFile)(script, [server.dir, String(server.port), ...args])),
    kill: async () => {
      const now = pid();
      if (now !== null && running()) process.kill(now, 'SIGKILL');
      await eventually(() => !running());
    },
  };
}

/** The pid may belong to somebody else by now. */
function isPostgres(pid: number, dir: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const dead = stat[stat.lastIndexOf(')') + 2] === 'Z';
    return !dead && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dir);
  } catch {
    return false;
  }
}

/** What an operator has on each machine: pg_ctl, pg_basebackup and pg_rewind behind a few words. Exit code 4 of `rewind`: the data does not allow it. */
function writeScript(dir: string): string {
  const file = join(dir, 'ctl');
  const roles = `user=replicator password=${PASSWORD}`;
  writeFileSync(
    file,
    `#!/bin/sh
set -eu
dir=$1 port=$2 word=$3 name=\${4:-} host=\${5:-} upstream=\${6:-}
bin=${POSTGRES_15}
export TZ=UTC LC_ALL=C
cd /
[ "$(id -u)" -ne 0 ] || exec unshare --user --map-user=1000 --map-group=1000 "$0" "$@"
# A killed server whose zombie nobody reaps still has its pid: pg_ctl would take it for running.
runs() {
  pid=$(head -n 1 "$dir/postmaster.pid" 2>/dev/null) || return 1
  state=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c 1)
  [ -n "$state" ] && [ "$state" != Z ]
}
start() { rm -f "$dir/postmaster.pid"; "$bin/pg_ctl" -D "$dir" -o "-p $port" -l "$dir.log" -w -s start </dev/null; }
follow() {
  : >"$dir/standby.signal"
  if [ -n "$upstream" ]; then conninfo="host=$host port=$upstream user=replicator application_name=$name"; else conninfo=; fi
  printf "primary_conninfo = '%s'\\n" "$conninfo" >"$dir/postgresql.auto.conf"
  runs || start
}
stop() { runs || return 0; "$bin/pg_ctl" -D "$dir" -m fast -w -s stop; }
case $word in
  status) runs || exit 3 ;;
  stop) stop ;;
  start) runs || start ;;
  standby) follow ;;
  rebuild)
    stop
    rm -rf "$dir.new"
    "$bin/pg_basebackup" -D "$dir.new" -d "host=$host port=$upstream ${roles}" -c fast -X stream
    rm -rf "$dir" && mv "$dir.new" "$dir"
    echo "bytes=$(du -sb "$dir" | cut -f1)"
    follow ;;
  rewind)
    stop
    "$bin/pg_rewind" -D "$dir" --source-server="host=$host port=$upstream user=regionctl password=${PASSWORD} dbname=postgres" >"$dir.rewind" 2>&1 || { tail -n 1 "$dir.rewind"; exit 4; }
    follow ;;
  *) echo "unknown word $word"; exit 2 ;;
esac
`,
  );
  chmodSync(file, 0o755);
  return file;
}

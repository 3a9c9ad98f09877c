// Servers for bench/consistency.ts: PostgreSQL 15 of Debian, each with a table of so many rows, the second and third with 100 scattered differences.
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {POSTGRES_15} from '../test/servers/debian-ctl.ts';
import {PASSWORD, type Programs, prepareServers, type Server, type Servers} from '../test/servers/embedded.ts';

const PROGRAMS: Programs = {initdb: join(POSTGRES_15, 'initdb'), postgres: join(POSTGRES_15, 'postgres'), lacks: ['io_method']};

/** About 216 bytes a row as text, as the measurements of the peers were made with. */
const TABLE = `create table t (id bigint primary key, customer uuid not null, amount numeric(12,2) not null, status text not null, payload jsonb not null,
  updated_at timestamptz not null)`;

const ROWS = `insert into t select g, md5(g::text)::uuid, (g % 1000000) / 100.0 + 0.01, (array['new', 'paid', 'shipped', 'cancelled'])[1 + g % 4],
  jsonb_build_object('sku', 'SKU-' || (g % 5000), 'qty', g % 17, 'note', substr(md5((g * 7)::text), 1, 24), 'price', (g % 9999) / 100.0),
  timestamptz '2026-01-01' + g * interval '1.000001 second' from generate_series(1, $1) g`;

/** 40 changed in four ways, one of them a microsecond; 30 deleted, 30 more. Scattered over the whole table. */
const DIFFERENCES = [
  'update t set amount = amount + 0.01 where id in (select 1 + g * $1 / 11 from generate_series(1, 10) g)',
  `update t set updated_at = updated_at + interval '1 microsecond' where id in (select 2 + g * $1 / 12 from generate_series(1, 10) g)`,
  `update t set status = status || ' ' where id in (select 3 + g * $1 / 13 from generate_series(1, 10) g)`,
  `update t set payload = payload || '{"qty": 99}' where id in (select 4 + g * $1 / 14 from generate_series(1, 10) g)`,
  'delete from t where id in (select 5 + g * $1 / 31 from generate_series(1, 30) g)',
  `insert into t select $1 + g * 7, md5(g::text)::uuid, 1, 'new', '{}', now() from generate_series(1, 30) g`,
];

export type BenchServers = {
  readonly all: readonly Server[];
  readonly rows: number;
  /** A fleet file over the first `count` of them, each at the port that `portOf` gives. */
  fleet(count: number, portOf?: (server: Server) => number): string;
  /** CPU seconds that a server has used, its ended backends included. */
  cpu(server: Server): number;
  url(server: Server): string;
  end(): Promise<void>;
};

/** Starts three servers that are no standbys of each other, on a disk as servers are: what a peer writes to do its work is part of its cost. */
export async function startBenchServers(rows: number): Promise<BenchServers> {
  const folder = mkdtempSync(join(tmpdir(), 'regionctl-bench-'));
  const each: Servers[] = [];
  const end = async (): Promise<void> => {
    for (const servers of each) await servers.end();
    rmSync(folder, {recursive: true, force: true});
  };
  try {
    for (const name of ['one', 'two', 'three']) each.push(await startOne(name, rows));
  } catch (error) {
    await end();
    throw error;
  }
  const all = each.flatMap((servers) => servers.all);
  return {
    ...{all, rows, end},
    fleet: (count, portOf = ({port}) => port) => {
      const dir = mkdtempSync(join(folder, 'fleet-'));
      const file = join(dir, 'regionctl.yaml');
      writeFileSync(join(dir, 'password'), PASSWORD, {mode: 0o600});
      writeFileSync(file, fleetText(all.slice(0, count), portOf));
      return file;
    },
    cpu: cpuOf,
    url: ({port}) => `pgsql://regionctl:${PASSWORD}@127.0.0.1:${port}/orders/t`,
  };
}

async function startOne(name: string, rows: number): Promise<Servers> {
  const servers = await prepareServers([name], PROGRAMS, tmpdir());
  const [server] = servers.all;
  if (server === undefined) throw new Error('no server');
  writeFileSync(
    join(server.dir, 'postgresql.auto.conf'),
    "shared_buffers = '256MB'\nmax_wal_size = '8GB'\nwal_level = 'replica'\nfsync = on\n",
  );
  await server.start();
  await server.sql('create extension pgcmp');
  await server.sql(TABLE);
  await server.sql(ROWS, [rows]);
  if (name !== 'one') for (const text of DIFFERENCES) await server.sql(text, [rows]);
  await server.sql('vacuum analyze t');
  await server.sql('checkpoint');
  return servers;
}

function fleetText(servers: readonly Server[], portOf: (server: Server) => number): string {
  const regions = servers.map(({name}) => `  ${name}: {jurisdiction: EU}`).join('\n');
  const members = servers
    .map((server) => `      ${server.name}: {region: ${server.name}, address: "127.0.0.1:${portOf(server)}"}`)
    .join('\n');
  const login = `database: orders\n    user: regionctl\n    password: "\${file:password}"\n    replicationUser: replicator`;
  return `version: 1\nfleet: bench\nregions:\n${regions}\nstores:\n  orders:\n    engine: postgres\n    ${login}\n    members:\n${members}\nstate: {kind: sqlite, dir: state}\n`;
}

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], {encoding: 'utf8'}));

/** The postmaster's own, what its ended children have used, and what those that run use. */
function cpuOf({dir}: Server): number {
  const postmaster = Number(readFileSync(join(dir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const fields = (pid: number): readonly number[] => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
  };
  // Of the fields after the name: 1 the parent, 11 and 12 its own time, 13 and 14 that of its ended children.
  const [own, ended] = [fields(postmaster), (fields(postmaster)[13] ?? 0) + (fields(postmaster)[14] ?? 0)];
  let ticks = (own[11] ?? 0) + (own[12] ?? 0) + ended;
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = fields(Number(entry));
      if (stat[1] === postmaster) ticks += (stat[11] ?? 0) + (stat[12] ?? 0);
    } catch {
      // It ended meanwhile.
    }
  }
  return ticks / TICKS;
}

// Failover and switchover of PostgreSQL run by hand (Debian's PostgreSQL 15), as a client sees them: a write every 5 ms over one connection, on an
// error a new one to whichever server takes writes, and the longest time between two acknowledgements. By hand = what a person could do at best:
// the default made read-only, sessions ended, the standby drained, pg_promote. Ratios in one run, medians of 5.
import {execFile, spawn} from 'node:child_process';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {promisify} from 'node:util';
import {type DebianFleet, type DebianServer, noPostgres15, startDebianFleet} from '../test/servers/debian.ts';
import {eventually} from '../test/servers/embedded.ts';
import {noPatroni, type PatroniCluster, SCOPE, startPatroni} from '../test/servers/patroni.ts';
import {Client} from './client.ts';
import {createReport} from './report.ts';
import {median} from './timing.ts';

const ROOT = join(import.meta.dirname, '..');
const REGIONCTL = join(ROOT, 'bin/regionctl');
const RUNS = 5;
const TABLE = 'create table if not exists bench (id bigint primary key, run text not null)';
const {add, keep} = createReport('failover');

if (noPostgres15 !== null) {
  console.error(`Not run: ${noPostgres15}. test/servers/install installs it.`);
  process.exit(1);
}
const ours = await switchovers();
await byPatronictl(ours);
await kills(1);
await kills(0);
keep();

async function watched(fleet: DebianFleet, move: () => Promise<void>): Promise<Client> {
  const client = new Client(Object.values(fleet.servers));
  await sleep(500);
  await move();
  await sleep(500);
  await client.stop();
  return client;
}

/** A two-node pair: by hand and by regionctl in turn, so that whatever else the machine does falls on both. */
async function switchovers(): Promise<number> {
  const byHand: number[] = [];
  const ours: number[] = [];
  const commands: number[] = [];
  const fleet = await startDebianFleet({members: ['one', 'two'], quorum: 0});
  try {
    await prepare(fleet, 'one');
    let [from, to] = ['one', 'two'];
    for (let run = 0; run < RUNS; run++) {
      const hand = await watched(fleet, () => handRun(server(fleet, from), server(fleet, to)));
      byHand.push(hand.longestGap());
      await follow(fleet, from, to);
      [from, to] = [to, from];
      const own = await watched(fleet, async () => {
        commands.push(await regionctl(fleet, 0, 'switchover', 'run', '--from', from, '--to', to, '--yes', '--json'));
      });
      ours.push(own.longestGap());
      [from, to] = [to, from];
    }
  } finally {
    await fleet.end();
  }
  const ratio = median(ours) / median(byHand);
  add('planned switchover: gap, by regionctl to by hand', '<= 2 times', ratio, 'times', ratio <= 2, {
    ms: round(ours),
    byHandMs: round(byHand),
  });
  add('planned switchover: the whole command', '<= 2400 ms', median(commands), 'ms', median(commands) <= 2400, round(commands));
  return median(ours);
}

/** The same pair and the same client, run by Patroni and moved by its own tool. */
async function byPatronictl(ourMs: number): Promise<void> {
  if (noPatroni !== null) throw new Error(`patronictl cannot be measured: ${noPatroni}`);
  const gaps: number[] = [];
  const cluster = await startPatroni({names: ['one', 'two']});
  try {
    await eventually(() =>
      cluster
        .member('one')
        .sql('create role app superuser login')
        .then(() => true),
    );
    await cluster.member('one').sql(TABLE);
    for (let run = 0; run < RUNS; run++) {
      const from = await cluster.settled();
      const to = from === 'one' ? 'two' : 'one';
      const client = new Client(cluster.members);
      await sleep(500);
      await patronictl(cluster, from, to);
      // The command may end before the new leader takes writes.
      await eventually(async () => (client.firstAfter(performance.now() - 100) ?? 0) > 0 && (await cluster.settled()) === to, 60_000);
      await client.stop();
      gaps.push(client.longestGap());
    }
  } finally {
    await cluster.end();
  }
  const ratio = ourMs / median(gaps);
  const detail = {byPatronictlMs: round(gaps), oursMs: Math.round(ourMs)};
  add('planned switchover: gap, by regionctl to by patronictl', '<= 0.25 times', ratio, 'times', ratio <= 0.25, detail);
}

async function patronictl(cluster: PatroniCluster, from: string, to: string): Promise<void> {
  const config = join(cluster.member(from).dir, 'patroni.json');
  const args = ['-c', config, 'switchover', SCOPE, '--leader', from, '--candidate', to, '--force'];
  await promisify(execFile)('patronictl', args, {cwd: '/'});
}

/** The primary's postmaster is killed, and regionctl started at the same moment. */
async function kills(quorum: number): Promise<void> {
  const firsts: number[] = [];
  const told: (number | null)[] = [];
  let lost = 0;
  for (let run = 0; run < RUNS; run++) {
    const fleet = await startDebianFleet({members: ['one', 'two', 'three'], quorum});
    try {
      await prepare(fleet, 'one');
      await regionctl(fleet, 0, 'status', '--json');
      let killedAt = 0;
      const client = await watched(fleet, async () => {
        await server(fleet, 'one').kill();
        killedAt = performance.now();
        const passed = quorum === 0 ? ['--override', 'loss', '--reason', 'the bench'] : [];
        await regionctl(fleet, 1, 'failover', 'run', '--yes', '--no-guard', '--json', ...passed);
      });
      firsts.push((client.firstAfter(killedAt) ?? Number.NaN) - killedAt);
      const rows = await server(fleet, 'two').sql<{id: string}>('select id::text from bench');
      const there = new Set(rows.map(({id}) => Number(id)));
      const missing = [...client.acknowledged.keys()].filter((id) => !there.has(id)).length;
      lost += missing;
      told.push(missing);
    } finally {
      await fleet.end();
    }
  }
  const ms = median(firsts);
  const detail = {firstWriteMs: round(firsts), lostAcknowledgedWrites: told};
  if (quorum > 0)
    add('kill -9, quorum: first acknowledged write after the kill', '<= 1000 ms, 0 lost', ms, 'ms', ms <= 1000 && lost === 0, detail);
  else add('kill -9, asynchronous: first acknowledged write after the kill', '<= 1000 ms', ms, 'ms', ms <= 1000, detail);
}

async function prepare(fleet: DebianFleet, primary: string): Promise<void> {
  await server(fleet, primary).sql(TABLE);
  await server(fleet, primary).sql('alter table bench owner to app');
}

/** MEASURED.md part 2, "by hand": read-only, sessions ended, drained, promoted. */
async function handRun(from: DebianServer, to: DebianServer): Promise<void> {
  const [old, next] = await Promise.all([from.connect(), to.connect()]);
  await old.query('alter system set default_transaction_read_only = on');
  await old.query('select pg_reload_conf()');
  await old.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
  );
  const {rows} = await old.query<{lsn: string}>('select pg_current_wal_lsn()::text as lsn');
  while (!(await next.query('select pg_last_wal_replay_lsn() >= $1::pg_lsn as there', [rows[0]?.lsn])).rows[0].there) await sleep(1);
  await next.query('select pg_promote(false)');
  await Promise.all([old.end(), next.end()]);
}

/** What was promoted by hand needs its old primary back, before the next run. */
async function follow(fleet: DebianFleet, from: string, to: string): Promise<void> {
  const [old, now] = [server(fleet, from), server(fleet, to)];
  await old.ctl('stop');
  await now.sql('checkpoint');
  await old.ctl('rewind', from, '127.0.0.1', String(now.port));
  for (let tries = 0; tries < 200; tries++) {
    const [row] = await now.sql<{n: number}>(`select count(*)::int as n from pg_stat_replication where state = 'streaming'`);
    if (row?.n === 1) return;
    await sleep(50);
  }
  throw new Error(`${from} does not follow ${to}`);
}

function server(fleet: DebianFleet, name: string): DebianServer {
  const found = fleet.servers[name];
  if (found === undefined) throw new Error(`no server ${name}`);
  return found;
}

/** Answers how long the command took, in ms. */
function regionctl(fleet: DebianFleet, code: number, ...args: readonly string[]): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(REGIONCTL, [...args, '--fleet', fleet.fleetFile], {stdio: ['ignore', 'pipe', 'pipe']});
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
    child.on('close', (ended) =>
      ended === code
        ? resolve(performance.now() - started)
        : reject(new Error(`regionctl ${args.join(' ')} exited with ${ended}: ${text.slice(-3000)}`)),
    );
  });
}

function round(values: readonly number[]): number[] {
  return values.map((value) => Math.round(value * 10) / 10);
}

// The speed of audits as issue 7 asks for it: against pg_comparator on the same servers in one run, with and without a way of 40 ms, in quick mode, and on
// three regions. Needs Debian's postgresql-15 and postgresql-comparator. `node bench/consistency.ts [ROWS…]`, default 1000000 10000000; kept in
// bench/results/consistency.json.
import {execFileSync, spawnSync} from 'node:child_process';
import {loadavg} from 'node:os';
import {setTimeout as sleep} from 'node:timers/promises';
import {CLEAR, FaultyProxy} from '../src/lab/faulty-proxy.ts';
import {freePort, type Server} from '../test/servers/embedded.ts';
import {type BenchServers, startBenchServers} from './consistency-servers.ts';
import {REGIONCTL} from './lab.ts';
import {createReport, type Report} from './report.ts';
import {median} from './timing.ts';

const ROUNDS = 5;
const WAY_MS = 40;
const DIFFERENT = 100;

const asked = process.argv.slice(2).map(Number);
const sizes = asked.length === 0 ? [1_000_000, 10_000_000] : asked;
const report = createReport('consistency');
console.log(`Load of this machine before: ${loadavg()[0]?.toFixed(2)}`);
for (const rows of sizes) {
  const servers = await startBenchServers(rows);
  try {
    await measure(servers, report);
  } finally {
    await servers.end();
  }
}
if (asked.length === 0) report.keep();

/** One run of a program: wall seconds, CPU seconds of each server, and what the client itself used. */
type Run = {
  readonly wallS: number;
  readonly serverCpuS: readonly number[];
  readonly clientCpuS: number;
  readonly clientRssMb: number;
  readonly keys: readonly string[];
  readonly bytes: number;
};

async function measure(servers: BenchServers, into: Report): Promise<void> {
  const {rows} = servers;
  const size = `${rows / 1e6} M rows`;
  const fleet = servers.fleet(2);
  const peers: Run[] = [];
  const ours: Run[] = [];
  // In turn, so that both meet what the machine does besides.
  for (let round = 0; round < ROUNDS; round++) {
    peers.push(comparator(servers));
    ours.push(audit(servers, fleet, 2));
  }
  const wall = (runs: readonly Run[]): number => median(runs.map(({wallS}) => wallS));
  // Of the two servers that all runs read.
  const cpu = (runs: readonly Run[]): number => median(runs.map(({serverCpuS: [one = 0, two = 0]}) => (one + two) / 2));
  const least = rows >= 5_000_000 ? 0.4 : 0.7;
  const ratio = wall(ours) / wall(peers);
  into.add(`${size}: wall, times pg_comparator's, median of ${ROUNDS}`, `<= ${least}`, ratio, 'x', ratio <= least, {ours, peers});
  const cpuRatio = cpu(ours) / cpu(peers);
  into.add(`${size}: CPU of a server, times that for pg_comparator`, '<= 0.55', cpuRatio, 'x', cpuRatio <= 0.55, {
    ours: cpu(ours),
    peers: cpu(peers),
  });
  const mb = median(ours.map(({bytes}) => bytes)) / 2 / 1e6 / (rows / 1e6);
  into.add(`${size}: moved per region and million rows`, '<= 1.5', mb, 'MB', mb <= 1.5, null);
  const rss = Math.max(...ours.map(({clientRssMb}) => clientRssMb));
  into.add(`${size}: memory of the client, most of ${ROUNDS}`, '< 150', rss, 'MB', rss < 150, null);
  const same = ours.every(({keys}) => JSON.stringify(keys) === JSON.stringify(expected(rows)));
  into.add(`${size}: exactly the differing keys, in ${ROUNDS} of ${ROUNDS}`, `${DIFFERENT}`, same ? DIFFERENT : 0, 'keys', same, null);
  const quick = Array.from({length: ROUNDS}, () => audit(servers, fleet, 2, '--quick'));
  const share = cpu(quick) / cpu(ours);
  into.add(`${size}: --quick, CPU of a server, times that of a full audit`, '<= 0.35', share, 'x', share <= 0.35, quick);
  const three = servers.fleet(3);
  const all: Run[] = [];
  const two: Run[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    two.push(audit(servers, fleet, 2));
    all.push(audit(servers, three, 3));
  }
  const more = cpu(all) / cpu(two);
  into.add(
    `${size}: three regions, CPU of a server, times that with two`,
    '<= 1.05',
    more,
    'x',
    more <= 1.05,
    [all, two].map((runs) => runs.map(({serverCpuS, wallS}) => ({serverCpuS, wallS}))),
  );
  if (rows <= 1_000_000) await measureFar(servers, ours, into);
}

/** The same with 40 ms each way between us and the servers. */
async function measureFar(servers: BenchServers, near: readonly Run[], into: Report): Promise<void> {
  const [one, two] = servers.all;
  if (one === undefined || two === undefined) throw new Error('two servers are needed');
  const proxies = new Map<Server, {port: number; proxy: FaultyProxy}>();
  for (const server of [one, two]) {
    const proxy = new FaultyProxy(server.port);
    const port = await freePort();
    await proxy.listen({listen: (own: import('node:net').Server) => listenOn(own, port)} as never);
    proxy.reshape({...CLEAR, latencyMs: WAY_MS});
    proxies.set(server, {port, proxy});
  }
  try {
    const fleet = servers.fleet(2, (server) => proxies.get(server)?.port ?? server.port);
    const far: number[] = [];
    for (let round = 0; round < ROUNDS; round++) far.push(await wallOf(fleet));
    const more = median(far) - median(near.map(({wallS}) => wallS));
    into.add(`${servers.rows / 1e6} M rows: ${WAY_MS} ms each way, more than without`, '<= 2.5', more, 's', more <= 2.5, far);
  } finally {
    for (const {proxy} of proxies.values()) await proxy.close();
  }
}

function listenOn(server: import('node:net').Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(port));
  });
}

/** The proxies live in this process: it must not stand still meanwhile. */
async function wallOf(fleet: string): Promise<number> {
  const {spawn} = await import('node:child_process');
  const began = performance.now();
  await new Promise<void>((resolve) =>
    spawn(REGIONCTL, ['consistency', 'audit', '--fleet', fleet, '--json'], {stdio: 'ignore'}).once('exit', () => resolve()),
  );
  const took = (performance.now() - began) / 1000;
  await sleep(50);
  return took;
}

function audit(servers: BenchServers, fleet: string, count: number, ...flags: readonly string[]): Run {
  const run = timed(servers, count, REGIONCTL, ['consistency', 'audit', '--fleet', fleet, '--json', ...flags]);
  const document = JSON.parse(run.stdout) as {tables: {bytesMoved: number; divergent: {key: string}[]}[]};
  const [table] = document.tables;
  const keys = (table?.divergent ?? []).map(({key}) => key).toSorted((a, b) => Number(a) - Number(b));
  return {...run.run, keys, bytes: table?.bytesMoved ?? 0};
}

function comparator(servers: BenchServers): Run {
  const [one, two] = servers.all.map((server) => servers.url(server));
  const columns = '?id:customer,amount,status,payload,updated_at';
  const run = timed(servers, 2, 'pg_comparator', ['--use-key', '--checksum-function=ck', `${one}${columns}`, `${two}`], true);
  const keys = run.stdout.split('\n').flatMap((line) => /^(?:UPDATE|INSERT|DELETE) (\d+)/.exec(line)?.[1] ?? []);
  return {...run.run, keys: keys.toSorted((a, b) => Number(a) - Number(b)), bytes: 0};
}

function timed(servers: BenchServers, count: number, program: string, args: readonly string[], mayFail = false) {
  const used = servers.all.slice(0, count);
  // What one program left to be written is no cost of the next one.
  for (const server of used) execFileSync('psql', ['-qXc', 'checkpoint', servers.url(server).replace(/^pgsql:(.*)\/t$/, 'postgresql:$1')]);
  execFileSync('sleep', ['0.3']);
  const before = used.map((server) => servers.cpu(server));
  const began = performance.now();
  const child = spawnSync('/usr/bin/time', ['-f', '@@ %U %S %M', program, ...args], {encoding: 'utf8', maxBuffer: 2 ** 28});
  const wallS = (performance.now() - began) / 1000;
  const [, user = '0', system = '0', rss = '0'] = /@@ ([\d.]+) ([\d.]+) (\d+)/.exec(child.stderr) ?? [];
  if (!mayFail && ![0, 1].includes(child.status ?? -1))
    throw new Error(`${program} ended with ${child.status}: ${child.stderr} ${child.stdout.slice(0, 1000)}`);
  // A backend that is ending has not been counted by its postmaster yet.
  execFileSync('sleep', ['0.3']);
  const serverCpuS = used.map((server, index) => servers.cpu(server) - (before[index] ?? 0));
  return {
    stdout: child.stdout,
    run: {wallS, serverCpuS, clientCpuS: Number(user) + Number(system), clientRssMb: Number(rss) / 1000},
  };
}

/** The keys that DIFFERENCES touches. */
function expected(rows: number): readonly string[] {
  const keys = (first: number, parts: number, count: number): readonly number[] =>
    Array.from({length: count}, (_, index) => first + Math.floor(((index + 1) * rows) / parts));
  const all = [...keys(1, 11, 10), ...keys(2, 12, 10), ...keys(3, 13, 10), ...keys(4, 14, 10), ...keys(5, 31, 30)];
  return [...all, ...Array.from({length: 30}, (_, index) => rows + (index + 1) * 7)].toSorted((a, b) => a - b).map(String);
}

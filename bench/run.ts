// Measures what docs/performance.md promises, in one run on one machine, and keeps the result in bench/results.
import {spawn} from 'node:child_process';
import {rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {BenchLab, REGIONCTL, ROOT} from './lab.ts';
import {createReport} from './report.ts';
import {median, medians, round, timeCommand} from './timing.ts';
import {startWriter} from './writer.ts';

const NODE = join(ROOT, 'node_modules/.bin/node');
const {add, keep} = createReport('first-slice');

startUp();
const lab = new BenchLab();
try {
  await labUp();
  healthCheck();
  await failover('kill', 1500);
  await failover('lose', 1500 + connectTimeoutMs());
} finally {
  lab.down();
}
keep();

function startUp(): void {
  const times = medians(25, {
    node: () => timeCommand(NODE, ['-e', '0']),
    version: () => timeCommand(REGIONCTL, ['--version']),
    trivial: () => timeCommand(REGIONCTL, ['init', '--force', '--output', join(tmpdir(), `regionctl-bench-${process.pid}.yaml`)]),
  });
  const ratio = (ms: number) => round((ms / times.node) * 100) / 100;
  add('regionctl --version against node -e 0', '<= 1.6 times', ratio(times.version), 'times', times.version <= 1.6 * times.node, times);
  rmSync(join(tmpdir(), `regionctl-bench-${process.pid}.yaml`), {force: true});
  add('a trivial command (init) against node -e 0', '<= 4 times', ratio(times.trivial), 'times', times.trivial <= 4 * times.node, times);
}

async function labUp(): Promise<void> {
  const samples: number[] = [];
  for (let run = 0; run < 3; run++) {
    const each = new BenchLab();
    samples.push(each.up());
    each.down();
  }
  samples.push(lab.up());
  const ms = median(samples);
  add('lab up, three regions', '<= 5000 ms', round(ms), 'ms', ms <= 5000, samples.map(round));
}

function healthCheck(): void {
  const extra = Array.from({length: 15}, () => {
    const started = performance.now();
    const document = JSON.parse(lab.run('health', 'check', '--json')) as {regions: {endpoints: {latencyMs: number | null}[]}[]};
    const elapsed = performance.now() - started;
    const slowest = Math.max(...document.regions.flatMap(({endpoints}) => endpoints.map(({latencyMs}) => latencyMs ?? 0)));
    return elapsed - slowest;
  });
  const ms = median(extra);
  add('health check --json over its slowest probe', '<= 200 ms', round(ms), 'ms', ms <= 200, extra.map(round));
}

/** The region dies by kill -9 of its whole process tree (kill), or is cut off as well (lose); the command is started at once. */
async function failover(how: 'kill' | 'lose', limitMs: number): Promise<void> {
  const firstWrites: number[] = [];
  let lost = 0;
  let underQuorum = true;
  for (let run = 0; run < 5; run++) {
    const outcome = await failOnce(how, `${how}${run}`);
    firstWrites.push(outcome.firstWriteMs);
    lost += outcome.lost;
    underQuorum &&= outcome.underQuorum;
    lab.run('lab', 'heal', 'us-east');
    lab.run('failback', 'run', '--yes', '--json');
  }
  const ms = median(firstWrites);
  const detail = {firstWriteMs: firstWrites.map(round), lostAcknowledgedWrites: lost, underQuorumAtFirstWrite: underQuorum};
  add(
    `first acknowledged write after ${how}, failover run started at once`,
    `<= ${limitMs} ms, 0 lost`,
    round(ms),
    'ms',
    ms <= limitMs && lost === 0 && underQuorum,
    detail,
  );
}

async function failOnce(how: 'kill' | 'lose', run: string): Promise<{firstWriteMs: number; lost: number; underQuorum: boolean}> {
  const {frontDoor, regions} = lab.status();
  const writer = startWriter(frontDoor, run, 5);
  await writer.firstAckAfter(performance.now() + 500);
  if (how === 'lose') lab.run('lab', 'fault', 'lose', 'us-east');
  else for (const pid of regions.find(({region}) => region === 'us-east')?.pids ?? []) process.kill(pid, 'SIGKILL');
  const started = performance.now();
  const done = runToEnd(['failover', 'run', '--yes', '--no-guard', '--json']);
  const firstWriteMs = (await writer.firstAckAfter(started + 5)) - started;
  const target = lab.status().regions.find(({region}) => region === 'eu-west');
  if (target === undefined) throw new Error('the lab has no region eu-west');
  const [setting] = await lab.sql(target, 'show synchronous_standby_names');
  await done;
  await writer.stop();
  const rows = await lab.sql(target, `select ref from orders where ref like '${run}-%'`);
  const present = new Set(rows.map(({ref}) => ref));
  const lost = [...writer.acknowledged.keys()].filter((ref) => !present.has(ref)).length;
  return {firstWriteMs, lost, underQuorum: String(setting?.synchronous_standby_names).startsWith('ANY 1')};
}

function runToEnd(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(REGIONCTL, args, {env: lab.env, stdio: ['ignore', 'ignore', 'pipe']});
    let text = '';
    child.stderr.on('data', (data) => (text += data));
    child.on('close', (code) =>
      code === 0 || code === 1 ? resolve() : reject(new Error(`regionctl ${args.join(' ')} exited with ${code}: ${text}`)),
    );
  });
}

function connectTimeoutMs(): number {
  return 1000;
}

// Measures what docs/performance.md promises of health, in one run on one machine, beside Debian's blackbox_exporter on the same targets, and keeps the
// result in bench/results/health.json.
import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer, type Server} from 'node:http';
import {cpus, tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {Agent, request} from 'undici';
import {type Blackbox, noBlackbox, startBlackbox} from '../test/servers/blackbox.ts';
import {REGIONCTL, ROOT} from './lab.ts';
import {createReport} from './report.ts';
import {median, round} from './timing.ts';

type Sweep = {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly codes: Record<string, number>;
  readonly p50: number;
  readonly p99: number;
};
const NODE = join(ROOT, 'node_modules/.bin/node');
const TIMEOUT_MS = 200;
const {add, keep} = createReport('health');
const dir = mkdtempSync(join(tmpdir(), 'regionctl-bench-health-'));

if (noBlackbox !== null) throw new Error(`the peer is not installed: no ${noBlackbox} (test/servers/install)`);
const targets = await startTargets(1800, 200);
const good = await startTargets(2000, 0);
const exporters = [await startBlackbox(), await startBlackbox()] as const;
try {
  const ours = await sweepMany(targets.ports);
  await beside(ours, exporters[0], targets.ports);
  await busy(good.ports);
  await detection(exporters);
  await check();
} finally {
  targets.stop();
  good.stop();
  await Promise.all(exporters.map((exporter) => exporter.end()));
  rmSync(dir, {recursive: true, force: true});
}
keep();

async function startTargets(answering: number, hanging: number): Promise<{ports: number[]; stop(): void}> {
  const child = spawn(NODE, [join(ROOT, 'bench/targets.ts'), String(answering), String(hanging)], {stdio: ['pipe', 'pipe', 'inherit']});
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {ports: JSON.parse(line) as number[], stop: () => child.kill('SIGKILL')};
}

function sweep(ports: readonly number[], times: number): Sweep[] {
  const {status, stdout, stderr} = spawnSync(NODE, [join(ROOT, 'bench/sweep.ts')], {
    ...{input: JSON.stringify({ports, timeoutMs: TIMEOUT_MS, times}), encoding: 'utf8', maxBuffer: 1e8},
  });
  if (status !== 0) throw new Error(`the sweep ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as Sweep[];
}

async function sweepMany(ports: readonly number[]): Promise<Sweep[]> {
  const cold = Array.from({length: 5}, () => sweep(ports, 1)[0] as Sweep);
  const wall = median(cold.map(({wallMs}) => wallMs));
  const all = cold.every(({codes}) => codes.ok === 1800 && codes.timeout === 200);
  const limit = TIMEOUT_MS + 1000;
  add('2,000 endpoints swept, a tenth of them hanging, in a new process', `<= ${limit} ms`, round(wall), 'ms', wall <= limit && all, cold);
  return sweep(ports, 6).slice(1);
}

/** The exporter is asked for the same targets, 256 at a time, by a client whose CPU does not count. */
async function beside(ours: readonly Sweep[], exporter: Blackbox, ports: readonly number[]): Promise<void> {
  const theirs: {wallMs: number; cpuMs: number; failed: number}[] = [];
  const agent = new Agent({connections: 256});
  for (let each = 0; each < 4; each += 1) {
    const [began, cpu] = [performance.now(), cpuMsOf(exporter.pid())];
    let failed = 0;
    const queue = [...ports];
    const ask = async (): Promise<void> => {
      for (let port = queue.pop(); port !== undefined; port = queue.pop()) {
        const url = `${exporter.url}/probe?module=http_2xx&target=${encodeURIComponent(`http://127.0.0.1:${port}/`)}`;
        const headers = {'x-prometheus-scrape-timeout-seconds': String((TIMEOUT_MS + 500) / 1000)};
        const {body} = await request(url, {headers, dispatcher: agent});
        if (!(await body.text()).includes('probe_success 1')) failed += 1;
      }
    };
    await Promise.all(Array.from({length: 256}, ask));
    theirs.push({wallMs: performance.now() - began, cpuMs: cpuMsOf(exporter.pid()) - cpu, failed});
  }
  await agent.close();
  const [mine, peer] = [median(ours.map(({cpuMs}) => cpuMs / 2)), median(theirs.slice(1).map(({cpuMs}) => cpuMs / 2))];
  const ratio = Math.round((mine / peer) * 100) / 100;
  add('CPU of 1,000 probes against blackbox_exporter', '<= 0.5 times', ratio, 'times', ratio <= 0.5, {mine, peer, ours, theirs});
}

/** Of a process and its threads, in ms: fields 14 and 15 of its stat, in hundredths of a second. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Both cores are busy with something else: nothing that is well may be called down. */
async function busy(ports: readonly number[]): Promise<void> {
  const loads: ChildProcess[] = cpus().map(() => spawn(NODE, ['-e', 'for (;;);'], {stdio: 'ignore'}));
  try {
    const sweeps = Array.from({length: 5}, () => sweep(ports, 1)[0] as Sweep);
    const wrong = sweeps.reduce(
      (sum, {codes}) => sum + Object.entries(codes).reduce((n, [code, count]) => n + (isFailure(code) ? count : 0), 0),
      0,
    );
    add('endpoints called down that are well, of 5 times 2,000 at once on busy cores', '0', wrong, 'endpoints', wrong === 0, sweeps);
  } finally {
    for (const load of loads) load.kill('SIGKILL');
  }
}

function isFailure(code: string): boolean {
  return code !== 'ok' && code !== 'slow' && code !== 'observer-overloaded';
}

/** An endpoint is killed at a random moment: from the kill until the line that says so. */
async function detection(vantages: readonly Blackbox[]): Promise<void> {
  let server: Server = await serve(0);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const file = join(dir, 'watched.yaml');
  const from = vantages.map(({url}, index) => `  v${index}: {kind: blackbox, url: "${url}"}\n`).join('');
  writeFileSync(
    file,
    `version: 1\nfleet: bench\nregions: {eu: {jurisdiction: EU, endpoints: {app: {probe: http, url: "http://127.0.0.1:${port}/", critical: true}}}}\nvantages:\n${from}state: {dir: state}\n`,
  );
  const child = spawn(REGIONCTL, ['health', 'watch', '--format', 'ndjson', '--interval', '500ms', '--fleet', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const seen = createInterface(child.stdout);
  const until = async (verdict: string): Promise<number> => {
    for (;;) {
      const [line] = (await once(seen, 'line')) as [string];
      const said = JSON.parse(line) as {to?: string; verdict?: string};
      if ((said.to ?? said.verdict) === verdict) return performance.now();
    }
  };
  await until('healthy');
  const times: number[] = [];
  for (let each = 0; each < 7; each += 1) {
    await new Promise((resolve) => setTimeout(resolve, 700 + each * 73));
    const waiting = until('unhealthy');
    const killed = performance.now();
    server.closeAllConnections();
    server.close();
    times.push((await waiting) - killed);
    const back = until('healthy');
    server = await serve(port);
    await back;
  }
  child.kill('SIGINT');
  server.close();
  const worst = Math.max(...times);
  add(
    'a killed endpoint is called down, 500 ms interval, 3 vantage points, the worst of 7',
    '<= 3000 ms',
    round(worst),
    'ms',
    worst <= 3000,
    times.map(round),
  );
}

async function serve(port: number): Promise<Server> {
  const server = createServer((_, response) => response.end('fine')).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** 7 regions with 100 endpoints, the slowest of which takes 120 ms: start-up included. */
async function check(): Promise<void> {
  const slow = createServer((_, response) => setTimeout(() => response.end('fine'), 120)).listen(0, '127.0.0.1');
  await once(slow, 'listening');
  const address = slow.address();
  const slowPort = typeof address === 'object' && address !== null ? address.port : 0;
  const endpoint = (index: number) => `e${index}: {probe: http, url: "http://127.0.0.1:${index === 0 ? slowPort : good.ports[index]}/"}`;
  const regions = Array.from({length: 7}, (_, region) => {
    const own = Array.from({length: 100}, (_each, index) => index).filter((index) => index % 7 === region);
    return `  r${region}: {jurisdiction: EU, endpoints: {${own.map(endpoint).join(', ')}}}\n`;
  });
  const file = join(dir, 'hundred.yaml');
  writeFileSync(file, `version: 1\nfleet: hundred\nregions:\n${regions.join('')}state: {dir: state}\n`);
  const over: number[] = [];
  for (let each = 0; each < 15; each += 1) {
    const began = performance.now();
    const child = spawn(REGIONCTL, ['health', 'check', '--json', '--fleet', file], {stdio: ['ignore', 'pipe', 'inherit']});
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const [status] = (await once(child, 'close')) as [number];
    const elapsed = performance.now() - began;
    const document = JSON.parse(text) as {regions: {endpoints: {latencyMs: number | null}[]}[]};
    if (status !== 0) throw new Error(`health check ended with ${status}`);
    over.push(elapsed - Math.max(...document.regions.flatMap(({endpoints}) => endpoints.map(({latencyMs}) => latencyMs ?? 0))));
  }
  slow.close();
  const ms = median(over);
  add('health check of 7 regions with 100 endpoints, over its slowest endpoint', '<= 250 ms', round(ms), 'ms', ms <= 250, over.map(round));
}

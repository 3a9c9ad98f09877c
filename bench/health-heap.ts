// A long run, apart from the others: so many probes a second for so many minutes, and the heap after each collection. `node --expose-gc bench/health-heap.ts [MINUTES]`
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import type {Fleet} from '../src/lib/fleet/fleet.ts';
import {startMonitor} from '../src/lib/health/monitor.ts';
import {httpProbe} from '../src/lib/providers/http/http-probe.ts';
import {systemClock} from '../src/lib/run/system-clock.ts';

const ROOT = join(import.meta.dirname, '..');
const minutes = Number(process.argv[2] ?? 10);
const [ENDPOINTS, INTERVAL_MS, EVERY_MS] = [500, 500, 15_000];
/** Collections differ by less than this when nothing is kept. */
const FLAT_SHARE = 0.05;
if (globalThis.gc === undefined) throw new Error('start it with node --expose-gc');

const targets = spawn(process.execPath, [join(ROOT, 'bench/targets.ts'), String(ENDPOINTS - 10), '10'], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const [line] = (await once(createInterface(targets.stdout), 'line')) as [string];
const secrets = {reveal: async () => '', scrub: (text: string) => text};
const regions = Array.from({length: 7}, (_, index) => ({name: `r${index}`}));
const probes = (JSON.parse(line) as number[]).map((port, index) => ({
  endpoint: {
    ...{name: `e${index}`, region: `r${index % 7}`, critical: false, timeoutMs: 1000, slowMs: null},
    probe: {kind: 'http', config: {}, path: []},
  },
  probe: httpProbe({url: `http://127.0.0.1:${port}/`, expectStatus: 200, expectText: null, headers: {}, timeoutMs: 1000}, secrets),
}));
const health = {intervalMs: INTERVAL_MS, riseFall: {rise: 2, fall: 1}, flapping: {changes: 6, withinMs: 900_000}};
const fleet = {name: 'heap', regions, health} as unknown as Fleet;
const monitor = startMonitor({fleet, probes, clock: systemClock(), memory: null});
const samples: {atMs: number; heapBytes: number; rssBytes: number; perSecond: number}[] = [];
const began = performance.now();
while (performance.now() - began < minutes * 60_000) {
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  globalThis.gc();
  const {heapUsed, rss} = process.memoryUsage();
  samples.push({
    atMs: Math.round(performance.now() - began),
    heapBytes: heapUsed,
    rssBytes: rss,
    perSecond: Math.round(monitor.view().askedPerSecond),
  });
  console.log(JSON.stringify(samples.at(-1)));
}
const {user, system} = process.cpuUsage();
await monitor.stop();
targets.kill('SIGKILL');
// The first minute fills the histories.
const steady = samples.filter(({atMs}) => atMs > 60_000);
const third = Math.floor(steady.length / 3);
const mean = (part: typeof steady) => part.reduce((sum, {heapBytes}) => sum + heapBytes, 0) / part.length;
const growth = mean(steady.slice(-third)) / mean(steady.slice(0, third)) - 1;
const share = (user + system) / 1000 / (performance.now() - began);
writeFileSync(join(ROOT, 'bench/results/health-heap.json'), `${JSON.stringify({minutes, growth, cpuShare: share, samples}, null, 1)}\n`);
console.log(
  `${growth < FLAT_SHARE ? 'met   ' : 'MISSED'}  heap after collection, last third against first: ${(growth * 100).toFixed(1)} % (< ${FLAT_SHARE * 100} %), ${(share * 100).toFixed(0)} % of a core`,
);
process.exitCode = growth < FLAT_SHARE ? 0 : 1;

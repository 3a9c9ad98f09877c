// A long run, apart from the others: the dashboard drawn at 120x40 with 200 endpoints and 21 links at 1 Hz for so many minutes, and its heap after each collection. It is the real command,
// with heap-probe.ts brought in. The second half is judged: in the first ten minutes V8 goes on compiling what is called once a second, and its code is on the heap. Kept in
// bench/results/dashboard-heap.json from 20 minutes on, which is the default. `node bench/dashboard-heap.ts [MINUTES]`
import {execFileSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {createBelongings} from './belongings.ts';
import {startTargets, widen} from './dashboard-fleet.ts';
import {BenchLab, ROOT} from './lab.ts';
import {PseudoTerminal} from './pseudo-terminal.ts';

type Sample = {
  readonly atMs: number;
  readonly heapBytes: number;
  readonly codeBytes: number;
  readonly externalBytes: number;
  readonly rssBytes: number;
};

const minutes = Number(process.argv[2] ?? 20);
const [ENDPOINTS, LINKS, WHOLE_MINUTES, MINUTE_MS] = [200, 21, 20, 60_000];
/** Collections differ by less than this when nothing is kept. */
const FLAT_SHARE = 0.05;
/** The minutes that are judged, as shares of the time, and those before them, without the first minute, which fills the histories. */
const [JUDGED, EARLIER] = [
  [0.5, 1],
  [0.05, 0.5],
] as const;
if (!(minutes > 0)) {
  console.error('usage: node bench/dashboard-heap.ts [MINUTES]');
  process.exit(64);
}
const everyMs = Math.min(15_000, (minutes * MINUTE_MS) / 20);
const belongings = createBelongings();

try {
  judge(await run());
} finally {
  belongings.end();
}

async function run(): Promise<readonly Sample[]> {
  const dir = belongings.own(mkdtempSync(join(tmpdir(), 'regionctl-bench-heap-')), (it) => rmSync(it, {recursive: true, force: true}));
  const file = join(dir, 'heap.ndjson');
  const targets = belongings.own(await startTargets(ENDPOINTS), (it) => it.stop());
  const lab = belongings.own(new BenchLab(), (it) => it.down());
  lab.up('--regions', '7');
  const fleet = widen(lab.env.REGIONCTL_FLEET, targets.ports, LINKS);
  const env = {
    NODE_OPTIONS: `--import=${pathToFileURL(join(ROOT, 'bench/heap-probe.ts'))}`,
    BENCH_HEAP: JSON.stringify({file, everyMs}),
  };
  const terminal = belongings.own(await PseudoTerminal.start(['dashboard', '--fleet', fleet], {columns: 120, rows: 40, env}), (it) =>
    it.stop(),
  );
  await terminal.frameWhere(
    (screen) => screen.lines()[0]?.includes(`${ENDPOINTS} endpoints, ${LINKS} links`) === true,
    'the header with all endpoints and links',
    60_000,
  );
  let told = 0;
  const [began, before] = [performance.now(), await targets.answered()];
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    terminal.forget();
    const samples = samplesOf(file);
    for (const sample of samples.slice(told)) console.log(JSON.stringify(sample));
    told = samples.length;
    if ((samples.at(-1)?.atMs ?? 0) < minutes * MINUTE_MS - everyMs / 2) {
      if (performance.now() - began > (minutes + 1) * MINUTE_MS)
        throw new Error(`the dashboard measures its heap no more:\n${terminal.screen.lines().join('\n')}`);
      continue;
    }
    const perSecond = ((await targets.answered()) - before) / ((performance.now() - began) / 1000);
    if (perSecond < ENDPOINTS * 0.9)
      throw new Error(`only ${Math.round(perSecond)} of ${ENDPOINTS} endpoints were asked a second: this heap says nothing`);
    await terminal.quit();
    return samples;
  }
}

function samplesOf(file: string): Sample[] {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  return lines.map((line) => JSON.parse(line) as Sample);
}

function judge(samples: readonly Sample[]): void {
  const within = ([from, to]: readonly [number, number]): readonly Sample[] =>
    samples.filter(({atMs}) => atMs > minutes * MINUTE_MS * from && atMs <= minutes * MINUTE_MS * to + everyMs / 2);
  const growth = growthOf(within(JUDGED), ({heapBytes}) => heapBytes);
  const slopeKb = slope(within(JUDGED)) / 1000;
  const isFlat = growth < FLAT_SHARE;
  const beside = {
    growthWithoutCode: growthOf(within(JUDGED), ({heapBytes, codeBytes}) => heapBytes - codeBytes),
    growthBefore: growthOf(within(EARLIER), ({heapBytes}) => heapBytes),
    growthBeforeWithoutCode: growthOf(within(EARLIER), ({heapBytes, codeBytes}) => heapBytes - codeBytes),
  };
  const byMinute = Array.from({length: Math.ceil(minutes)}, (_, minute) => {
    const own = samples.filter(({atMs}) => Math.ceil(atMs / MINUTE_MS) === minute + 1);
    return {minute: minute + 1, heapMb: inMb(own.map(({heapBytes}) => heapBytes)), rssMb: inMb(own.map(({rssBytes}) => rssBytes))};
  });
  console.log(
    `${isFlat ? 'met   ' : 'MISSED'}  heap after collection, last third against first: ${inPercent(growth)} (< ${FLAT_SHARE * 100} %), ${slopeKb.toFixed(1)} kB a minute`,
  );
  for (const [what, share] of Object.entries(beside)) console.log(`        ${what}: ${inPercent(share)}`);
  process.exitCode = isFlat ? 0 : 1;
  if (minutes < WHOLE_MINUTES) {
    console.log(`Not kept: results come from ${WHOLE_MINUTES} minutes and more.`);
    return;
  }
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {cwd: ROOT, encoding: 'utf8'}).trim();
  const result = {commit, at: new Date().toISOString(), minutes, growth, ...beside, slopeKbPerMinute: slopeKb, byMinute, samples};
  writeFileSync(join(ROOT, 'bench/results/dashboard-heap.json'), `${JSON.stringify(result, null, 1)}\n`);
  console.log('Kept in bench/results/dashboard-heap.json');
}

/** The mean of the last third against that of the first. */
function growthOf(samples: readonly Sample[], bytes: (sample: Sample) => number): number {
  const third = Math.floor(samples.length / 3);
  return mean(samples.slice(-third).map(bytes)) / mean(samples.slice(0, third).map(bytes)) - 1;
}

function inPercent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** The line through all samples, least squares: bytes a minute. */
function slope(samples: readonly Sample[]): number {
  const [x, y] = [mean(samples.map(({atMs}) => atMs)), mean(samples.map(({heapBytes}) => heapBytes))];
  const above = samples.reduce((sum, {atMs, heapBytes}) => sum + (atMs - x) * (heapBytes - y), 0);
  return (above / samples.reduce((sum, {atMs}) => sum + (atMs - x) ** 2, 0)) * MINUTE_MS;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function inMb(bytes: readonly number[]): number | null {
  return bytes.length === 0 ? null : Math.round(mean(bytes) / 1e4) / 100;
}

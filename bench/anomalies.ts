// How good and how fast `capacity anomalies` is, on the Numenta Anomaly Benchmark (github.com/numenta/NAB, not shipped here) by its own rules.
// `node bench/anomalies.ts NAB_FOLDER`, after `npm run build`; kept in bench/results/anomalies.json. A baseline is scored beside it.
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {ALERT_SCORE, createDetector} from '../src/lib/capacity/anomaly/detector.ts';
import {REGIONCTL} from './lab.ts';
import {type NabFile, readCorpus} from './nab/corpus.ts';
import {PROFILES, prepare, type Rows, score} from './nab/score.ts';
import {createReport} from './report.ts';

const LEAST_SCORE = 60;
const LEAST_ROWS = 80_000;

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('Usage: node bench/anomalies.ts NAB_FOLDER');
  process.exit(64);
}
const corpus = readCorpus(folder);
const rows = prepare(corpus);
const report = createReport('anomalies');
const ours = scoresOf(corpus, () => {
  const detector = createDetector();
  return (at, value) => detector.next(at, value);
});
for (const profile of PROFILES) {
  const {score: reached, ...detail} = score(rows, ours, profile);
  const isStandard = profile === PROFILES[0];
  report.add(
    `NAB, ${profile.name}`,
    isStandard ? `>= ${LEAST_SCORE}` : 'shown',
    reached,
    '',
    !isStandard || reached >= LEAST_SCORE,
    detail,
  );
}
const fixed = atThreshold(ours, ALERT_SCORE);
report.add('NAB, standard, at the threshold of the product', 'shown', score(rows, fixed, PROFILES[0]!).score, '', true, {});
report.add('NAB, standard, of a rolling z-score', 'shown', score(rows, scoresOf(corpus, rollingZ), PROFILES[0]!).score, '', true, {});
speed(corpus, rows);
report.keep();

function scoresOf(files: readonly NabFile[], start: () => (at: number, value: number) => number): Float64Array {
  return Float64Array.from(
    files.flatMap(({times, values}) => {
      const next = start();
      return [...values].map((value, i) => next(times[i]!, value));
    }),
  );
}

/** What is below the threshold is worth nothing, and all above it is the same. */
function atThreshold(scores: Float64Array, threshold: number): Float64Array {
  return scores.map((each) => (each >= threshold ? 1 : 0));
}

/** What most people would write: the distance from the mean of the last 288 readings, in standard deviations. */
function rollingZ(): (at: number, value: number) => number {
  const window: number[] = [];
  return (_at, value) => {
    const mean = window.reduce((sum, each) => sum + each, 0) / Math.max(1, window.length);
    const deviation = Math.sqrt(window.reduce((sum, each) => sum + (each - mean) ** 2, 0) / Math.max(1, window.length));
    window.push(value);
    if (window.length > 288) window.shift();
    return deviation > 0 ? Math.abs(value - mean) / deviation : 0;
  };
}

/** The whole program on one long file, reading and writing CSV, in CPU time. */
function speed(files: readonly NabFile[], {worth}: Rows): void {
  const dir = mkdtempSync(join(tmpdir(), 'regionctl-bench-'));
  try {
    const lines = files.flatMap(({path}) => readFileSync(path, 'utf8').trim().split('\n').slice(1));
    writeFileSync(join(dir, 'in.csv'), `timestamp,value\n${lines.join('\n')}\n`);
    // `times` prints what the children of the shell used, in its last line.
    const script = '"$0" capacity anomalies --from-csv "$1" --scores "$2" >/dev/null; times';
    const result = spawnSync('sh', ['-c', script, REGIONCTL, join(dir, 'in.csv'), join(dir, 'out.csv')], {encoding: 'utf8'});
    const [user = 0, system = 0] = [...(result.stdout.trim().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/gu)].map(
      ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
    );
    const written = readFileSync(join(dir, 'out.csv'), 'utf8').trim().split('\n').length - 1;
    const perSecond = written / (user + system);
    const detail = {rows: worth.length, written, user, system};
    report.add(
      'rows per CPU second, with the start of the program',
      `>= ${LEAST_ROWS}`,
      perSecond,
      'rows/s',
      perSecond >= LEAST_ROWS,
      detail,
    );
  } finally {
    rmSync(dir, {recursive: true, force: true});
  }
}

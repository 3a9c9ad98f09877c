// The accuracy and speed of forecasts as issue 8 asks for them, on windows held out inside the training part of the M4 competition's series.
// `node bench/capacity.ts [FOLDER]` or CAPACITY_DATA=FOLDER: a folder with m4-hourly-train.csv, and where there are any m4-weekly-train.csv and
// m4-daily-train.csv, as published (github.com/Mcompetitions/M4-methods, Dataset/Train). Kept in bench/results/capacity.json.
import {execFileSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {naiveScale, scoresOf} from '../src/lib/capacity/forecast/scores.ts';
import {isSeasonal} from '../src/lib/capacity/math/autocorrelation.ts';
import type {Grain} from '../src/lib/capacity/series.ts';
import {readWideRows, type WideRow} from '../src/lib/providers/csv/wide-rows.ts';
import {type Modelled, modelsFor} from './capacity-models.ts';
import {naive2} from './capacity-naive2.ts';
import {REGIONCTL} from './lab.ts';
import {createReport, type Report} from './report.ts';
import {median} from './timing.ts';

type Contest = {
  readonly grain: Grain;
  readonly horizon: number;
  /** Of Naive2 and of the scale of MASE, as in the competition. */
  readonly season: number;
  readonly owa: number;
  /** On which windows the figure is judged: older ones are printed all the same. */
  readonly judged: number;
};
const CONTESTS: readonly Contest[] = [
  {grain: 'hourly', horizon: 48, season: 24, owa: 0.4, judged: 3},
  {grain: 'weekly', horizon: 13, season: 1, owa: 0.75, judged: 1},
  {grain: 'daily', horizon: 14, season: 1, owa: 1.01, judged: 1},
];
const WINDOWS = 3;
/** Shorter histories than so many horizons are none of the competition's. */
const LEAST_HISTORY = 3;
const CHOSEN = 'forecast';

const folder = process.argv[2] ?? process.env.CAPACITY_DATA;
if (folder === undefined || !existsSync(join(folder, 'm4-hourly-train.csv'))) {
  console.error(
    `m4-hourly-train.csv is not in ${folder ?? 'the folder that you name'}: fetch Hourly-train.csv of the M4 competition, and give its folder as argument or CAPACITY_DATA`,
  );
  process.exitCode = 1;
} else {
  const report = createReport('capacity');
  for (const contest of CONTESTS) {
    const file = join(folder, `m4-${contest.grain}-train.csv`);
    if (existsSync(file)) hold(contest, await readWideRows(file), report);
    else console.log(`m4-${contest.grain}-train.csv is not there: ${contest.grain} series are left out`);
  }
  program(join(folder, 'm4-hourly-train.csv'), report);
  report.keep();
}

type Sum = {smape: number; mase: number; inside: number; count: number; cpuS: number};
type Figures = {readonly owa: number[]; readonly coverage: number[]; readonly cpuS: number[]};

/** Holds out the last steps of every series, then those before, and compares each model with what came. */
function hold(contest: Contest, rows: readonly WideRow[], report: Report): void {
  const {grain, horizon, owa, judged} = contest;
  const figures = new Map<string, Figures>();
  for (let window = 0; window < WINDOWS; window++) {
    const {yardstick, sums} = compare(contest, rows, window);
    for (const [name, sum] of sums) {
      const own = figures.get(name) ?? {owa: [], coverage: [], cpuS: []};
      figures.set(name, own);
      own.owa.push((sum.smape / yardstick.smape + sum.mase / yardstick.mase) / 2);
      if (sum.count > 0) own.coverage.push((100 * sum.inside) / sum.count);
      own.cpuS.push(sum.cpuS);
    }
  }
  console.log(`\n${grain}: ${rows.length} series, ${horizon} steps, ${WINDOWS} windows; OWA against Naive2, CPU seconds for all series`);
  const ranked = [...figures].sort((a, b) => mean(a[1].owa) - mean(b[1].owa));
  for (const [name, {owa: each, coverage, cpuS}] of ranked) {
    const covered = coverage.length === 0 ? '' : `  in 95 %: ${coverage.map((value) => value.toFixed(1)).join(' ')}`;
    const windows = each.map((value) => value.toFixed(4)).join(' ');
    console.log(`${name.padEnd(28)} ${mean(each).toFixed(4)}  (${windows})  ${mean(cpuS).toFixed(2)} s${covered}`);
  }
  const chosen = figures.get(CHOSEN) as Figures;
  const own = mean(chosen.owa.slice(0, judged));
  report.add(`${grain}: OWA, ${judged === 1 ? 'newest window' : `mean of ${judged} windows`}`, `<= ${owa}`, own, '', own <= owa, Object.fromEntries(ranked));
  const coverage = mean(chosen.coverage);
  report.add(`${grain}: inside the 95 % interval`, '92 to 97', coverage, '%', coverage >= 92 && coverage <= 97, chosen.coverage);
}

/** Sums of the scores of each model over all series, and of Naive2, with the newest `window` windows left out. */
function compare({grain, horizon, season}: Contest, rows: readonly WideRow[], window: number): {yardstick: Sum; sums: Map<string, Sum>} {
  const models = modelsFor(grain);
  const yardstick = emptySum();
  const sums = new Map(models.map(({name}) => [name, emptySum()]));
  for (const {values} of rows) {
    const end = values.length - window * horizon;
    const history = values.subarray(0, Math.max(0, end - horizon));
    const truth = values.subarray(history.length, end);
    const scale = naiveScale(history, new Uint8Array(history.length).fill(1), season);
    if (history.length < LEAST_HISTORY * horizon || scale === null) continue;
    add(yardstick, {mean: naive2(history, horizon, isSeasonal(history, season) ? season : 1)}, truth, scale);
    for (const {name, forecast} of models) {
      const sum = sums.get(name) as Sum;
      const before = process.cpuUsage();
      const modelled = forecast(history, horizon);
      const used = process.cpuUsage(before);
      sum.cpuS += (used.user + used.system) / 1e6;
      add(sum, modelled, truth, scale);
    }
  }
  return {yardstick, sums};
}

function emptySum(): Sum {
  return {smape: 0, mase: 0, inside: 0, count: 0, cpuS: 0};
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value / values.length, 0);
}

function add(sum: Sum, modelled: Modelled, truth: Float64Array, scale: number): void {
  const known = new Uint8Array(truth.length).fill(1);
  const scores = scoresOf({origins: [0], paths: [modelled.mean], horizon: truth.length, values: truth, known}, scale);
  sum.smape += scores.smape ?? 0;
  sum.mase += scores.mase ?? 0;
  if (modelled.lower95 === undefined || modelled.upper95 === undefined) return;
  truth.forEach((value, step) => {
    // A path on the logarithmic scale comes back with a rounding of the last digit.
    const rounding = 1e-9 * Math.abs(value);
    sum.count++;
    if (value >= (modelled.lower95?.[step] as number) - rounding && value <= (modelled.upper95?.[step] as number) + rounding) sum.inside++;
  });
}

/** The built program as the scorer runs it: all series, and one of 1,000 points. */
function program(file: string, report: Report): void {
  const ask = ['capacity', 'forecast', '--horizon', '48', '--freq', 'hourly', '--format', 'forecasts', '--from-csv'];
  // Of the shell's children, of which there is one.
  const script = '"$0" "$@" > /dev/null && times';
  const times =
    execFileSync('sh', ['-c', script, REGIONCTL, ...ask, file], {encoding: 'utf8'})
      .trim()
      .split('\n')
      .at(-1) ?? '';
  const seconds = [...times.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, minutes, rest]) => sum + 60 * Number(minutes) + Number(rest), 0);
  report.add('hourly: CPU of the program for all series, with its start', '<= 4', seconds, 's', seconds <= 4, times);

  const own = mkdtempSync(join(tmpdir(), 'bench-capacity-'));
  try {
    const one = join(own, 'one.csv');
    const [header = '', first = ''] = readFileSync(file, 'utf8').split('\n');
    const cells = first.split(',').filter((cell) => cell.replaceAll('"', '').trim() !== '');
    const values = cells.slice(1);
    const thousand = Array.from({length: 1000}, (_, i) => values[i % values.length]);
    writeFileSync(one, `${header}\n${[cells[0], ...thousand].join(',')}\n`);
    const walls = Array.from({length: 9}, () => {
      const begun = performance.now();
      execFileSync(REGIONCTL, [...ask, one], {stdio: 'ignore'});
      return performance.now() - begun;
    });
    report.add(
      'one series of 1,000 points with the start of the program, median of 9',
      '<= 150',
      median(walls),
      'ms',
      median(walls) <= 150,
      walls,
    );
  } finally {
    rmSync(own, {recursive: true});
  }
}

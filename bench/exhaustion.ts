// How well the day on which a disk is full is told, on generated disks of ten kinds, beside a least squares line through all readings, which is what
// predict_linear of Prometheus draws. `node bench/exhaustion.ts [SEED…]`, default 4 5: seed 1 was used to tune. Kept in bench/results/exhaustion.json.
import {findExhaustion} from '../src/lib/capacity/exhaustion/exhaustion.ts';
import {leastSquares} from '../src/lib/capacity/exhaustion/least-squares.ts';
import {type Disk, disks, KINDS} from '../test/capacity/exhaustion/disks.ts';
import {createReport} from './report.ts';
import {median} from './timing.ts';

const EACH = 8;
const MOST_ERROR = 7;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

const asked = process.argv.slice(2).map(Number);
const report = createReport('exhaustion');
for (const seed of asked.length === 0 ? [4, 5] : asked)
  for (const roughness of [1, 3]) {
    const all = disks(seed, EACH, roughness);
    const began = process.cpuUsage();
    const found = all.map(({series}) => findExhaustion(series));
    const cpuMs = process.cpuUsage(began).user / 1000;
    const ours = all.map((disk, i) => errorOf(disk, daysTo(disk, found[i]?.p50At ?? null)));
    const plain = all.map((disk) => errorOf(disk, straightLine(disk)));
    const inRange = all.filter((disk, i) => {
      const {earliestAt = null, latestAt = null} = found[i] ?? {};
      return disk.fullInDays >= daysTo(disk, earliestAt) && (latestAt === null || disk.fullInDays <= daysTo(disk, latestAt));
    });
    const what = `seed ${seed}, noise x ${roughness}, ${all.length} disks`;
    const detail = {ours: summary(ours), leastSquares: summary(plain), byKind: byKind(all, ours, plain), msEach: cpuMs / all.length};
    report.add(`${what}: median error`, `<= ${MOST_ERROR}`, detail.ours.medianError, '%', detail.ours.medianError <= MOST_ERROR, detail);
    report.add(`${what}: missed`, '0', detail.ours.missed, '', detail.ours.missed === 0, {});
    report.add(`${what}: within the range`, 'shown', (100 * inRange.length) / all.length, '%', true, {});
    console.table({ours: detail.ours, 'least squares': detail.leastSquares});
    console.table(detail.byKind);
  }
report.keep();

/** Days from the end of the history; null is never. */
function daysTo({series}: Disk, at: number | null): number {
  return at === null ? Number.POSITIVE_INFINITY : (at - (series.starts.at(-1) ?? 0) - HOUR_MS) / DAY_MS;
}

/** In percent of the days that it really took. Infinite = missed: not at all, or in the past. */
function errorOf({fullInDays}: Disk, days: number): number {
  return days > 0 ? (100 * Math.abs(days - fullInDays)) / fullInDays : Number.POSITIVE_INFINITY;
}

function straightLine({series: {values, limit}}: Disk): number {
  const hours = values.map((_, hour) => hour);
  const [level = 0, slope = 0] = leastSquares([values.map(() => 1), hours], values)?.coefficients ?? [];
  return slope > 0 ? (((limit ?? 0) - level) / slope - values.length) / 24 : Number.POSITIVE_INFINITY;
}

function summary(errors: readonly number[]) {
  return {
    medianError: Math.round(10 * median(errors)) / 10,
    within20: `${Math.round((100 * errors.filter((each) => each <= 20).length) / errors.length)} %`,
    missed: errors.filter((each) => !Number.isFinite(each)).length,
  };
}

function byKind(all: readonly Disk[], ours: readonly number[], plain: readonly number[]) {
  const of = (errors: readonly number[], kind: string) => summary(errors.filter((_, i) => all[i]?.kind === kind)).medianError;
  return Object.fromEntries(KINDS.map((kind) => [kind, {ours: of(ours, kind), 'least squares': of(plain, kind)}]));
}

import {type Fit, leastSquares} from './least-squares.ts';

/** Days on each side of a break, at the least. */
const LEAST_DAYS = 7;
/** Twice the penalty of BIC: a break must be plain, or there is none. */
const PENALTY = 2;
/** Deviations below this share of the largest value are no worse than none: without it a line without noise would break at a rounding. */
const NOISE_FLOOR = 1e-4;
/** Fewer independent days are not assumed, however much one day is like the next. */
const LEAST_INDEPENDENT = 6;

/**
 * How a series grows: by a straight line (`steady`), by a line that is lifted at one day (`level`), bends there (`slope`), or both (`level-and-slope`), or
 * ever faster (`accelerating`, a parabola).
 */
export type Shape = {
  readonly kind: 'steady' | 'level' | 'slope' | 'level-and-slope' | 'accelerating';
  /** The first day after the break, as an index; 0 = no break. */
  readonly at: number;
  /** How far the level jumps at the break, in the unit of the values. */
  readonly jump: number;
  /** By how much the slope per day changes at the break. */
  readonly bend: number;
  /** Of `accelerating`: the slope per day at the newest day, and how much it grows each day. 0 of others. */
  readonly slopeNow: number;
  readonly acceleration: number;
  /** How much less the days tell than independent ones would: (1 + r) / (1 - r), r = how like the next one a residual is. */
  readonly inflation: number;
};

type Candidate = {readonly kind: Shape['kind']; readonly at: number; readonly fit: Fit};

/**
 * Chooses the shape that explains daily means best for the number of its parameters, by BIC (Schwarz 1978) with twice its penalty and over as many days as
 * would be independent (Bretherton et al. 1999); a break is searched at every day (Quandt 1960). `values` should be about 1, `day` rises.
 */
export function shapeOfGrowth(day: Float64Array, values: Float64Array): Shape {
  const span = Math.max(1, (day.at(-1) ?? 0) - (day[0] ?? 0));
  const one = day.map(() => 1);
  const time = day.map((each) => (each - (day[0] ?? 0)) / span);
  const line = candidate('steady', 0, [one, time], values);
  if (line === null) return {...NO_SHAPE, inflation: 1};
  const others = [...breaks(one, time, values), ...parabola(one, time, values)];
  const closest = others.reduce((best, each) => (each.fit.squares < best.fit.squares ? each : best), line);
  const likeness = autocorrelation(closest.fit.residuals);
  const inflation = (1 + likeness) / (1 - likeness);
  const independent = Math.max(LEAST_INDEPENDENT, values.length / inflation);
  const cost = ({fit, kind}: Candidate): number => {
    const variance = fit.squares / values.length + NOISE_FLOOR ** 2;
    return independent * Math.log(variance) + PENALTY * PARAMETERS[kind] * Math.log(independent);
  };
  const best = others.reduce((least, each) => (cost(each) < cost(least) ? each : least), line);
  return {...described(best, span), inflation};
}

const NO_SHAPE = {kind: 'steady', at: 0, jump: 0, bend: 0, slopeNow: 0, acceleration: 0} as const;

/** The day of a break is a parameter too. */
const PARAMETERS: Readonly<Record<Shape['kind'], number>> = {steady: 2, accelerating: 3, level: 4, slope: 4, 'level-and-slope': 5};

function breaks(one: Float64Array, time: Float64Array, values: Float64Array): readonly Candidate[] {
  const found: (Candidate | null)[] = [];
  for (let at = LEAST_DAYS; at <= values.length - LEAST_DAYS; at++) {
    const step = time.map((_, i) => (i >= at ? 1 : 0));
    const bend = time.map((each) => Math.max(0, each - (time[at] ?? 0)));
    found.push(candidate('level', at, [one, time, step], values));
    found.push(candidate('slope', at, [one, time, bend], values));
    found.push(candidate('level-and-slope', at, [one, time, step, bend], values));
  }
  return found.filter((each) => each !== null);
}

/** Growth that slows down is better told by a break: a parabola would turn around. */
function parabola(one: Float64Array, time: Float64Array, values: Float64Array): readonly Candidate[] {
  if (values.length < 2 * LEAST_DAYS) return [];
  const found = candidate('accelerating', 0, [one, time, time.map((each) => each * each)], values);
  const [, first = 0, second = 0] = found?.fit.coefficients ?? [];
  return found !== null && second > 0 && first + 2 * second > 0 ? [found] : [];
}

function candidate(kind: Shape['kind'], at: number, columns: readonly Float64Array[], values: Float64Array): Candidate | null {
  const fit = leastSquares(columns, values);
  return fit === null ? null : {kind, at, fit};
}

function described({kind, at, fit}: Candidate, span: number): Omit<Shape, 'inflation'> {
  const [, first = 0, third = 0, fourth = 0] = fit.coefficients;
  if (kind === 'accelerating') return {...NO_SHAPE, kind, slopeNow: (first + 2 * third) / span, acceleration: (2 * third) / span ** 2};
  if (kind === 'steady') return NO_SHAPE;
  const bend = kind === 'slope' ? third : kind === 'level-and-slope' ? fourth : 0;
  return {...NO_SHAPE, kind, at, jump: kind === 'slope' ? 0 : third, bend: bend / span};
}

/** How like the next one a residual is, from 0 to 0.95. */
function autocorrelation(residuals: Float64Array): number {
  let own = 0;
  let next = 0;
  for (let i = 0; i < residuals.length; i++) {
    own += (residuals[i] ?? 0) ** 2;
    if (i > 0) next += (residuals[i] ?? 0) * (residuals[i - 1] ?? 0);
  }
  return own > 0 ? Math.min(0.95, Math.max(0, next / own)) : 0;
}

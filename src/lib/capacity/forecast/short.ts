import type {Prepared} from './gaps.ts';
import type {Forecast} from './shapes.ts';

/** Quantiles of the normal distribution for intervals of 80 % and 95 %. */
const Z80 = 1.2816;
const Z95 = 1.96;
/** Steps between so few values say little about their spread: twice as wide. */
const WIDER = 2;

/**
 * The last value, for a history that is too short for models or does not vary. Intervals grow with the square root of the step, as those of a random walk: from
 * the root mean square of the steps between the values, twice as wide as normal theory says; of a single value, whose spread nobody knows, from its own size.
 */
export function shortForecast({values, notes}: Prepared, horizon: number): Forecast {
  const last = values.at(-1) as number;
  const spread = spreadOf(values);
  const shifted = (z: number): Float64Array =>
    Float64Array.from({length: horizon}, (_, step) => finite(last + z * WIDER * spread * Math.sqrt(step + 1)));
  return {
    mean: new Float64Array(horizon).fill(last),
    p10: shifted(-Z80),
    p90: shifted(Z80),
    lower95: shifted(-Z95),
    upper95: shifted(Z95),
    model: 'last-value',
    backtest: null,
    notes: [...notes, reasonFor(values)],
  };
}

/** Typical change in one step. */
function spreadOf(values: Float64Array): number {
  if (values.length === 1) return Math.abs(values[0] as number);
  let largest = 0;
  for (let t = 1; t < values.length; t++) largest = Math.max(largest, Math.abs(values[t] as number), Math.abs(values[t - 1] as number));
  if (largest === 0) return 0;
  let squares = 0;
  // By the largest, so that no square overflows.
  for (let t = 1; t < values.length; t++) squares += ((values[t] as number) / largest - (values[t - 1] as number) / largest) ** 2;
  return finite(Math.sqrt(squares / (values.length - 1)) * largest);
}

function reasonFor(values: Float64Array): string {
  if (values.length === 1) return 'One value is known: nothing was measured, and the intervals are as wide as the value is large.';
  if (values.every((value) => value === values[0])) return `All ${values.length} values are the same: the forecast is that value.`;
  return `Only ${values.length} values are known: the forecast is the last one, and there is no backtest.`;
}

const finite = (value: number): number => Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));

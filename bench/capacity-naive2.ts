/**
 * Naive2 of the M4 competition: the last value of the seasonally adjusted series, seasons put back: classical multiplicative decomposition (Makridakis, Wheelwright and
 * Hyndman 1998). A season of 1 is the plain last value. `season` is even.
 */
export function naive2(history: Float64Array, horizon: number, season: number): Float64Array {
  const last = history.at(-1) as number;
  if (season === 1) return new Float64Array(horizon).fill(last);
  const factors = seasonalFactors(history, season);
  const adjusted = last / (factors[(history.length - 1) % season] as number);
  return Float64Array.from({length: horizon}, (_, step) => adjusted * (factors[(history.length + step) % season] as number));
}

/** Mean ratio to the centred moving average for each phase, with a mean of 1. */
function seasonalFactors(history: Float64Array, season: number): Float64Array {
  const half = season / 2;
  const sums = new Float64Array(season);
  const counts = new Float64Array(season);
  for (let t = half; t < history.length - half; t++) {
    let average = ((history[t - half] as number) + (history[t + half] as number)) / 2;
    for (let k = 1 - half; k < half; k++) average += history[t + k] as number;
    const phase = t % season;
    sums[phase] = (sums[phase] as number) + (history[t] as number) / (average / season);
    counts[phase] = (counts[phase] as number) + 1;
  }
  const ratios = sums.map((sum, phase) => sum / (counts[phase] as number));
  const mean = ratios.reduce((sum, ratio) => sum + ratio / season, 0);
  return ratios.map((ratio) => ratio / mean);
}

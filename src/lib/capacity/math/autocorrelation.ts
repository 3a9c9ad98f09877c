/** z of a two-sided test at 90 %. */
const Z90 = 1.6449;

/** Sample autocorrelations of lags 0 to `most`. All 0 when the values do not vary. */
export function autocorrelations(values: Float64Array, most: number): Float64Array {
  const count = values.length;
  let mean = 0;
  for (let t = 0; t < count; t++) mean += (values[t] as number) / count;
  const found = new Float64Array(most + 1);
  for (let lag = 0; lag <= Math.min(most, count - 1); lag++) {
    let sum = 0;
    for (let t = lag; t < count; t++) sum += ((values[t] as number) - mean) * ((values[t - lag] as number) - mean);
    found[lag] = sum;
  }
  const variance = found[0] as number;
  return variance > 0 ? found.map((sum) => sum / variance) : new Float64Array(most + 1);
}

/**
 * Whether values repeat after `season` steps: the autocorrelation at that lag is above what Bartlett's formula allows to chance at 90 %, as the M4
 * competition tests for Naive2 (Makridakis, Spiliotis and Assimakopoulos 2020). Never with fewer than three seasons.
 */
export function isSeasonal(values: Float64Array, season: number): boolean {
  if (season < 2 || values.length < 3 * season) return false;
  const found = autocorrelations(values, season);
  let squares = 0;
  for (let lag = 1; lag < season; lag++) squares += (found[lag] as number) ** 2;
  return Math.abs(found[season] as number) > Z90 * Math.sqrt((1 + 2 * squares) / values.length);
}

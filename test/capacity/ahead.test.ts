import {describe, expect, it} from 'vitest';
import {lookAhead} from '../../src/lib/capacity/ahead.ts';
import {forecast} from '../../src/lib/capacity/forecast/forecast.ts';
import {hourlySeries} from './sample-series.ts';

const HOUR = 3_600_000;
/** The next four hours of five weeks whose newest `hours` are `factor` times as high as usual. */
function ahead(hours: number, factor: number) {
  const series = hourlySeries();
  const values = series.values.map((value, i) => (i >= 840 - hours ? value * factor : value));
  const end = (series.starts.at(-1) ?? 0) + HOUR;
  return lookAhead({starts: series.starts, values}, 'hourly', {from: end, to: end + 4 * HOUR}, forecast);
}
const highest = (hours: number, factor: number): number => Math.max(...(ahead(hours, factor)?.p90 ?? []));

describe('lookAhead', () => {
  it.each([1, 3, 6])('expects a surge that began %d hours ago to go on', (hours) => {
    const usual = highest(0, 1);
    expect(highest(hours, 2)).toBeGreaterThan(1.6 * usual);
    expect(highest(hours, 2)).toBeLessThan(3 * usual);
  });

  /* 800 to 1000 by day, 1 by night: 20 in the night would be twenty times that, and 20,000 by day. */
  it.each([5, 20, 100])('%i requests in a quiet night are no surge of the day that comes', (newest) => {
    const length = 27 * 24 + 4;
    const starts = Float64Array.from({length}, (_, i) => i * HOUR);
    const day = (i: number): number =>
      (i % 24 >= 7 && i % 24 < 22 ? 800 + 200 * Math.sin((i % 24) / 3) : 1) * (1 + 0.05 * Math.sin(i * 7.7));
    const values = starts.map((_, i) => (i >= length - 2 ? newest : day(i)));
    const end = length * HOUR;
    const found = lookAhead({starts, values}, 'hourly', {from: end, to: end + 9 * HOUR}, forecast);
    expect(Math.max(...(found?.p90 ?? []))).toBeGreaterThan(800);
    expect(Math.max(...(found?.p90 ?? []))).toBeLessThan(1200);
  });

  it('leaves what is as usual, and what has fallen, as it was forecast', () => {
    const series = hourlySeries();
    const plain = forecast(series.values, {grain: 'hourly', horizon: 4});
    expect([...(ahead(0, 1)?.p90 ?? [])]).toEqual([...plain.p90]);
    expect(highest(2, 0.5)).toBeLessThan(1.2 * highest(0, 1));
  });
});

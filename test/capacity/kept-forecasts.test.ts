import {describe, expect, it} from 'vitest';
import {type KeptForecast, scoreKept} from '../../src/lib/capacity/kept-forecasts.ts';
import {hourlySeries, SAMPLE_START} from './sample-series.ts';

const HOUR = 3_600_000;
const at = (hour: number): number => SAMPLE_START + hour * HOUR;
const kept = (from: number, mean: readonly number[], changes: Partial<KeptForecast> = {}): KeptForecast => ({
  ...{madeAt: at(from), grain: 'hourly', model: 'ensemble', starts: mean.map((_, i) => at(from + i)), mean},
  ...{lower95: mean.map((value) => value - 10), upper95: mean.map((value) => value + 10)},
  ...changes,
});
const came = hourlySeries({values: Float64Array.from({length: 48}, () => 100)}, 48);

describe('scoreKept', () => {
  it('scores each step that has come, as often as it was forecast', () => {
    const {forecasts, steps, furthest, scores} = scoreKept([kept(40, [90, 110, 130]), kept(46, [100, 104, 500])], came);
    // 10, 10, 30, 0 and 4 off 100; the last one has not come yet. Two of five lie within 10.
    expect([forecasts, steps, furthest]).toEqual([2, 5, 3]);
    expect(scores).toMatchObject({mape: expect.closeTo(10.8), wmape: expect.closeTo(10.8), coverage: 80});
  });

  it('leaves out forecasts of other steps, and of what has not come', () => {
    const {forecasts, steps, scores} = scoreKept([kept(40, [90], {grain: 'daily'}), kept(60, [90])], came);
    expect([forecasts, steps, scores.mape, scores.coverage]).toEqual([0, 0, null, null]);
  });

  it('does not take a gap for a value', () => {
    const gap = hourlySeries({values: Float64Array.from({length: 48}, (_, i) => (i === 41 ? Number.NaN : 100))}, 48);
    expect(scoreKept([kept(40, [100, 1, 100])], gap)).toMatchObject({steps: 2, scores: {mape: 0, coverage: 100}});
  });
});

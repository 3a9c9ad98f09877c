import {describe, expect, it} from 'vitest';
import {backtestSeries} from '../../src/lib/operate/capacity-backtest.ts';
import {forecastSeries} from '../../src/lib/operate/forecast.ts';
import {hourlySeries, SAMPLE_START} from '../capacity/sample-series.ts';

const HOUR = 3_600_000;
const NOW = SAMPLE_START + 840 * HOUR;
const ask = {objectiveMape: 10, now: NOW} as const;

describe('forecastSeries', () => {
  it('forecasts the steps after the newest, with a backtest that the naive ones lose', () => {
    const {document, exit, made} = forecastSeries([{series: hourlySeries(), horizon: 48}], ask);
    const [series] = document.series;
    expect(exit).toBe(0);
    expect(series).toMatchObject({name: 'requests', region: 'eu-west', grain: 'hourly', of: 'values', horizon: 48, withinObjective: true});
    expect(series?.forecast.map(({at}) => Date.parse(at ?? ''))).toEqual(Array.from({length: 48}, (_, i) => NOW + i * HOUR));
    const naive = series?.backtest?.models.find(({model}) => model === 'seasonal-naive');
    expect(series?.backtest?.wmape).toBeLessThan(naive?.wmape ?? 0);
    expect(made).toHaveLength(1);
  });

  it('says when the limit is met, and warns', () => {
    const {document, exit} = forecastSeries([{series: hourlySeries({limit: 1400}), horizon: 48}], ask);
    const [series] = document.series;
    expect(exit).toBe(1);
    expect(series?.crossing?.limit).toBe(1400);
    const first = series?.forecast.find(({p90}) => p90 > 1400);
    expect([series?.crossing?.p90At, first === undefined]).toEqual([first?.at, false]);
  });

  it('multiplies the path along a growth, and leaves what it keeps as it was', () => {
    const growth = {factor: 4, from: NOW, to: NOW + 47 * HOUR, text: '4x over 47h'};
    const [grown, plain] = [growth, null].map((each) => forecastSeries([{series: hourlySeries(), horizon: 48}], {...ask, growth: each}));
    const mean = (of: typeof grown, step: number) => of?.document.series[0]?.forecast[step]?.mean ?? 0;
    expect(mean(grown, 0)).toBeCloseTo(mean(plain, 0), 6);
    expect(mean(grown, 47) / mean(plain, 47)).toBeCloseTo(4, 6);
    expect(grown?.made[0]?.plain.mean).toEqual(plain?.made[0]?.path.mean);
    expect(grown?.document.growth).toMatchObject({text: '4x over 47h', factor: 4});
  });

  it('says what the backtest could not try', () => {
    const {document} = forecastSeries([{series: hourlySeries({}, 240), horizon: 480}], ask);
    expect(document.series[0]?.notes.join('\n')).toMatch(/only \d+ of 480 steps ahead be tried/);
  });

  it('has no dates of a source without times', () => {
    const starts = new Float64Array(840).fill(Number.NaN);
    const {document} = forecastSeries([{series: hourlySeries({starts}), horizon: 4}], ask);
    expect(document.series[0]).toMatchObject({
      crossing: null,
      exhaustion: null,
      forecast: [{at: null}, {at: null}, {at: null}, {at: null}],
    });
  });

  it('ends with 1 where the objective is missed, 3 where a series could not be had, or nothing is known', () => {
    const noisy = hourlySeries({values: Float64Array.from({length: 840}, (_, i) => 1 + ((i * 7919) % 997))});
    const nothing = hourlySeries({values: new Float64Array(840).fill(Number.NaN)});
    const missing = [{name: 'orders', region: null, code: 'no-data', reason: 'nothing'}];
    const good = {series: hourlySeries(), horizon: 24};
    expect(forecastSeries([{series: noisy, horizon: 24}], ask)).toMatchObject({exit: 1, document: {series: [{withinObjective: false}]}});
    expect(forecastSeries([good], {...ask, missing})).toMatchObject({exit: 3, document: {missing}});
    expect(forecastSeries([{series: nothing, horizon: 24}], ask)).toMatchObject({
      exit: 3,
      made: [null],
      document: {series: [{model: null}]},
    });
    expect(forecastSeries([good, {series: nothing, horizon: 24}], ask).exit).toBe(3);
  });
});

describe('backtestSeries', () => {
  it('tries the whole procedure beside each model, and judges it by the objective', () => {
    const tasks = [{series: hourlySeries(), horizon: 24}];
    const {document, exit} = backtestSeries(tasks, {...ask, origins: 3});
    expect([exit, document.basis, document.series[0]?.origins]).toEqual([0, 'history', 3]);
    const models = document.models.map(({model}) => model);
    expect(models).toEqual(expect.arrayContaining(['forecast', 'ensemble', 'seasonal-naive', 'last-value']));
    expect(backtestSeries(tasks, {...ask, origins: 3, objectiveMape: 0.001}).exit).toBe(1);
    expect(backtestSeries([{series: hourlySeries({}, 3), horizon: 24}], {...ask, origins: 3}).exit).toBe(3);
  });
});

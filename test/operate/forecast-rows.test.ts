import {describe, expect, it} from 'vitest';
import type {Series} from '../../src/lib/capacity/series.ts';
import {backtestSeries} from '../../src/lib/operate/capacity-backtest.ts';
import {forecastSeries} from '../../src/lib/operate/forecast.ts';
import {capacityBacktestText} from '../../src/lib/output/capacity-backtest-text.ts';
import {forecastPaths} from '../../src/lib/output/forecasts.ts';
import {plainPaint} from '../../src/lib/output/paint.ts';
import {traffic} from '../capacity/seeded.ts';

const NOW = Date.UTC(2026, 10, 28, 12);

function seriesOf(name: string, values: Float64Array, more: Partial<Series> = {}): Series {
  return {
    ...{name, region: null, unit: '', purpose: 'throughput', limit: null, grain: 'hourly', timeZone: 'UTC', remarks: []},
    starts: new Float64Array(values.length).fill(Number.NaN),
    values,
    ...more,
  };
}

const ask = {objectiveMape: null, now: NOW} as const;
const ahead = (horizon: number, ...all: readonly Series[]) => all.map((series) => ({series, horizon}));
const busy = seriesOf('busy', traffic(700, 1));
const wild = seriesOf('wild', traffic(700, 2, 60));
const empty = seriesOf('empty', new Float64Array(4).fill(Number.NaN));

describe('forecasts of series', () => {
  it('have their model, its backtest beside the yardsticks, and a step for each hour', () => {
    const {document, exit} = forecastSeries(ahead(24, busy), ask);
    expect(exit).toBe(0);
    expect(document).toMatchObject({at: '2026-11-28T12:00:00.000Z', objectiveMape: null});
    const [series] = document.series;
    expect(series).toMatchObject({name: 'busy', region: null, model: 'ensemble', withinObjective: null, exhaustion: null, notes: []});
    expect(series?.forecast).toHaveLength(24);
    expect(series?.forecast[0]?.at).toBeNull();
    expect(series?.backtest?.models.map(({model}) => model)).toContain('seasonal-naive');
    expect(series?.backtest?.coverage).toBeGreaterThan(80);
  });

  it('end with 1 where an objective is missed, and say of which series', () => {
    const {document, exit} = forecastSeries(ahead(24, busy, wild, empty), {...ask, objectiveMape: 10});
    expect(exit).toBe(1);
    expect(document.series.map(({withinObjective}) => withinObjective)).toEqual([true, false, null]);
    expect(forecastSeries(ahead(24, busy), {...ask, objectiveMape: 10}).exit).toBe(0);
  });

  it('end with 3 where nothing could be measured', () => {
    const {document, exit} = forecastSeries(ahead(24, empty), ask);
    expect(exit).toBe(3);
    expect(document.series[0]).toMatchObject({model: null, forecast: [], notes: ['No value is known: there is nothing to forecast from.']});
    expect(forecastSeries(ahead(24, seriesOf('short', Float64Array.of(1, 2))), {...ask, objectiveMape: 10}).exit).toBe(3);
  });

  it('end with 3 where a row without a value stands beside good ones, which are forecast all the same', () => {
    const {document, exit} = forecastSeries(ahead(24, empty, busy), ask);
    expect(exit).toBe(3);
    expect(forecastPaths(document).busy?.mean).toHaveLength(24);
  });

  it('as paths alone, by name', () => {
    const paths = forecastPaths(forecastSeries(ahead(3, busy, empty, seriesOf('__proto__', busy.values)), ask).document);
    expect(Object.keys(paths)).toEqual(['busy', 'empty', '__proto__']);
    expect(paths.empty).toEqual({mean: [], lower95: [], upper95: []});
    expect(paths.busy?.mean).toHaveLength(3);
    expect(paths.busy?.lower95[0]).toBeLessThan(paths.busy?.upper95[0] as number);
  });
});

describe('backtests of series', () => {
  it('compare the whole procedure with each model, as means over series', () => {
    const {document, exit} = backtestSeries(ahead(24, busy, wild), {...ask, origins: 3});
    expect(exit).toBe(0);
    expect(document.series.map(({name, origins}) => [name, origins])).toEqual([
      ['busy', 3],
      ['wild', 3],
    ]);
    const whole = document.models.find(({model}) => model === 'forecast');
    const [first, second] = document.series;
    expect(whole?.wmape).toBeCloseTo(((first?.wmape as number) + (second?.wmape as number)) / 2, 9);
    expect(whole?.measured).toBe(2);
    const naive = document.models.find(({model}) => model === 'last-value');
    expect(whole?.mase).toBeLessThan(naive?.mase as number);
    const order = document.models.map(({mase}) => mase as number);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it('compare each model with the whole procedure on the series that it was run on', () => {
    const short = seriesOf(
      'short',
      Float64Array.from({length: 60}, (_, i) => 50 + 5 * ((i * 7) % 5)),
    );
    const {document} = backtestSeries(ahead(12, busy, short), {...ask, origins: 2});
    const alone = document.models.find(({measured}) => measured === 1);
    const ofSeries = document.series.find(({models}) => models.some(({model}) => model === alone?.model));
    expect(alone?.forecastMase).toBeCloseTo(ofSeries?.mase as number, 9);
    const both = document.models.find(({model}) => model === 'last-value');
    expect(both?.forecastMase).toBeCloseTo(((document.series[0]?.mase as number) + (document.series[1]?.mase as number)) / 2, 9);
    const ranks = document.models.map(({mase, forecastMase}) => (mase as number) / (forecastMase as number));
    expect(ranks).toEqual([...ranks].sort((x, y) => x - y));
    const text = capacityBacktestText(document, {columns: 120, paint: plainPaint(), now: NOW, rows: 5});
    expect(text).toContain('MASE  forecast’s');
    expect(text).toContain('Means over the series that each was run on');
  });

  it('judge the objective, and are unknown where no history is long enough', () => {
    expect(backtestSeries(ahead(24, busy, wild), {...ask, origins: 2, objectiveMape: 10}).exit).toBe(1);
    expect(backtestSeries(ahead(24, busy), {...ask, origins: 2, objectiveMape: 10}).exit).toBe(0);
    const {document, exit} = backtestSeries(ahead(24, seriesOf('short', Float64Array.of(1, 2))), {...ask, origins: 2});
    expect(exit).toBe(3);
    expect(document).toMatchObject({models: [], series: [{origins: 0, notes: ['The history is too short for a backtest.']}]});
  });
});

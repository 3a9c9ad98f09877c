import {backtestSeries} from '../../src/lib/operate/capacity-backtest.ts';
import {forecastSeries} from '../../src/lib/operate/forecast.ts';
import {hourlySeries, SAMPLE_START} from '../capacity/sample-series.ts';

const ask = {objectiveMape: 10, now: SAMPLE_START + 840 * 3_600_000} as const;
const missing = [{name: 'orders', region: null, code: 'metrics-timeout', reason: 'prom: no answer within 20000 ms'}];

/** One that meets its limit, one without a limit, one of which nothing is known. */
export const forecastsSample = forecastSeries(
  [
    {series: hourlySeries({limit: 1400}), horizon: 24},
    {series: hourlySeries({region: null, limit: null, values: Float64Array.from({length: 840}, (_, i) => 500 + (i % 24))}), horizon: 24},
    {series: hourlySeries({name: 'queue', values: new Float64Array(840).fill(Number.NaN)}), horizon: 24},
  ],
  {...ask, missing},
);

export const forecastSample = forecastsSample.document;
export const backtestSample = backtestSeries([{series: hourlySeries(), horizon: 24}], {...ask, origins: 2, missing}).document;

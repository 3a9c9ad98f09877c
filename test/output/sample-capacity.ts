import type {CapacityBacktestDocument} from '../../src/lib/operate/capacity-backtest.ts';
import type {ForecastDocument} from '../../src/lib/operate/forecast.ts';

const AT = '2026-11-28T12:00:00.000Z';
const ensemble = {mape: 3.214, wmape: 3.05, mase: 0.712, smape: 3.19};
const naive = {mape: 6.1, wmape: 5.92, mase: 1.31, smape: 6.02};
const last = {mape: 41.2, wmape: 38.8, mase: 8.4, smape: 36.1};

/** Two series: one with times and an objective that is missed, one of which no value is known. */
export const forecastSample: ForecastDocument = {
  at: AT,
  grain: 'hourly',
  horizon: 3,
  objectiveMape: 3,
  series: [
    {
      name: 'orders-writes',
      region: 'eu-west-1',
      unit: 'req/s',
      model: 'ensemble',
      backtest: {
        ...ensemble,
        coverage: 94.6,
        origins: 5,
        horizon: 3,
        models: [
          {model: 'ensemble', ...ensemble},
          {model: 'autoregression', ...ensemble, mase: 0.74},
          {model: 'seasonal-naive', ...naive},
          {model: 'last-value', ...last},
        ],
      },
      withinObjective: false,
      forecast: [
        {at: '2026-11-28T13:00:00.000Z', mean: 12_044.5, p10: 11_800.2, p90: 12_290, lower95: 11_500.75, upper95: 12_610.1},
        {at: '2026-11-28T14:00:00.000Z', mean: 12_390.1, p10: 12_011, p90: 12_777.4, lower95: 11_690.2, upper95: 13_150.9},
        {at: '2026-11-28T15:00:00.000Z', mean: 0.0421, p10: 0.03, p90: 0.05, lower95: 0, upper95: 0.1},
      ],
      exhaustion: null,
      notes: ['Inside the history 2 values are not known: filled for fitting, left out of scores.'],
    },
    {
      name: 'sessions',
      region: null,
      unit: '',
      model: null,
      backtest: null,
      withinObjective: null,
      forecast: [],
      exhaustion: null,
      notes: ['No value is known: there is nothing to forecast from.'],
    },
  ],
};

/** Two series, one of them too short. */
export const capacityBacktestSample: CapacityBacktestDocument = {
  at: AT,
  grain: 'daily',
  horizon: 14,
  objectiveMape: 10,
  models: [
    {model: 'forecast', measured: 1, ...ensemble, coverage: 95.1},
    {model: 'seasonal-naive', measured: 1, ...naive, coverage: null},
    {model: 'last-value', measured: 1, ...last, mape: null, coverage: null},
  ],
  series: [
    {
      name: 'orders-per-day',
      region: 'us-east-1',
      origins: 5,
      ...ensemble,
      coverage: 95.1,
      withinObjective: true,
      models: [
        {model: 'seasonal-naive', ...naive},
        {model: 'last-value', ...last},
      ],
      notes: [],
    },
    {
      name: 'new',
      region: null,
      origins: 0,
      ...{mape: null, wmape: null, mase: null, smape: null, coverage: null},
      withinObjective: null,
      models: [],
      notes: ['The history is too short for a backtest.'],
    },
  ],
};

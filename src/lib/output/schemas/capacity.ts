import {z} from 'zod';
import {sentence, time} from './fields.ts';

/** In percent, or a ratio for MASE; null = could not be measured. */
const score = z.number().min(0).nullable();

const scores = {mape: score, wmape: score, mase: score, smape: score};

const grain = z.enum(['hourly', 'daily', 'weekly']);

const step = z.looseObject({
  /** When the step begins; null where the source has no times, such as rows of a CSV file. */
  at: time.nullable(),
  mean: z.number(),
  p10: z.number(),
  p90: z.number(),
  lower95: z.number(),
  upper95: z.number(),
});

const backtest = z.looseObject({
  ...scores,
  /** Share of values inside the 95 % interval, in percent. */
  coverage: score,
  origins: z.int().min(1),
  horizon: z.int().min(1),
  models: z.array(z.looseObject({model: z.string(), ...scores})),
});

const exhaustion = z.looseObject({
  limit: z.number(),
  state: z.enum(['full', 'filling', 'not-within-horizon', 'flat', 'shrinking', 'no-limit', 'too-short']),
  p50At: time.nullable(),
  p90At: time.nullable(),
  earliestAt: time.nullable(),
  latestAt: time.nullable(),
  break: z
    .looseObject({at: time, kind: z.enum(['level', 'slope', 'level-and-slope']), jump: z.number(), slopeChangePerDay: z.number()})
    .nullable(),
  growth: z.enum(['steady', 'accelerating']),
  slopePerDay: z.number().nullable(),
  confidence: z.enum(['high', 'medium', 'low']).nullable(),
  horizonAt: time,
  says: sentence,
});

/** A series of the fleet file that could not be had. */
export const missingSchema = z.looseObject({name: z.string(), region: z.string().nullable(), code: z.string(), reason: sentence});

const series = z.looseObject({
  name: z.string(),
  region: z.string().nullable(),
  unit: z.string(),
  model: z.string().nullable(),
  backtest: backtest.nullable(),
  withinObjective: z.boolean().nullable(),
  forecast: z.array(step),
  limit: z.number().nullable(),
  grain,
  /** By whose days steps go: a day of Berlin begins at 22:00 or 23:00 UTC of the day before. */
  timeZone: z.string(),
  /** `daily-peaks`: the highest hour of each day was forecast. */
  of: z.enum(['values', 'daily-peaks']),
  horizon: z.int().min(1),
  /** When this path, with the growth that was asked for, first reaches the limit; null where there is no limit, or no times. */
  crossing: z.looseObject({limit: z.number(), p50At: time.nullable(), p90At: time.nullable()}).nullable(),
  /** When the limit is reached by the growth that the history shows; null where there is no limit, or no times. */
  exhaustion: exhaustion.nullable(),
  notes: z.array(sentence),
});

/** `capacity forecast --json`. */
export const forecastSchema = z.looseObject({
  at: time,
  objectiveMape: z.number().nullable(),
  /** What all paths were multiplied by; null = nothing. */
  growth: z.looseObject({text: z.string(), factor: z.number(), from: time, to: time}).nullable(),
  series: z.array(series),
  /** Series of the fleet file that could not be had. */
  missing: z.array(missingSchema),
});

const named = z.looseObject({...scores, model: z.string()});

/** `capacity backtest --json`. */
export const capacityBacktestSchema = z.looseObject({
  at: time,
  /** Earlier origins in the history, or forecasts that were made and kept. */
  basis: z.enum(['history', 'stored']),
  objectiveMape: z.number().nullable(),
  /** Means over the series that a model was run on, best first. `measured` = how many; `forecastMase` = the MASE of the whole procedure on the same series. */
  models: z.array(z.looseObject({...scores, model: z.string(), measured: z.int(), coverage: score, forecastMase: score})),
  series: z.array(
    z.looseObject({
      name: z.string(),
      region: z.string().nullable(),
      grain,
      horizon: z.int().min(0),
      origins: z.int(),
      ...scores,
      coverage: score,
      withinObjective: z.boolean().nullable(),
      models: z.array(named),
      notes: z.array(sentence),
    }),
  ),
  missing: z.array(missingSchema),
});

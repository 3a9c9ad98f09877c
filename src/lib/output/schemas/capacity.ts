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

/** When a limit will be reached; null = not before the end of the forecast. The whole is null where there is no limit. */
const exhaustion = z.looseObject({limit: z.number(), p50At: time.nullable(), p90At: time.nullable()});

const series = z.looseObject({
  name: z.string(),
  region: z.string().nullable(),
  unit: z.string(),
  model: z.string().nullable(),
  backtest: backtest.nullable(),
  withinObjective: z.boolean().nullable(),
  forecast: z.array(step),
  exhaustion: exhaustion.nullable(),
  notes: z.array(sentence),
});

/** `capacity forecast --json`. */
export const forecastSchema = z.looseObject({
  at: time,
  grain,
  horizon: z.int().min(1),
  objectiveMape: z.number().nullable(),
  series: z.array(series),
});

const named = z.looseObject({...scores, model: z.string()});

/** `capacity backtest --json`. */
export const capacityBacktestSchema = z.looseObject({
  at: time,
  grain,
  horizon: z.int().min(1),
  objectiveMape: z.number().nullable(),
  /** Means over all series that the score could be measured for, best first. `measured` = how many series. */
  models: z.array(z.looseObject({...scores, model: z.string(), measured: z.int(), coverage: score})),
  series: z.array(
    z.looseObject({
      name: z.string(),
      region: z.string().nullable(),
      origins: z.int(),
      ...scores,
      coverage: score,
      withinObjective: z.boolean().nullable(),
      models: z.array(named),
      notes: z.array(sentence),
    }),
  ),
});

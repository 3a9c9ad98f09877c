import {z} from 'zod';
import {type Grain, PURPOSES, type Purpose} from '../capacity/series.ts';
import {isTimeZone} from '../time-zone.ts';
import type {CapacityPlanSpec} from './capacity-plan.ts';
import {capacityPlanKeys, capacityPlanOf} from './capacity-plan-schema.ts';
import {durationMs, spanMs} from './fields.ts';
import type {CapacitySpec, SeriesSpec} from './fleet.ts';
import {NAME} from './name-checks.ts';

const DAY_MS = 24 * 3_600_000;
/** How far back each grain is read: enough of its longest season to tell it from noise. */
const HISTORY_MS: Readonly<Record<Grain, number>> = {hourly: 35 * DAY_MS, daily: 400 * DAY_MS, weekly: 1095 * DAY_MS};
/** What stays where it is when a region fails over. */
const STAYS: ReadonlySet<Purpose> = new Set<Purpose>(['disk', 'slots']);

const positive = (fix: string) => z.number().refine((value) => value > 0, {params: {expected: 'a number above 0', fix}});
const limit = positive('Write what the region can carry, in the unit of the series.');

/** Where series come from: the generic keys; the rest belongs to its provider. */
export const metricsSchema = z
  .looseObject({
    kind: z.string().min(1).describe('Kind of source.'),
    timeout: durationMs.prefault('20s').describe('Deadline of one question. Default 20s.'),
  })
  .describe('A source of series.');

const regionSchema = z
  .strictObject({
    limit: limit
      .nullable()
      .default(null)
      .describe('What the region can carry, in the unit of the series. Default: the limit of the series.'),
    query: z.string().min(1).nullable().default(null).describe('The question for this region. Default: the query of the series.'),
    size: positive('Write 2 for a region that is twice as large as the others.')
      .default(1)
      .describe('How large the region is beside the others. Default 1.'),
  })
  .describe('What holds for one region.');

const seriesSchema = z
  .strictObject({
    source: z.string().describe('The source of metrics that is asked.'),
    collect: z
      .string()
      .nullable()
      .default(null)
      .describe(
        'The source that `capacity collect` takes the current value from. Default: source. Required where source is the own history.',
      ),
    for: z.enum(PURPOSES).describe(`What it measures: ${PURPOSES.join(', ')}.`),
    unit: z.string().min(1).max(24).describe('Unit of its values, such as req/s.'),
    query: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'What the source is asked, as it wants it; $region stands for the name of the region, $window for the time between two values that are read (5m for hourly, 60m for daily, 360m for weekly steps). Default: what the source has by itself.',
      ),
    counter: z.boolean().default(false).describe('Values only grow: rates per second are taken, or what orders grew by. Default false.'),
    step: z.enum(['hourly', 'daily', 'weekly']).default('hourly').describe('Steps that it is forecast in. Default hourly.'),
    timeZone: z
      .string()
      .refine(isTimeZone, {params: {expected: 'a time zone such as Europe/Berlin or UTC', fix: 'Use a name of the IANA database.'}})
      .default('UTC')
      .describe('Time zone whose hours and days it follows. Default UTC.'),
    history: spanMs
      .refine((ms) => ms > 0, {params: {expected: 'a span such as 5w', fix: 'Write at least 1h.'}})
      .nullable()
      .default(null)
      .describe('How far back it is read. Default: 5w for hourly, 400d for daily, 1095d for weekly steps.'),
    dataClass: z
      .string()
      .nullable()
      .default(null)
      .describe('Data class that it serves: it moves only where that may be. Default: anywhere.'),
    moves: z
      .boolean()
      .nullable()
      .default(null)
      .describe('Whether it follows traffic to another region. Default: yes, but for disk and slots.'),
    limit: limit.nullable().default(null).describe('Limit of each region that has none of its own, or of the whole fleet. Default: none.'),
    regions: z
      .record(z.string(), regionSchema.nullable())
      .default({})
      .describe('Regions that have it, by name. Default: none, it is of the whole fleet.'),
  })
  .describe('A series that is forecast.');

/** What is forecast, and how well it must be: its keys, with their defaults. */
export const capacitySchema = z
  .strictObject({
    objective: z
      .strictObject({
        mape: positive('Write 10 for 10 %.')
          .default(10)
          .describe('Mean absolute percentage error that forecasts must keep, in percent. Default 10.'),
      })
      .prefault({})
      .describe('How well forecasts must do.'),
    keep: spanMs
      .refine((ms) => ms >= DAY_MS, {params: {expected: 'at least 1d', fix: 'Write a span such as 400d.'}})
      .prefault('400d')
      .describe('How long what `capacity collect` wrote is kept. Default 400d.'),
    series: z
      .record(z.string().regex(NAME, 'a name begins with a letter and has letters, digits, - and _ only (at most 63)'), seriesSchema)
      .default({})
      .describe('Series by name.'),
    ...capacityPlanKeys,
  })
  .nullable()
  .default(null)
  .describe('Capacity: which series are forecast, with their limits.');

type Written = NonNullable<z.output<typeof capacitySchema>>;

/** Capacity as the fleet has it. `resolve` makes a path absolute. */
export function capacityOf(
  {objective, keep, series, ...plan}: Written,
  resolve: (file: string) => string,
): CapacitySpec & CapacityPlanSpec {
  return {
    ...{mape: objective.mape, keepMs: keep, series: Object.entries(series).map(([name, one]) => seriesOf(name, one))},
    ...capacityPlanOf(plan, resolve),
  };
}

function seriesOf(name: string, written: Written['series'][string]): SeriesSpec {
  const {source, collect, for: purpose, unit, query, counter, step: grain, timeZone, history, dataClass, moves, limit: common} = written;
  return {
    ...{name, source, collect, purpose, unit, query, counter, grain, timeZone, dataClass, limit: common},
    historyMs: history ?? HISTORY_MS[grain],
    moves: moves ?? !STAYS.has(purpose),
    regions: Object.entries(written.regions).map(([region, own]) => ({
      region,
      limit: own?.limit ?? common,
      query: own?.query ?? null,
      size: own?.size ?? 1,
    })),
  };
}

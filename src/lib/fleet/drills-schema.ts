import {z} from 'zod';
import {field, parseSpan, spanMs} from './fields.ts';
import type {DrillsSpec, EverySpec, Period} from './fleet.ts';

const PERIODS: readonly Period[] = ['week', 'month', 'quarter', 'year'];
const DAY_MS = 24 * 3_600_000;
/** `failover ready` keeps its checks for so long: what is owed less often could not be told. */
const READINESS_KEPT_MS = 30 * DAY_MS;
/** A drill has the same names: see drill-file.ts. */
const DRILL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** How often something is owed: a calendar period, or a span since it was last done. */
const every = field<EverySpec>({
  expected: 'week, month, quarter or year, or a span such as 12h, 30d or 2w',
  fix: 'Write month for once in each calendar month, or 30d for 30 days after the last time.',
  json: {type: 'string', pattern: `^(week|month|quarter|year|[0-9]*[1-9][0-9]*(h|d|w))$|\\$\\{env:[A-Za-z_][A-Za-z0-9_]*\\}`},
  parse: parseEvery,
});

const readinessSchema = z
  .strictObject({
    every: every.prefault('7d').describe('How often. Default 7d.'),
    grace: spanMs.prefault('1d').describe('How much later it may be. Default 1d.'),
  })
  .refine(({every: one, grace}) => ('period' in one ? one.period === 'week' : true) && longestMs(one) + grace <= READINESS_KEPT_MS, {
    path: ['every'],
    message: 'checks of readiness are kept for 30 days: every and grace together are 30d at most, or every is week',
  })
  .nullable()
  .default(null)
  .describe('How often `failover ready` must find every way open. Default: never.');

const entrySchema = z
  .strictObject({
    every: every.prefault('month').describe('How often it must pass: week, month, quarter, year, or a span such as 30d. Default month.'),
    grace: spanMs.prefault('3d').describe('How much later it may be. Default 3d.'),
    file: z.string().min(1).nullable().default(null).describe('Its file, relative to this one. Default: found by its name.'),
  })
  .describe('A drill that must pass regularly.');

/** The calendar of drills: its keys, with their defaults. */
export const drillsSchema = z
  .strictObject({
    calendar: z
      .record(z.string().regex(DRILL_NAME, 'a drill has letters, digits, ".", "-" and "_" only (at most 63)'), entrySchema)
      .default({})
      .describe('Which drills must pass, and how often, by the name of the drill.'),
    readiness: readinessSchema,
  })
  .prefault({})
  .describe('What `drill due` goes by. Times are UTC.');

/** The calendar as the fleet has it. `resolve` makes a path absolute. */
export function drillsOf({calendar, readiness}: z.output<typeof drillsSchema>, resolve: (file: string) => string): DrillsSpec {
  return {
    calendar: Object.entries(calendar).map(([name, {every: often, grace, file}]) => ({
      name,
      every: often,
      graceMs: grace,
      file: file === null ? null : resolve(file),
    })),
    readiness: readiness === null ? null : {every: readiness.every, graceMs: readiness.grace},
  };
}

/** Two weeks lie between the first day of one and the last day of the next. */
function longestMs(one: EverySpec): number {
  return 'ms' in one ? one.ms : 14 * DAY_MS;
}

function parseEvery(value: unknown): EverySpec | undefined {
  const period = PERIODS.find((each) => each === value);
  if (period !== undefined) return {text: period, period};
  const ms = parseSpan(value);
  return ms === undefined || ms === 0 ? undefined : {text: String(value), ms};
}

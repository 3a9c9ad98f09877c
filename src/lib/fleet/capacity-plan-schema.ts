import {z} from 'zod';
import type {CapacityPlanSpec, ScalingSpec} from './capacity-plan.ts';
import {durationMs} from './fields.ts';

const percent = (least: number, most: number) => z.number().min(least).max(most);
const ABOVE_ZERO = {params: {expected: 'a number above 0', fix: 'Write a number above 0.'}};
const aboveZero = z.number().refine((value) => value > 0, ABOVE_ZERO);
const money = z.number().min(0);

/** Keys of `capacity.failover`, with their defaults. */
export const failoverLoadSchema = z
  .strictObject({
    window: durationMs
      .refine((ms) => ms >= 60_000, {params: {expected: 'at least 1m', fix: 'Write how long a failover lasts, such as 4h.'}})
      .prefault('4h')
      .describe('How long the others have to carry what a region had. Default 4h.'),
    headroom: percent(0, 90).default(10).describe('Percent of each limit that should be left free; with less it is tight. Default 10.'),
    routes: z
      .record(z.string(), z.array(z.string()).min(1))
      .default({})
      .describe('The routes whose traffic causes a load, by series. Default: all, in even parts.'),
  })
  .prefault({})
  .describe('How it is judged whether the others can carry what a region has.');

const scalingEntrySchema = z
  .strictObject({
    perReplica: aboveZero.describe('How much of the load one replica serves when it is fully used, in the unit of the series.'),
    margin: z.number().min(1).max(100).default(2).describe('Safety margin: replicas for so many times the expected load. Default 2.'),
    burst: z.number().min(1).max(100).default(2).describe('A burst is so many times the load of its hour. Default 2.'),
    burstFor: durationMs.prefault('10m').describe('How long a burst lasts. Default 10m.'),
    leadTime: durationMs.prefault('3m').describe('From the decision to scale up until new replicas serve. Default 3m.'),
    stabilisation: durationMs.prefault('5m').describe('How long replicas stay after the load fell. Default 5m.'),
    least: z.int().min(1).max(1_000_000).default(1).describe('Never fewer replicas. Default 1.'),
    most: z.int().min(1).max(1_000_000).nullable().default(null).describe('Never more replicas: the budget. Default: no limit.'),
    perInstance: aboveZero.default(1).describe('How many replicas an instance of the price file holds. Default 1.'),
    deployment: z.string().min(1).nullable().default(null).describe('Deployment that is scaled, for --format hpa. Default: none.'),
    namespace: z.string().min(1).nullable().default(null).describe('Its namespace. Default: none.'),
    metric: z
      .string()
      .min(1)
      .default('cpu')
      .describe('What it is scaled by: cpu (share of what is requested), or the name of a metric that each pod has. Default cpu.'),
  })
  .refine(({least, most}) => most === null || most >= least, {
    path: ['most'],
    error: 'must not be below least',
    params: {fix: 'Raise most, or lower least.'},
  })
  .describe('How the load of a series is served.');

/** `capacity.scaling`: by series. */
export const scalingSchema = z.record(z.string(), scalingEntrySchema).default({}).describe('How loads are served by replicas, by series.');

const transferSchema = z
  .strictObject({
    route: z.string().describe('Route whose weights say where it happens.'),
    gbPerMonth: z.number().min(0).describe('GB in a month, of all regions together.'),
    to: z.array(z.string()).min(1).nullable().default(null).describe("Regions that each region's part goes to (replication)."),
    from: z.string().nullable().default(null).describe("Region that each region's part comes from (reads from home)."),
  })
  .refine(({to, from}) => (to === null) !== (from === null), {
    error: 'needs either to or from, and not both',
    params: {fix: 'Write to: the regions that each part goes to, or from: the region that each part comes from.'},
  })
  .describe('Data that crosses regions.');

const objectivesSchema = z
  .strictObject({
    perMonth: money.nullable().default(null).describe('The budget of a month, in the currency of the price file. Default: none.'),
    savings: percent(0, 100).nullable().default(null).describe('Percent that is saved against fixed capacity, at least. Default: none.'),
    unit: z
      .strictObject({
        series: z.string().describe('Series whose units are counted.'),
        per: aboveZero.default(1000).describe('How many units the price is for. Default 1000.'),
        most: money.describe('What they may cost.'),
      })
      .nullable()
      .default(null)
      .describe('What so many units may cost. Default: none.'),
  })
  .prefault({})
  .describe('What cost is judged by.');

const tiersSchema = z
  .strictObject({
    hot: money.default(3).describe('Default 3.'),
    warm: money.default(2).describe('Default 2.'),
    cold: money.default(0.1).describe('Default 0.1.'),
  })
  .prefault({})
  .describe('What a region costs by its tier, as a multiple of its bare capacity.');

/** `capacity.cost`. */
export const costSchema = z
  .strictObject({
    prices: z.string().min(1).describe('The price file, relative to this one.'),
    spotShare: percent(0, 100).default(40).describe('Percent of the needed instances that may be spot. Default 40.'),
    tiers: tiersSchema,
    transfer: z.record(z.string(), transferSchema).default({}).describe('Data that crosses regions, by name.'),
    objectives: objectivesSchema,
  })
  .nullable()
  .default(null)
  .describe('What capacity costs. Default: nothing is priced.');

/** The three keys beside `capacity.series`. */
export const capacityPlanKeys = {failover: failoverLoadSchema, scaling: scalingSchema, cost: costSchema} as const;

type Written = {
  readonly failover: z.output<typeof failoverLoadSchema>;
  readonly scaling: z.output<typeof scalingSchema>;
  readonly cost: z.output<typeof costSchema>;
};

/** What is planned for, as the fleet has it. `resolve` makes a path absolute. */
export function capacityPlanOf({failover, scaling, cost}: Written, resolve: (file: string) => string): CapacityPlanSpec {
  return {
    failover: {windowMs: failover.window, headroom: failover.headroom, routes: failover.routes},
    scaling: Object.entries(scaling).map(([series, written]) => scalingOf(series, written)),
    cost:
      cost === null
        ? null
        : {
            prices: resolve(cost.prices),
            rules: {
              ...{spotShare: cost.spotShare, tiers: cost.tiers, objectives: cost.objectives},
              // The schema lets only one of the two be there.
              transfer: Object.entries(cost.transfer).map(([name, {route, gbPerMonth, to, from}]) => ({
                ...{name, route, gbPerMonth},
                way: from === null ? {to: to ?? []} : {from},
              })),
            },
          },
  };
}

function scalingOf(series: string, written: Written['scaling'][string]): ScalingSpec {
  const {perReplica, margin, burst, burstFor, leadTime, stabilisation, least, most, perInstance, deployment, namespace, metric} = written;
  return {
    series,
    rule: {perReplica, margin, burst, burstMs: burstFor, leadMs: leadTime, stabilisationMs: stabilisation, least, most},
    perInstance,
    target: deployment === null ? null : {deployment, namespace, metric},
  };
}

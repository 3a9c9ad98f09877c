import type {Tier} from '../../fleet/fleet.ts';
import type {Schedule} from '../scaling/schedule.ts';
import {replicaHours} from '../scaling/schedule.ts';
import type {Weights} from '../survive/flows.ts';
import {bestMix, durationCurve, fixedCost, type Mix} from './mix.ts';
import {instancePrices, type Prices} from './prices.ts';
import {type TransferCost, type TransferSpec, transferCost} from './transfer.ts';

/** What cost is judged by. Money in the currency of the price file; percent from 0 to 100. null = no such objective. */
export type CostObjectives = {
  readonly perMonth: number | null;
  /** At least so much is saved against fixed capacity. */
  readonly savings: number | null;
  /** `most` for every `per` units of a series, such as 0.01 for 1000 requests. */
  readonly unit: {readonly series: string; readonly per: number; readonly most: number} | null;
};

export type CostRules = {
  /** Percent of the needed instances that may be spot. */
  readonly spotShare: number;
  /** What a region costs by its tier, compared with the bare capacity. */
  readonly tiers: Readonly<Record<Tier, number>>;
  readonly transfer: readonly TransferSpec[];
  readonly objectives: CostObjectives;
};

/** hot 3x, warm 2x and cold 0.1x, and 40 % spot, where the fleet file says nothing. */
export const COST_DEFAULTS = {spotShare: 40, tiers: {hot: 3, warm: 2, cold: 0.1}} as const;

/** One scaled load in one region: its schedule over the period. `units` = how much of it there is in the period (requests, orders); null = not countable. */
export type ScaledLoad = {
  readonly series: string;
  readonly region: string;
  readonly tier: Tier;
  readonly schedule: Schedule;
  readonly perInstance: number;
  readonly units: number | null;
};

/** One load in one region, priced. Money is per month of 730 hours. */
export type CostRow = {
  readonly series: string;
  readonly region: string;
  readonly tier: Tier;
  readonly replicas: {readonly min: number; readonly max: number; readonly hours: number};
  /** The most instances of the period, and how many are reserved. */
  readonly instances: number;
  readonly reserved: number;
  readonly breakEven: number | null;
  /** Percent of the instance hours that are needed, by how they are bought. */
  readonly shares: {readonly reserved: number; readonly onDemand: number; readonly spot: number};
  readonly perMonth: number;
  readonly onDemandPerMonth: number;
  readonly fixedPerMonth: number;
  /** Percent less than fixed capacity. */
  readonly saved: number;
  /** What the region costs in each tier. */
  readonly tiers: Readonly<Record<Tier, number>>;
};

export type CostObjectiveRow = {
  readonly kind: 'per-month' | 'savings' | 'unit-cost';
  readonly target: number;
  /** null = it could not be measured. */
  readonly measured: number | null;
  readonly met: boolean | null;
};

export type CostReport = {
  readonly currency: string;
  readonly rows: readonly CostRow[];
  readonly transfer: TransferCost;
  /** Of the planned split; null = none was given. */
  readonly planned: TransferCost | null;
  /** Instances and today's transfer; null = something could not be priced. */
  readonly perMonth: number | null;
  readonly fixedPerMonth: number;
  readonly saved: number | null;
  readonly unitCost: {readonly series: string; readonly per: number; readonly cost: number} | null;
  readonly objectives: readonly CostObjectiveRow[];
  /** What could not be priced, in sentences. */
  readonly notes: readonly string[];
};

export type CostInput = {
  readonly loads: readonly ScaledLoad[];
  readonly prices: Prices;
  readonly rules: CostRules;
  /** Weights by route: today's, and of a planned split. */
  readonly weights: Readonly<Record<string, Weights>>;
  readonly planned: Readonly<Record<string, Weights>> | null;
  /** What is transferred, times this: a growth. Default 1; `loads` are grown already. */
  readonly times?: number;
  /** How many loads could not be had: they cost something, too, so that no sum and no objective can be measured without them. Default 0. */
  readonly missing?: number;
};

/** Hours of a month as clouds bill it: 8760 / 12. */
export const MONTH_HOURS = 730;
const HOUR_MS = 3_600_000;

/** Prices the schedules of periods, each brought to a month, with the transfer of a split of traffic, and judges the objectives. Pure. */
export function costReport({loads, prices, rules, weights, planned, times = 1, missing = 0}: CostInput): CostReport {
  const priced = loads.map((load) => costRow(load, prices, rules));
  const rows = priced.flatMap((each) => (typeof each === 'string' ? [] : [each]));
  const moved = rules.transfer.map((spec) => ({...spec, gbPerMonth: spec.gbPerMonth * times}));
  const transfer = transferCost(moved, weights, prices);
  const then = planned === null ? null : transferCost(moved, {...weights, ...planned}, prices);
  const areAll = missing === 0 && rows.length === loads.length;
  const isWhole = areAll && transfer.perMonth !== null;
  const instances = rows.reduce((sum, row) => sum + row.perMonth, 0);
  const fixed = rows.reduce((sum, row) => sum + row.fixedPerMonth, 0);
  const total = isWhole ? instances + (transfer.perMonth ?? 0) : null;
  const saved = areAll && fixed > 0 ? savedPercent(instances, fixed) : null;
  const unitCost = unitCostOf(rules.objectives, loads, total);
  return {
    currency: prices.currency,
    ...{rows, transfer, planned: then, perMonth: total, fixedPerMonth: fixed, saved, unitCost},
    objectives: objectivesOf(rules.objectives, {least: instances + sumOf(transfer), perMonth: total, saved, unit: unitCost?.cost ?? null}),
    notes: [
      ...priced.flatMap((each) => (typeof each === 'string' ? [each] : [])),
      ...unpriced([transfer, ...(then === null ? [] : [then])]),
    ],
  };
}

/** One load in one region, or a sentence when the price file has no price of its instances. */
function costRow(load: ScaledLoad, prices: Prices, rules: CostRules): CostRow | string {
  const {series, region, tier, schedule} = load;
  const found = instancePrices(prices, region);
  if (found === null) return `the price file has no instances in ${region}: ${series} there is not priced`;
  const hourly = {onDemand: found.onDemand.amount, reserved: found.reserved?.amount ?? null, spot: found.spot?.amount ?? null};
  const perMonth = periodsPerMonth(schedule);
  const curve = durationCurve(schedule.stretches, load.perInstance);
  const mix = bestMix(curve, hourly, rules.spotShare);
  const needed = curve.reduce((sum, level) => sum + level.instances * level.hours, 0);
  const fixedPerMonth = fixedCost(curve, hourly) * perMonth;
  const monthly = mix.cost.total * perMonth;
  return {
    ...{series, region, tier},
    replicas: {min: schedule.min, max: schedule.max, hours: replicaHours(schedule.stretches)},
    instances: curve.at(-1)?.instances ?? 0,
    reserved: mix.reserved,
    breakEven: mix.breakEven,
    shares: sharesOf(mix, needed),
    perMonth: monthly,
    onDemandPerMonth: needed * hourly.onDemand * perMonth,
    fixedPerMonth,
    saved: savedPercent(monthly, fixedPerMonth),
    tiers: {hot: monthly * rules.tiers.hot, warm: monthly * rules.tiers.warm, cold: monthly * rules.tiers.cold},
  };
}

/** Reserved hours that idle serve nobody, so they are no part of what is needed. */
function sharesOf({hours}: Mix, needed: number): CostRow['shares'] {
  const percent = (part: number): number => (needed === 0 ? 0 : (part / needed) * 100);
  return {reserved: percent(hours.reserved - hours.idle), onDemand: percent(hours.onDemand), spot: percent(hours.spot)};
}

/** How often the period of a schedule fits into a month. */
function periodsPerMonth({stretches}: Schedule): number {
  const hours = ((stretches.at(-1)?.to ?? 0) - (stretches[0]?.from ?? 0)) / HOUR_MS;
  return hours === 0 ? 0 : MONTH_HOURS / hours;
}

const savedPercent = (cost: number, fixed: number): number => (fixed === 0 ? 0 : (1 - cost / fixed) * 100);

/** All that is paid in a month, by the units of one series in all of its regions. */
function unitCostOf({unit}: CostObjectives, loads: readonly ScaledLoad[], total: number | null): CostReport['unitCost'] {
  const own = loads.filter(({series}) => series === unit?.series);
  if (unit === null || total === null || own.length === 0 || own.some(({units}) => units === null)) return null;
  const units = own.reduce((sum, load) => sum + (load.units ?? 0) * periodsPerMonth(load.schedule), 0);
  return units <= 0 ? null : {series: unit.series, per: unit.per, cost: (total / units) * unit.per};
}

const sumOf = ({rows}: TransferCost): number => rows.reduce((sum, {cost}) => sum + (cost ?? 0), 0);

/** `least`: what is known to be paid in a month. Where that alone is above the budget, no more has to be known. */
type Measured = {readonly least: number; readonly perMonth: number | null; readonly saved: number | null; readonly unit: number | null};

function objectivesOf({perMonth, savings, unit}: CostObjectives, measured: Measured): readonly CostObjectiveRow[] {
  const atMost = (kind: 'per-month' | 'unit-cost', target: number, value: number | null): CostObjectiveRow => ({
    ...{kind, target, measured: value},
    met: value === null ? null : value <= target,
  });
  const isOver = perMonth !== null && measured.least > perMonth;
  return [
    ...(perMonth === null ? [] : [{...atMost('per-month', perMonth, measured.perMonth), ...(isOver ? {met: false} : {})}]),
    ...(unit === null ? [] : [atMost('unit-cost', unit.most, measured.unit)]),
    ...(savings === null
      ? []
      : [
          {
            kind: 'savings' as const,
            target: savings,
            measured: measured.saved,
            met: measured.saved === null ? null : measured.saved >= savings,
          },
        ]),
  ];
}

function unpriced(all: readonly TransferCost[]): readonly string[] {
  const ways = all.flatMap(({rows}) =>
    rows.filter(({cost}) => cost === null).map(({from, to}) => `the price file has no transfer from ${from} to ${to}`),
  );
  return [...new Set(ways)];
}

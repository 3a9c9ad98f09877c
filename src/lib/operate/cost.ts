import {setImmediate} from 'node:timers/promises';
import {COST_DEFAULTS, type CostReport, type CostRules, costReport, type ScaledLoad} from '../capacity/cost/cost.ts';
import {type CostDocument, costDocument} from '../capacity/cost/document.ts';
import {priceWarnings} from '../capacity/cost/prices.ts';
import {parseSplits} from '../capacity/cost/split.ts';
import {type Grown, parseGrown} from '../capacity/growth.ts';
import {type Hpa, hpaOf} from '../capacity/scaling/hpa.ts';
import {scaleLoad} from '../capacity/scaling/scale-load.ts';
import type {Loads} from '../capacity/survive/facts.ts';
import {plannedAsBefore} from '../capacity/survive/left-out.ts';
import {negativesOf} from '../capacity/survive/negative.ts';
import {withoutOutage} from '../capacity/survive/outage.ts';
import {usageError} from '../errors.ts';
import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {ScalingSpec} from '../fleet/capacity-plan.ts';
import {regionOf} from '../fleet/lookup.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {loadInTime} from './load-in-time.ts';
import {loadPrices} from './load-prices.ts';

/** What is planned for: the loads of capacity.scaling, of these names and regions (none = all), over `spanMs` from now. `margin` = instead of the fleet file's. */
export type ScalingOptions = {
  readonly series: readonly string[];
  readonly regions: readonly string[];
  readonly spanMs: number;
  readonly margin?: number | undefined;
  /** Such as `2x` with `over`, or `5%/mo`: the loads as they are when it is over. */
  readonly growth?: string | undefined;
  readonly over?: string | undefined;
  readonly signal: AbortSignal;
};

/** `prices` = a price file in place of the fleet file's; `spotShare` in percent; `splits` = planned weights of routes, see parseSplits. */
export type CostOptions = ScalingOptions & {
  readonly prices?: string | undefined;
  readonly spotShare?: number | undefined;
  readonly splits: readonly string[];
};

type Planned = {
  readonly loads: Loads;
  readonly scaled: readonly ScaledLoad[];
  readonly missing: CostDocument['missing'];
  /** What of loads is not planned for, in sentences. */
  readonly leftOut: readonly string[];
  readonly growth: Grown | null;
};

const EXITS: Readonly<Record<CostDocument['verdict'], ExitCode>> = {met: EXIT.good, missed: EXIT.warning, unknown: EXIT.unknown};

/** Plans the replicas of every load, and prices them. Exit code: 0 objectives met (or none), 1 missed, 3 something is not known. */
export async function planCost(open: OpenFleet, options: CostOptions): Promise<{document: CostDocument; exit: ExitCode}> {
  const {fleet} = open;
  const file = options.prices ?? fleet.capacity?.cost?.prices;
  if (file === undefined)
    throw usageError('the fleet file names no price file', {suggestions: ['Name one with --prices FILE, or in capacity.cost.prices.']});
  const planned = options.splits.length === 0 ? null : parseSplits(options.splits, fleet.routes);
  const [prices, {loads, scaled, missing, leftOut, growth}] = await Promise.all([loadPrices(file), planScaling(open, options)]);
  const written = fleet.capacity?.cost?.rules ?? NO_RULES;
  const rules = {...written, spotShare: options.spotShare ?? written.spotShare};
  const weights = Object.fromEntries(fleet.routes.map((route) => [route.name, route.weights]));
  const isPart = options.series.length > 0 || options.regions.length > 0;
  const whole = costReport({loads: scaled, prices, rules, weights, planned, times: growth?.factor ?? 1, missing: missing.length});
  const report = isPart ? ofPart(whole) : whole;
  const document = costDocument(report, scaled, {
    ...{fleet: fleet.name, from: loads.at, to: loads.at + options.spanMs, missing, spotShare: rules.spotShare, growth},
    warnings: [...priceWarnings(prices, loads.at), ...leftOut],
  });
  return {document, exit: EXITS[document.verdict]};
}

/** A part of the loads meets no objective of all of them; it can only be too dear by itself. */
function ofPart(report: CostReport): CostReport {
  const objectives = report.objectives.filter(({kind, met}) => kind === 'per-month' && met === false);
  const isLess = objectives.length < report.objectives.length;
  const says = 'the objectives are of all loads: leave --series and --region out to have them judged';
  return {...report, objectives, notes: isLess ? [...report.notes, says] : report.notes};
}

const NO_RULES: CostRules = {...COST_DEFAULTS, transfer: [], objectives: {perMonth: null, savings: null, unit: null}};

/** Autoscalers by region, and what of loads is not planned for: `missing` = not at all, `leftOut` = values, in sentences. */
export type Autoscalers = Pick<Planned, 'missing' | 'leftOut'> & {
  readonly autoscalers: readonly {readonly region: string; readonly hpa: Hpa}[];
};

/** The autoscaler of every load that names a Deployment. Throws a usage error when none does. */
export async function planAutoscalers(open: OpenFleet, options: ScalingOptions): Promise<Autoscalers> {
  const specs = specsOf(open, options);
  if (!specs.some(({target}) => target !== null))
    throw usageError('no load of capacity.scaling names a deployment', {suggestions: ['Add deployment: NAME to one of them.']});
  const {scaled, missing, leftOut} = await planScaling(open, options);
  const autoscalers = scaled.flatMap(({series, region, schedule}) => {
    const spec = specs.find((each) => each.series === series);
    return spec?.target == null ? [] : [{region, hpa: hpaOf(schedule, withMargin(spec, options), spec.target)}];
  });
  return {autoscalers, missing, leftOut};
}

async function planScaling(open: OpenFleet, options: ScalingOptions): Promise<Planned> {
  const {regions, spanMs, signal} = options;
  const growth = grownOf(options, open.clock.wall());
  const specs = specsOf(open, options);
  for (const name of regions) regionOf(open.fleet, name);
  const loads = await loadInTime(open, {names: specs.map(({series}) => series), ...(regions.length === 0 ? {} : {regions}), signal});
  const ahead = {from: loads.at, to: loads.at + spanMs, forecastOf: loads.forecastOf, times: growth?.factor ?? 1};
  const scaled: ScaledLoad[] = [];
  const partial = loads.partial ?? [];
  const isWhole = ({name, region}: Loads['series'][number]): boolean =>
    !partial.some((each) => each.name === name && each.region === region);
  const missing = [...loads.missing, ...partial];
  for (const spec of specs) {
    for (const series of loads.series.filter((each) => each.name === spec.series && isWhole(each))) {
      // Each is a forecast: an interruption is seen between them.
      await setImmediate();
      signal.throwIfAborted();
      const made = scaleLoad(withoutOutage(series), withMargin(spec, options), ahead);
      const {name, region} = series;
      const tier = open.fleet.regions.find((each) => each.name === region)?.tier ?? 'hot';
      if (typeof made === 'string') missing.push({name, region, reason: made});
      else scaled.push({series: name, region: region ?? '*', tier, perInstance: spec.perInstance, ...made});
    }
  }
  const leftOut = loads.series.flatMap((series) => [...negativesOf(series), ...plannedAsBefore(series)]);
  return {loads, scaled, missing, leftOut, growth};
}

function grownOf({growth, over}: ScalingOptions, now: number): Grown | null {
  if (growth !== undefined) return parseGrown(growth, over, now);
  if (over !== undefined)
    throw usageError(`--over ${over} needs --growth, such as --growth 2x: without it the next days are priced (--window)`);
  return null;
}

function specsOf({fleet}: OpenFleet, {series}: ScalingOptions): readonly ScalingSpec[] {
  const all = fleet.capacity?.scaling ?? [];
  const known = all.map((spec) => spec.series);
  if (all.length === 0)
    throw usageError('the fleet file has no capacity.scaling', {
      suggestions: ['Say there how much of a load one replica serves: perReplica.'],
    });
  const stranger = series.find((name) => !known.includes(name));
  if (stranger !== undefined) throw usageError(`capacity.scaling has no "${stranger}"; it has ${known.join(', ')}`);
  return series.length === 0 ? all : all.filter((spec) => series.includes(spec.series));
}

const withMargin = ({rule}: ScalingSpec, {margin}: ScalingOptions): ScalingSpec['rule'] =>
  margin === undefined ? rule : {...rule, margin};

import type {Series} from '../series.ts';
import type {LoadRule, Loads, SurviveFacts} from './facts.ts';
import {figure, timeText} from './figures.ts';
import type {Taken} from './place-load.ts';
import {type Part, STEP_MS, type Sum, sumLoads, withoutOutage} from './sum-loads.ts';

export type LoadVerdict = 'survives' | 'tight' | 'breaks' | 'unknown';

/** What one region takes of another's load. `share` = of all of it, 0 to 1; `factor` = what a unit of it is in the unit of the taker (size by size for percent, else 1). */
export type TakenPart = {readonly from: string; readonly share: number; readonly factor: number};

/** One load in one region that takes something over: the forecast of what it then carries, against its limit. Loads in `unit`, times epoch ms. */
export type LoadRow = {
  readonly series: string;
  readonly region: string;
  readonly unit: string;
  readonly limit: number | null;
  readonly takes: readonly TakenPart[];
  readonly verdict: LoadVerdict;
  /** The highest p90 of the window, the mean of that step, and when. */
  readonly p90: number | null;
  readonly mean: number | null;
  readonly peakAt: number | null;
  /** When the p90 first goes above the limit within the window. */
  readonly breaksAt: number | null;
  /** Percent of the limit that is left at the peak; below 0 it breaks. */
  readonly headroom: number | null;
  readonly says: string;
};

/** Less than two seasons tell nothing of the hour or the day that comes: known steps that a sum must have. */
const LEAST_KNOWN = {hourly: 48, daily: 14, weekly: 8} as const;
/** A history that ended longer ago than one season tells nothing of now. */
const OLDEST_MS = {hourly: 7 * 86_400_000, daily: 28 * 86_400_000, weekly: 56 * 86_400_000} as const;
/** Units in which a load is a share of what its region has. */
const RELATIVE = /^(%|percent|ratio|fraction)$/i;

/** Whether a load in this unit is a share of its region, so that it means less in a larger one. */
export const isRelative = (unit: string): boolean => RELATIVE.test(unit.trim());

/** `region` = the one that takes; `taken` = what it gets; `keeps` = the share of its own load that stays. */
export type Judging = {readonly rule: LoadRule; readonly region: string; readonly taken: readonly Taken[]; readonly keeps: number};

type Window = {readonly mean: number; readonly p90: number; readonly peakAt: number; readonly breaksAt: number | null};

/** Judges one region's load over the window. Pure; what is not known is `unknown`, never good. */
export function judgeLoad(facts: SurviveFacts, loads: Loads, judging: Judging): LoadRow {
  const {rule, region, taken} = judging;
  const own = seriesOf(loads, rule.name, region);
  const unit = own?.unit ?? '';
  const takes = taken.map(({from, share}) => ({from, share, factor: factorOf(rule, unit, from, region)}));
  const row = {series: rule.name, region, unit, limit: own?.limit ?? null, takes};
  const unknown = (says: string): LoadRow => ({
    ...{...row, verdict: 'unknown', p90: null, mean: null, peakAt: null, breaksAt: null, headroom: null},
    says: `${rule.name} of ${region} is not known: ${says}`,
  });
  if (own === null) return unknown(missingReason(loads, rule, region));
  const {limit} = own;
  if (limit === null) return unknown('it has no limit in the fleet file');
  const parts: Part[] = [];
  for (const {from, share, factor} of takes) {
    const series = seriesOf(loads, rule.name, from);
    if (series === null) return unknown(`nothing is known of what it takes from ${from}: ${missingReason(loads, rule, from)}`);
    parts.push({series: withoutOutage(series), factor: share * factor});
  }
  const sum = sumLoads({series: own, factor: judging.keeps}, parts);
  const trouble = unusable(sum, own, loads.at);
  if (trouble !== null) return unknown(trouble);
  const window = windowOf(sum, own, {facts, loads, limit});
  if (window === null) return unknown('no forecast of it could be made');
  const headroom = ((limit - window.p90) / limit) * 100;
  const verdict = window.breaksAt !== null ? 'breaks' : headroom < facts.headroom ? 'tight' : 'survives';
  return {...row, verdict, ...window, headroom, says: sentence({...row, limit, verdict, headroom}, window)};
}

function seriesOf({series}: Loads, name: string, region: string): Series | null {
  return series.find((each) => each.name === name && each.region === region) ?? null;
}

function missingReason({missing}: Loads, {name, regions}: LoadRule, region: string): string {
  if (!regions.includes(region)) return `the fleet file gives ${name} no series in ${region}`;
  return (
    missing.find((each) => each.name === name && (each.region === region || each.region === null))?.reason ?? 'its series could not be read'
  );
}

/** Percent of a large region is more than percent of a small one; requests are requests anywhere. */
function factorOf({sizes}: LoadRule, unit: string, from: string, to: string): number {
  return isRelative(unit) ? (sizes[from] ?? 1) / (sizes[to] ?? 1) : 1;
}

/** Why a history is too little to forecast from; null = it is enough. */
function unusable({starts, values}: Sum, {grain}: Series, now: number): string | null {
  const known = values.reduce((count, value) => (Number.isNaN(value) ? count : count + 1), 0);
  if (known < LEAST_KNOWN[grain])
    return `its history is too short: ${known} ${grain} values are known of it and of what it takes, ${LEAST_KNOWN[grain]} are needed`;
  const end = (starts.at(-1) ?? 0) + STEP_MS[grain];
  return now - end > OLDEST_MS[grain] ? `its history ends at ${timeText(end)}` : null;
}

type Looking = {readonly facts: SurviveFacts; readonly loads: Loads; readonly limit: number};

/** The forecast from the end of the history on, looked at where it touches the window from now on. null = it has no finite values. */
function windowOf({starts, values}: Sum, {grain}: Series, {facts, loads, limit}: Looking): Window | null {
  const stepMs = STEP_MS[grain];
  const first = (starts.at(-1) ?? 0) + stepMs;
  const until = loads.at + facts.windowMs;
  const horizon = Math.max(1, Math.ceil((until - first) / stepMs));
  const {mean, p90} = loads.forecastOf(values, {grain, horizon});
  const steps = Array.from({length: horizon}, (_, step) => ({
    at: Math.max(first + step * stepMs, loads.at),
    ends: first + (step + 1) * stepMs,
    mean: mean[step] ?? Number.NaN,
    p90: p90[step] ?? Number.NaN,
  })).filter(({at, ends}) => ends > loads.at && at < until);
  const peak = steps.toSorted((a, b) => b.p90 - a.p90)[0];
  if (peak === undefined || steps.some((step) => !Number.isFinite(step.p90) || !Number.isFinite(step.mean))) return null;
  const breaksAt = steps.find((step) => step.p90 > limit)?.at ?? null;
  return {mean: peak.mean, p90: peak.p90, peakAt: peak.at, breaksAt};
}

function sentence(row: Pick<LoadRow, 'series' | 'region' | 'unit' | 'limit' | 'takes' | 'verdict' | 'headroom'>, window: Window): string {
  const {series, region, unit, limit, takes, verdict, headroom} = row;
  const amount = (value: number): string => `${figure(value)}${unit === '' ? '' : ` ${unit}`}`;
  const from = takes.map(
    ({from: name, share, factor}) => `${figure(share * 100)} % of ${name}${factor === 1 ? '' : ` (times ${figure(factor)} for size)`}`,
  );
  const carries = `${series} of ${region} with ${from.join(' and ')}`;
  if (verdict === 'breaks')
    return `${carries} goes above its limit of ${amount(limit ?? 0)} at ${timeText(window.breaksAt ?? 0)}, and reaches ${amount(window.p90)} (p90) at ${timeText(window.peakAt)}`;
  return `${carries} reaches ${amount(window.p90)} (p90) of ${amount(limit ?? 0)} at ${timeText(window.peakAt)}: ${figure(headroom ?? 0)} % is left`;
}

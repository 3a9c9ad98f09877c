import {type History, lookAhead, tooLittle} from '../ahead.ts';
import type {Series} from '../series.ts';
import type {LoadRule, Loads, SurviveFacts} from './facts.ts';
import {figure, timeText} from './figures.ts';
import {untilMoved, withoutMoved} from './moved-before.ts';
import {withoutOutage} from './outage.ts';
import type {Taken} from './place-load.ts';
import {asBefore, type Part, sumLoads} from './sum-loads.ts';

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

/** Units in which a load is a share of what its region has. */
const RELATIVE = /%|^(pct|percent|percentage|ratio|fraction)\b/i;

/** Whether a load in this unit is a share of its region, so that it means less in a larger one. */
export const isRelative = (unit: string): boolean => RELATIVE.test(unit.trim());

/** `region` = the one that takes; `taken` = what it gets; `keeps` = the share of its own load that stays; `isHome` = it only gets back what it had; `moved` = what went elsewhere before. */
export type Judging = {
  readonly rule: LoadRule;
  readonly region: string;
  readonly taken: readonly Taken[];
  readonly keeps: number;
  readonly isHome: boolean;
  readonly moved: readonly Taken[];
};

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
  const parts = partsOf(loads, judging, own);
  if (typeof parts === 'string') return unknown(parts);
  const before = judging.isHome ? asBefore(own, loads.at) : null;
  const ownPart = (series: Series): Part => ({series: withoutMoved(series, movedOf(judging, region)), factor: judging.keeps});
  // A region that takes may be in an outage, too: what it idles at is no room.
  const sum = before ?? sumLoads(ownPart(withoutOutage(own, 1 - movedOf(judging, region))), parts);
  const trouble = tooLittle(sum, own.grain, loads.at);
  if (trouble !== null) return unknown(trouble);
  const looking = {facts, loads, limit};
  const measured = before === null ? measuredNow(sum, ownPart(own), parts) : null;
  const window = worse(windowOf(sum, own, looking), measured === null ? null : windowOf(measured, own, looking));
  if (window === null) return unknown('no forecast of it could be made');
  // What is too much already is so with the rest of it all the more.
  const doubt = (loads.partial ?? []).find(
    ({name, region: of}) => name === rule.name && [region, ...[...taken, ...judging.moved].map(({from}) => from)].includes(of ?? ''),
  );
  if (doubt !== undefined && window.breaksAt === null) return unknown(`it may be more, since ${doubt.reason}`);
  const headroom = ((limit - window.p90) / limit) * 100;
  const verdict = window.breaksAt !== null ? 'breaks' : headroom < facts.headroom ? 'tight' : 'survives';
  return {...row, verdict, ...window, headroom, says: sentence({...row, limit, verdict, headroom}, window, before !== null)};
}

/**
 * Where the sum ends before what a region has by itself does, since a part of it is in an outage, or its metrics went with it: the sum of what is measured now, without that
 * part since then. It is the least that there will be, and shows what those that go on have taken over, or surge to. null = the sum ends with it.
 */
function measuredNow(sum: History, own: Part, parts: readonly Part[]): History | null {
  const {starts} = own.series;
  const endOf = ({starts: all, values}: History): number => all[values.findLastIndex((value) => !Number.isNaN(value))] ?? 0;
  if (endOf(sum) >= endOf(own.series)) return null;
  const known = parts.map(({series, factor}) => {
    const [end, at] = [endOf(series), new Map(Array.from(series.starts, (start, step) => [start, series.values[step] ?? Number.NaN]))];
    return {series: {...series, starts, values: starts.map((start) => (start > end ? 0 : (at.get(start) ?? Number.NaN)))}, factor};
  });
  return sumLoads(own, known);
}

/** Of two windows the one that breaks first, or has more. */
function worse(one: Window | null, other: Window | null): Window | null {
  if (one === null || other === null) return one;
  const [first, second] = [one.breaksAt ?? Number.POSITIVE_INFINITY, other.breaksAt ?? Number.POSITIVE_INFINITY];
  return second < first || (second === first && other.p90 > one.p90) ? other : one;
}

/**
 * What is added to a region's own load: what it takes, and, for each of them and for itself, what it has of others that were drained before: its history from before
 * that lacks it. A sentence when something of it is not known.
 */
function partsOf(loads: Loads, judging: Judging, own: Series): readonly Part[] | string {
  const {rule, region, taken, keeps, moved} = judging;
  const parts: Part[] = [];
  for (const {from, share} of [{from: region, share: keeps}, ...taken]) {
    const factor = share * factorOf(rule, own.unit, from, region);
    if (from !== region) {
      const series = seriesOf(loads, rule.name, from);
      if (series === null) return `nothing is known of what it takes from ${from}: ${missingReason(loads, rule, from)}`;
      const gone = movedOf(judging, from);
      parts.push({series: withoutMoved(withoutOutage(series, 1 - gone), gone), factor});
    }
    for (const earlier of moved.filter(({to}) => to === from)) {
      const series = seriesOf(loads, rule.name, earlier.from);
      if (series === null) return `nothing is known of what ${from} took from ${earlier.from}: ${missingReason(loads, rule, earlier.from)}`;
      parts.push({
        series: untilMoved(series, movedOf(judging, earlier.from), own.starts),
        factor: factor * earlier.share * factorOf(rule, own.unit, earlier.from, from),
      });
    }
  }
  return parts;
}

/** How much of a region's load is with others already, 0 to 1. */
const movedOf = ({moved}: Pick<Judging, 'moved'>, region: string): number =>
  moved.reduce((sum, {from, share}) => sum + (from === region ? share : 0), 0);

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

type Looking = {readonly facts: SurviveFacts; readonly loads: Loads; readonly limit: number};

/** The forecast of the window from now on: its peak, and when it first goes above the limit. null = it has no finite values. */
function windowOf(sum: History, {grain}: Series, {facts, loads, limit}: Looking): Window | null {
  const ahead = lookAhead(sum, grain, {from: loads.at, to: loads.at + facts.windowMs}, loads.forecastOf);
  if (ahead === null) return null;
  // The step that we are in has begun before: what it breaks it breaks now.
  const timeOf = (step: number): number => Math.max(ahead.starts[step] ?? 0, loads.at);
  const peak = ahead.p90.reduce((highest, value, step) => (value > (ahead.p90[highest] ?? 0) ? step : highest), 0);
  const breaks = ahead.p90.findIndex((value) => value > limit);
  return {
    mean: ahead.mean[peak] ?? 0,
    p90: ahead.p90[peak] ?? 0,
    peakAt: timeOf(peak),
    breaksAt: breaks === -1 ? null : timeOf(breaks),
  };
}

function sentence(
  row: Pick<LoadRow, 'series' | 'region' | 'unit' | 'limit' | 'takes' | 'verdict' | 'headroom'>,
  window: Window,
  isBefore: boolean,
): string {
  const {series, region, unit, limit, takes, verdict, headroom} = row;
  const amount = (value: number): string => `${figure(value)}${unit === '' ? '' : ` ${unit}`}`;
  const from = takes.map(
    ({from: name, share, factor}) => `${figure(share * 100)} % of ${name}${factor === 1 ? '' : ` (times ${figure(factor)} for size)`}`,
  );
  const carries = `${series} of ${region}${isBefore ? ', as before its outage,' : ` with ${from.join(' and ')}`}`;
  if (verdict === 'breaks') {
    const breaks = `${carries} goes above its limit of ${amount(limit ?? 0)} at ${timeText(window.breaksAt ?? 0)}`;
    return window.breaksAt === window.peakAt
      ? `${breaks}: ${amount(window.p90)} (p90)`
      : `${breaks}, and reaches ${amount(window.p90)} (p90) at ${timeText(window.peakAt)}`;
  }
  return `${carries} reaches ${amount(window.p90)} (p90) of ${amount(limit ?? 0)} at ${timeText(window.peakAt)}: ${figure(headroom ?? 0)} % is left`;
}

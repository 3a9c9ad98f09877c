import type {ForecastDocument, SeriesForecast} from '../operate/forecast.ts';
import {formatFigure, formatPercent} from './figures.ts';
import {wallClock} from './plot/time-axis.ts';

const DAY_MS = 86_400_000;

/** `requests of eu-west`; of the whole fleet only its name. */
export const seriesName = ({name, region}: {readonly name: string; readonly region: string | null}): string =>
  region === null ? name : `${name} of ${region}`;

/** How many of something, such as `1 step`, `12 steps`. */
export const counted = (count: number, one: string): string => `${count} ${count === 1 ? one : `${one}s`}`;

/** The day of a time in a zone, such as 2026-03-09: where days begin by its clock, that of UTC is another one. */
export function dayOf(at: string, timeZone: string): string {
  const {days} = wallClock(timeZone)(Date.parse(at));
  return new Date(days * DAY_MS).toISOString().slice(0, 10);
}

/** The break that was found in the history, as a sentence; empty where there is none. */
export function breakSaid({exhaustion, unit, timeZone}: SeriesForecast): string {
  const found = exhaustion?.break ?? null;
  if (found === null) return '';
  const signed = (value: number): string => `${value < 0 ? '' : '+'}${formatFigure(value)}${unit === '' ? '' : ` ${unit}`}`;
  const parts = [
    ...(found.jump === 0 ? [] : [`the level changed by ${signed(found.jump)}`]),
    ...(found.slopeChangePerDay === 0 ? [] : [`the growth of a day changed by ${signed(found.slopeChangePerDay)}`]),
  ];
  return `break on ${dayOf(found.at, timeZone)}: ${parts.join(', ')}`;
}

const STEPS = {hourly: 'hours', daily: 'days', weekly: 'weeks'} as const;

/** How far ahead a series was forecast: `168 hours`, `548 days (the highest hour of each)`. */
export function spanSaid({grain, horizon, of}: SeriesForecast): string {
  const steps = horizon === 1 ? STEPS[grain].slice(0, -1) : STEPS[grain];
  return `${horizon} ${steps}${of === 'daily-peaks' ? ' (the highest hour of each)' : ''}`;
}

/** How tall the forecast gets: the greatest upper end of 80 %, beside the limit. */
export function highestSaid({forecast, limit, unit}: SeriesForecast): string {
  const most = Math.max(...forecast.map(({p90}) => p90));
  if (!Number.isFinite(most)) return '';
  const share = limit === null ? '' : ` = ${formatPercent((100 * most) / limit)} of the limit of ${formatFigure(limit)}`;
  return `p90 reaches ${formatFigure(most)} ${unit}${share}`.trimEnd();
}

/** When this path meets the limit; empty where there is no limit. */
export function crossingSaid({crossing, unit, grain, timeZone}: SeriesForecast, {growth}: Pick<ForecastDocument, 'growth'>): string {
  if (crossing === null) return '';
  const under = growth === null ? '' : ` at a growth of ${growth.text}`;
  const limit = `the limit of ${formatFigure(crossing.limit)} ${unit}`.trimEnd();
  if (crossing.p90At === null) return `stays below ${limit}${under} (p90)`;
  const said = (at: string): string => (grain === 'hourly' ? `${at.slice(0, 16).replace('T', ' ')}Z` : dayOf(at, timeZone));
  const likely = crossing.p50At === null ? 'the mean does not meet it' : `the mean on ${said(crossing.p50At)}`;
  return `meets ${limit}${under}: p90 on ${said(crossing.p90At)}, ${likely}`;
}

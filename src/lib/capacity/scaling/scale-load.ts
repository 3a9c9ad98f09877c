import {lookAhead, STEP_MS, tooLittle} from '../ahead.ts';
import type {Forecaster} from '../forecast/shapes.ts';
import type {Series} from '../series.ts';
import {planReplicas, type ScalingRule, type Schedule, tooManyReplicas} from './schedule.ts';

/** What a load needs over a span: its schedule, and how many units it has (requests, orders); null = they cannot be counted. */
export type Scaled = {readonly schedule: Schedule; readonly units: number | null};

/** From when to when (epoch ms), what forecasts, and how many times the forecast is planned for (a growth; default 1). */
export type ScaleOptions = {readonly from: number; readonly to: number; readonly forecastOf: Forecaster; readonly times?: number};

/** Plans the replicas of a series for the steps that touch a span, by the p90 of its forecast. A sentence when it cannot be. Pure. */
export function scaleLoad(series: Series, rule: ScalingRule, {from, to, forecastOf, times = 1}: ScaleOptions): Scaled | string {
  const {grain} = series;
  const trouble = tooLittle(series, grain, from);
  if (trouble !== null) return trouble;
  const ahead = lookAhead(series, grain, {from, to}, forecastOf);
  if (ahead === null) return 'no forecast of it could be made';
  const grown = (values: Float64Array): Float64Array => values.map((value) => value * times);
  const planned = grown(ahead.p90);
  const most = tooManyReplicas(
    rule,
    planned.reduce((highest, value) => Math.max(highest, value), 0),
  );
  if (most !== null) return most;
  return {schedule: planReplicas(planned, ahead.starts, STEP_MS[grain], rule), units: unitsOf(series, grown(ahead.mean))};
}

/**
 * How many units are expected: of what is counted per step (orders) the sum of the means; of a rate (a unit that ends with `/s`, `/min` or `/h`) each times how
 * long its step is. What is no rate (percent, connections) cannot be counted.
 */
function unitsOf({purpose, unit, grain}: Series, mean: Float64Array): number | null {
  const sum = mean.reduce((all, value) => all + Math.max(0, value), 0);
  if (purpose === 'orders') return sum;
  const [, per] = /\/\s*(s|min|h)$/.exec(unit.trim()) ?? [];
  if (purpose !== 'throughput' || per === undefined) return null;
  return (sum * STEP_MS[grain]) / {s: 1000, min: 60_000, h: 3_600_000}[per as 's' | 'min' | 'h'];
}

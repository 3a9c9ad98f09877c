import type {Forecaster} from '../../../src/lib/capacity/forecast/shapes.ts';
import type {Series} from '../../../src/lib/capacity/series.ts';
import type {LoadRule, Loads, SurviveFacts} from '../../../src/lib/capacity/survive/facts.ts';

export const NOW = Date.parse('2026-11-28T12:00:00Z');
export const HOUR = 3_600_000;
const LENGTH = 96;

/** Tomorrow is as today; the p90 is a tenth above it. The real one is tested by itself. */
export const sameAgain: Forecaster = (values, {horizon}) => {
  const mean = Float64Array.from({length: horizon}, (_, step) => values[values.length - 24 + (step % 24)] ?? Number.NaN);
  const times = (factor: number) => mean.map((value) => value * factor);
  const bands = {p10: times(0.9), p90: times(1.1), lower95: times(0.8), upper95: times(1.2)};
  return {mean, ...bands, model: 'same again', backtest: null, notes: []};
};

export type LoadSample = Partial<Omit<Series, 'starts' | 'values'>> & {
  readonly name: string;
  readonly region: string;
  /** By hour of the day, UTC. */
  readonly at?: (hour: number) => number;
  /** How many of the newest steps have no value, and how many there are. */
  readonly gone?: number;
  readonly length?: number;
  readonly fill?: number;
};

/** Four days by the hour that end now. */
export function load({at = () => 100, gone = 0, length = LENGTH, fill = Number.NaN, ...more}: LoadSample): Series {
  const starts = Float64Array.from({length}, (_, step) => NOW - (length - step) * HOUR);
  const values = starts.map((start, step) => (step >= length - gone ? fill : at(new Date(start).getUTCHours())));
  const base = {unit: 'req/s', purpose: 'throughput', limit: 1000, grain: 'hourly', timeZone: 'UTC', remarks: []} as const;
  return {...base, ...more, starts, values};
}

export function rule(name: string, regions: readonly string[], more: Partial<LoadRule> = {}): LoadRule {
  return {name, moves: true, dataClass: null, routes: null, sizes: {}, regions, ...more};
}

const JURISDICTION: Readonly<Record<string, string>> = {us: 'US', eu: 'EU', ap: 'SG', cold: 'US'};

/** Three regions that share one route 50 : 30 : 20, and one that is cold. */
export function facts(more: Partial<SurviveFacts> = {}): SurviveFacts {
  const orders: Readonly<Record<string, readonly string[]>> = {us: ['cold', 'eu', 'ap'], eu: ['us', 'ap'], ap: ['us', 'eu'], cold: []};
  return {
    regions: Object.entries(orders).map(([name, failoverOrder]) => ({
      ...{name, jurisdiction: JURISDICTION[name] ?? '', failoverOrder},
      tier: name === 'cold' ? 'cold' : 'hot',
    })),
    routes: [{name: 'front-door', weights: {us: 50, eu: 30, ap: 20}}],
    dataClasses: [
      {name: 'eu-only', allowed: ['EU']},
      {name: 'not-in-sg', allowed: ['EU', 'US']},
    ],
    loads: [rule('requests', ['us', 'eu', 'ap'])],
    windowMs: 4 * HOUR,
    headroom: 10,
    ...more,
  };
}

export const loads = (series: readonly Series[], missing: Loads['missing'] = []): Loads => ({
  at: NOW,
  series,
  missing,
  forecastOf: sameAgain,
});

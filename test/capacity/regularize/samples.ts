import {type RegularizeOptions, regularize} from '../../../src/lib/capacity/regularize/regularize.ts';
import type {Reading, Series} from '../../../src/lib/capacity/series.ts';

export const HOUR = 3_600_000;
export const MINUTE = 60_000;
export const DAY = 24 * HOUR;

/** Requests per second of one region, by hours of UTC, unless told otherwise. */
export function seriesOf(readings: readonly Reading[], options: Partial<RegularizeOptions> = {}): Series {
  return regularize(readings, {
    ...{
      name: 'requests',
      region: 'eu-west',
      unit: 'req/s',
      limit: null,
      purpose: 'throughput',
      grain: 'hourly',
      timeZone: 'UTC',
      counter: false,
    },
    ...options,
  });
}

/** `count` readings that are `apart` ms from one another. */
export function readingsFrom(from: string | number, count: number, apart: number, valueAt: (index: number) => number = () => 1): Reading[] {
  const begin = typeof from === 'number' ? from : Date.parse(from);
  return Array.from({length: count}, (_, index) => ({at: begin + index * apart, value: valueAt(index)}));
}

/** `kind: sentence` of each remark. */
export const saidOf = (series: Series): string[] => series.remarks.map(({kind, says}) => `${kind}: ${says}`);

import type {Series} from '../../src/lib/capacity/series.ts';

const HOUR = 3_600_000;

/** Where sample series begin: a Monday. */
export const SAMPLE_START = Date.UTC(2026, 10, 2);

/** Five weeks of requests by the hour: by day and weekday, a little more each week, without chance. */
export function hourlySeries(changes: Partial<Series> = {}, hours = 840): Series {
  const value = (i: number): number => {
    const day = new Date(SAMPLE_START + i * HOUR);
    const weekend = day.getUTCDay() % 6 === 0 ? 0.7 : 1;
    return 900 * weekend * (1 + 0.4 * Math.sin(((day.getUTCHours() - 8) / 24) * 2 * Math.PI)) * (1 + i / 6000) + ((i * 7919) % 41);
  };
  return {
    ...{name: 'requests', region: 'eu-west', unit: 'req/s', purpose: 'throughput', limit: 1500, grain: 'hourly', timeZone: 'UTC'},
    starts: Float64Array.from({length: hours}, (_, i) => SAMPLE_START + i * HOUR),
    values: Float64Array.from({length: hours}, (_, i) => value(i)),
    remarks: [],
    ...changes,
  };
}

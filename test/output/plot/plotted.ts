import type {Plotted} from '../../../src/lib/output/plot/forecast-plot.ts';

const HOUR = 3_600_000;

/** A week by the hour with ten hours that are not known, and two days ahead. */
export function plottedWeek(changes: Partial<Plotted> = {}): Plotted {
  const [seen, ahead, start] = [168, 48, Date.UTC(2026, 10, 20, 5)];
  const value = (i: number): number => 800 + 300 * Math.sin(((i - 6) / 24) * 2 * Math.PI) + (i % 7) * 11;
  const x = Float64Array.from({length: ahead}, (_, i) => start + (seen + i) * HOUR);
  const mean = Float64Array.from({length: ahead}, (_, i) => value(seen + i) * 1.1);
  const edge = (times: number) => mean.map((each, i) => each + times * (20 + 8 * Math.sqrt(i)));
  return {
    ...{unit: 'req/s', limit: 1400, timeZone: 'UTC', breakX: start + 100 * HOUR},
    history: {
      x: Float64Array.from({length: seen}, (_, i) => start + i * HOUR),
      y: Float64Array.from({length: seen}, (_, i) => (i > 60 && i < 70 ? Number.NaN : value(i))),
    },
    future: {x, mean, p10: edge(-1.3), p90: edge(1.3), lower95: edge(-2), upper95: edge(2)},
    ...changes,
  };
}

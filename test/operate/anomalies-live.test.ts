import {describe, expect, it} from 'vitest';
import {type AnomalyEvent, watchAnomalies} from '../../src/lib/operate/anomalies-live.ts';
import {anomalyLine} from '../../src/lib/output/anomalies-text.ts';
import {openMetrics, readingsIn, seriesSpec, sourceOf} from './open-metrics.ts';

const HOUR = 3_600_000;
const calm = (at: number): number => 100 + 20 * Math.sin(((at / HOUR) % 24) * (Math.PI / 12)) + ((at / HOUR) % 5);

/** Looks every hour until `events` were told or so many hours are over; `valueAt` = what the source has by then, null = it does not answer. */
async function look(hours: number, valueAt: (at: number, now: number) => number, answers: (now: number) => boolean = () => true) {
  const interrupt = new AbortController();
  const events: AnomalyEvent[] = [];
  const began = openMetrics({series: [], sources: {}}).clock.wall();
  const source = sourceOf((_, range) => {
    const now = range.to;
    if (now - began >= hours * HOUR) interrupt.abort(new Error('enough'));
    if (!answers((now - began) / HOUR)) throw new Error('gone');
    return {sets: [{labels: {}, readings: readingsIn(range, (at) => valueAt(at, began))}], remarks: []};
  });
  const {open} = openMetrics({series: [seriesSpec({regions: []})], sources: {prom: source}});
  const exit = await watchAnomalies(open, {everyMs: HOUR, signal: interrupt.signal, onEvent: (event) => events.push(event)});
  return {events, exit};
}

describe('watchAnomalies', () => {
  it('tells an alert once, when it begins, and ends with 1', async () => {
    const {events, exit} = await look(40, (at, began) => (at >= began + 10 * HOUR && at < began + 20 * HOUR ? 900 : calm(at)));
    const alerts = events.filter(({event}) => event === 'alert');
    expect([exit, alerts.length]).toEqual([1, 1]);
    expect(alerts[0]).toMatchObject({name: 'requests', region: null});
    expect(anomalyLine(alerts[0] as AnomalyEvent, 'text')).toMatch(
      /^2026-03-30T1\S+Z requests: [\d.]+, expected [\d.]+ \(score 0\.\d\d\): /,
    );
    expect(JSON.parse(anomalyLine(alerts[0] as AnomalyEvent, 'ndjson'))).toEqual(alerts[0]);
  });

  it('says nothing of what is over when it begins', async () => {
    const {events, exit} = await look(5, (at, began) => (at >= began - 200 * HOUR && at < began - 195 * HOUR ? 900 : calm(at)));
    expect([events, exit]).toEqual([[], 0]);
  });

  it('tells that a source answers, but has no values any more', async () => {
    const {events, exit} = await look(9, (at, began) => (at < began + 2 * HOUR ? calm(at) : Number.NaN));
    expect(events.map((event) => anomalyLine(event, 'text'))).toEqual([
      expect.stringMatching(/^2026-03-30T06\S+ requests is not known: its history ends at 2026-03-30 02:00Z$/),
    ]);
    expect(exit).toBe(3);
  });

  it('tells that a series cannot be had, and that it can again', async () => {
    const {events, exit} = await look(8, calm, (hour) => hour < 2 || hour > 4);
    expect(events.map((event) => (event.event === 'series' ? event.reason !== null : event))).toEqual([true, false]);
    expect(events.map((event) => anomalyLine(event, 'text'))).toEqual([
      expect.stringMatching(/ requests is not known: prom: gone/),
      expect.stringMatching(/ requests is known again$/),
    ]);
    expect(exit).toBe(0);
  });
});

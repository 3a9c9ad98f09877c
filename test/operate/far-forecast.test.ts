import {describe, expect, it} from 'vitest';
import {dailyPeaks} from '../../src/lib/capacity/daily-peaks.ts';
import {addMonths} from '../../src/lib/capacity/growth.ts';
import {forecastSeries} from '../../src/lib/operate/forecast.ts';
import {crossingSaid} from '../../src/lib/output/forecast-words.ts';
import {hourlySeries, SAMPLE_START} from '../capacity/sample-series.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const DAYS = 60;
const NOW = SAMPLE_START + DAYS * DAY;

/** Sixty days of a load that grows by two each day from 200 on, more by day than by night and less at weekends. */
function grown(limit: number, perDay = 2) {
  const valueAt = (hour: number): number =>
    200 +
    (perDay * hour) / 24 +
    30 * Math.sin((2 * Math.PI * (hour - 8)) / 24) -
    (Math.floor(hour / 24) % 7 >= 5 ? 20 : 0) +
    ((hour * 7919) % 13) / 4;
  return hourlySeries({limit, values: Float64Array.from({length: DAYS * 24}, (_, hour) => valueAt(hour))}, DAYS * 24);
}

const asked = (limit: number, growth: Parameters<typeof forecastSeries>[1]['growth'] = null, perDay = 2) => {
  const whole = grown(limit, perDay);
  return forecastSeries([{series: dailyPeaks(whole), whole, horizon: 547, of: 'daily-peaks'}], {objectiveMape: null, now: NOW, growth});
};

describe('a steady growth, eighteen months ahead', () => {
  it.each([500, 800, 1200])('meets a limit of %i in the path when days to exhaustion say so', (limit) => {
    const {document, exit} = asked(limit);
    const [series] = document.series;
    // Peaks are 33 above the line, which is at 320 now.
    const truth = NOW + ((limit - 33 - 320) / 2) * DAY;
    const [crossed, full] = [series?.crossing?.p50At, series?.exhaustion?.p50At].map((at) => Date.parse(at ?? ''));
    expect(Math.abs((full ?? 0) - truth) / DAY).toBeLessThan(0.07 * ((truth - NOW) / DAY));
    expect(Math.abs((crossed ?? 0) - truth) / DAY).toBeLessThan(0.07 * ((truth - NOW) / DAY));
    expect(series === undefined ? '' : crossingSaid(series, document)).toContain(`meets the limit of`);
    expect(exit).toBe(1);
  });

  it('that accelerates meets it in the path when days to exhaustion say so', () => {
    const values = Float64Array.from(
      {length: DAYS * 24},
      (_, hour) => 200 + (hour / 24) ** 2 / 20 + 20 * Math.sin((2 * Math.PI * hour) / 24) + ((hour * 7919) % 13) / 4,
    );
    const whole = hourlySeries({limit: 2000, values}, DAYS * 24);
    const {document} = forecastSeries([{series: dailyPeaks(whole), whole, horizon: 547, of: 'daily-peaks'}], {
      objectiveMape: null,
      now: NOW,
    });
    const [series] = document.series;
    expect(series?.exhaustion?.growth).toBe('accelerating');
    const [crossed, full] = [series?.crossing?.p50At, series?.exhaustion?.p50At].map((at) => (Date.parse(at ?? '') - NOW) / DAY);
    expect(Math.abs((crossed ?? 0) - (full ?? 0))).toBeLessThan(0.07 * (full ?? 0));
  });

  it('does not meet one in the path that days to exhaustion do not reach', () => {
    const {document, exit} = asked(2000);
    expect(document.series[0]?.exhaustion?.state).toBe('not-within-horizon');
    expect([document.series[0]?.crossing, exit]).toEqual([{limit: 2000, p50At: null, p90At: null}, 0]);
  });

  it('is not carried on where it is not sure, and never below zero', () => {
    expect(asked(1000, null, 0).document.series[0]?.crossing?.p90At).toBeNull();
    const shrinking = asked(1000, null, -2.5).document.series[0];
    expect(shrinking?.forecast.at(-1)?.mean).toBe(0);
  });

  it('comes on top of its own trend under --growth 10x --over 18mo, and meets a limit on the day that the multiplier says', () => {
    const growth = {factor: 10, from: NOW, to: addMonths(NOW, 18), text: '10x over 18mo'};
    const {document} = asked(2000, growth);
    const [series] = document.series;
    const days = (growth.to - NOW) / DAY;
    const level = (day: number): number => (320 + 2 * day + 33) * 10 ** (day / days);
    const day = Array.from({length: 548}, (_, i) => i).find((i) => level(i) >= 2000) ?? 0;
    expect(Math.abs((Date.parse(series?.crossing?.p50At ?? '') - NOW) / DAY - day)).toBeLessThan(5);
    // Exhaustion is told of the growth of the history alone.
    expect(series?.exhaustion?.state).toBe('not-within-horizon');
    expect(series?.forecast.at(-1)?.mean).toBeGreaterThan(0.93 * level(546) - 300);
  });
});

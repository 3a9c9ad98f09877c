import {describe, expect, it} from 'vitest';
import {forecastSvg} from '../../../src/lib/output/plot/forecast-svg.ts';
import {plottedWeek} from './plotted.ts';

const svg = (changes: Parameters<typeof plottedWeek>[0] = {}) => forecastSvg(plottedWeek(changes), 'requests', 'Requests & more').html;

describe('forecastSvg', () => {
  it('draws it for wide and for narrow pages', () => {
    expect(svg()).toMatchSnapshot();
  });

  it('breaks the line where values are not known', () => {
    const [, line = ''] = /class="seen" d="([^"]*)"/.exec(svg()) ?? [];
    expect(line.match(/M/g)).toHaveLength(2);
  });

  it('has no place that is none, also where the values are as far apart as numbers can be', () => {
    const [most, x] = [Number.MAX_VALUE, Float64Array.of(1, 2)];
    const of = (value: number) => new Float64Array(2).fill(value);
    const future = {x, mean: of(0), p10: of(-most), p90: of(most), lower95: of(-most), upper95: of(most)};
    expect(svg({history: {x, y: Float64Array.of(most, -most)}, future, limit: most})).not.toMatch(/NaN|Infinity/);
  });

  it('draws no limit that is far away, and no line of a break that was not found', () => {
    expect(svg({limit: 9000, breakX: null})).not.toMatch(/class="limit"|>break</);
  });

  it('keeps the peaks of a long history, and its size small', () => {
    const values = Float64Array.from({length: 100_000}, (_, i) => (i === 54_321 ? 5000 : i % 100));
    const text = svg({history: {x: Float64Array.from(values, (_, i) => i * 1000), y: values}, timeZone: null, breakX: null});
    const [, line = ''] = /class="seen" d="([^"]*)"/.exec(text) ?? [];
    const heights = line
      .split(/[ML]/)
      .slice(1)
      .map((each) => Number(each.split(' ')[1]));
    expect(Math.min(...heights)).toBe(14);
    expect(text.length).toBeLessThan(150_000);
  });

  it('has no markup of foreign text, and no figure that is none', () => {
    expect(svg()).toContain('Requests &amp; more');
    expect(svg({history: {x: new Float64Array(0), y: new Float64Array(0)}})).not.toMatch(/NaN|Infinity|undefined/);
  });
});

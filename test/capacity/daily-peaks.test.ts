import {describe, expect, it} from 'vitest';
import {dailyPeaks} from '../../src/lib/capacity/daily-peaks.ts';
import {hourlySeries, SAMPLE_START} from './sample-series.ts';

const DAY = 86_400_000;
/** Each hour is its number since the beginning. */
const counted = (hours: number, changes = {}) => hourlySeries({values: Float64Array.from({length: hours}, (_, i) => i), ...changes}, hours);

describe('dailyPeaks', () => {
  it('takes the highest hour of each day', () => {
    const {grain, values, starts} = dailyPeaks(counted(72));
    expect([grain, [...values], [...starts]]).toEqual(['daily', [23, 47, 71], [0, 1, 2].map((day) => SAMPLE_START + day * DAY)]);
  });

  it('takes the highest hour of orders too: their limit is one of an hour', () => {
    expect([...dailyPeaks(counted(48, {purpose: 'orders'})).values]).toEqual([23, 47]);
  });

  it('leaves the newest day out until it is over: its highest hour may be still to come', () => {
    expect([...dailyPeaks(counted(47)).values]).toEqual([23]);
    expect([...dailyPeaks(counted(48)).values]).toEqual([23, 47]);
  });

  it('leaves out days at the ends of which too little is known, and says those between', () => {
    const series = counted(24 * 5 + 6);
    for (let hour = 48; hour < 60; hour++) series.values[hour] = Number.NaN;
    const {values, remarks} = dailyPeaks(series);
    expect([...values]).toEqual([23, 47, Number.NaN, 95, 119]);
    expect(remarks).toMatchObject([{kind: 'gap', count: 1, from: SAMPLE_START + 2 * DAY, to: SAMPLE_START + 2 * DAY}]);
  });

  it('goes by the days of the zone, also by one that has 25 hours', () => {
    // In Berlin 25 October 2026 had 25 hours, and began at 22:00 UTC of the day before.
    const begin = Date.UTC(2026, 9, 24, 22);
    const starts = Float64Array.from({length: 49}, (_, i) => begin + i * 3_600_000);
    const {values, starts: days} = dailyPeaks(counted(49, {starts, timeZone: 'Europe/Berlin'}));
    expect([[...values], [...days]]).toEqual([
      [24, 48],
      [begin, begin + 25 * 3_600_000],
    ]);
  });

  it('has nothing of nothing', () => {
    expect(dailyPeaks(counted(3)).values).toHaveLength(0);
    expect(dailyPeaks(counted(0)).values).toHaveLength(0);
  });
});

import {describe, expect, it} from 'vitest';
import {outageOf} from '../../../src/lib/capacity/survive/outage.ts';

const WEEK = 168;
/** By the hour since a Monday. */
const hours = (length: number, valueAt: (hour: number) => number) => ({
  values: Float64Array.from({length}, (_, step) => valueAt(step)),
  grain: 'hourly' as const,
});

describe('zeros at the end of a load', () => {
  const byDay = (hour: number) => (hour % 24 < 6 ? 0 : 100);

  it('are no outage where nights and the time between batches always have none', () => {
    expect(outageOf(hours(3 * WEEK + 5, byDay))).toBeNull();
    expect(outageOf(hours(3 * WEEK + 100, (hour) => (hour % WEEK === 2 ? 100 : 0)))).toBeNull();
  });

  it('are no outage at a weekend without any, nor on a Sunday of days', () => {
    const workdays = (hour: number) => (hour % WEEK < 5 * 24 ? 100 : 0);
    expect(outageOf(hours(3 * WEEK - 20, workdays))).toBeNull();
    const days = Float64Array.from({length: 28}, (_, day) => (day % 7 === 6 ? 0 : 100));
    expect(outageOf({values: days, grain: 'daily'})).toBeNull();
    // On Monday it should be back.
    expect(outageOf(hours(3 * WEEK + 9, (hour) => (hour < 3 * WEEK ? workdays(hour) : 0)))).not.toBeNull();
  });

  it('are one where there is something at that time, also when it began in such a night', () => {
    const dead = hours(3 * WEEK + 12, (hour) => (hour >= 3 * WEEK ? 0 : byDay(hour)));
    expect(outageOf(dead)).toMatchObject({from: 3 * WEEK, had: 0, usual: 50});
  });

  it('are one of a region that was drained for a month, has been back for three days, and went down', () => {
    const back = hours(6 * WEEK + 78, (hour) => (hour >= 6 * WEEK + 72 || (hour >= WEEK && hour < 6 * WEEK) ? 0 : 100));
    expect(outageOf(back)?.from).toBe(6 * WEEK + 72);
  });
});

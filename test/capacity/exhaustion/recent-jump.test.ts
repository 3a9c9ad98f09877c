import {describe, expect, it} from 'vitest';
import {findExhaustion} from '../../../src/lib/capacity/exhaustion/exhaustion.ts';
import {diskSeries} from './disks.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const HOURS = 840;
/** Grows by 12 a day from 500 on, with a little noise. */
const grown = (hour: number): number => 500 + hour / 2 + 6 * Math.sin(hour * hour);
const disk = (valueAt: (hour: number) => number, limit = 1000) =>
  diskSeries(
    Array.from({length: HOURS}, (_, hour) => valueAt(hour)),
    limit,
  );
const daysTo = (at: number | null, {starts}: {starts: Float64Array}) => ((at ?? Number.NaN) - (starts.at(-1) ?? 0) - HOUR_MS) / DAY_MS;

describe('a disk that was cleaned up in the newest week', () => {
  it.each([2, 12, 30, 80, 150])('%i hours ago is full when its new level has grown to the limit', (ago) => {
    const series = disk((hour) => grown(hour) - (hour < HOURS - ago ? 0 : 500));
    const found = findExhaustion(series);
    // From 420 to 1,000 by 12 a day, peaks a little above: 48 days. One that was bent by the clean-up had 2, or none.
    expect(daysTo(found.p50At, series), found.says).toBeGreaterThan(40);
    expect(daysTo(found.p50At, series), found.says).toBeLessThan(56);
    expect(found.break).toMatchObject({kind: 'level', at: series.starts[HOURS - ago], slopeChangePerDay: 0});
    expect(Math.abs((found.break?.jump ?? 0) + 500)).toBeLessThan(15);
  });

  it('is not at its limit any more, though it was this morning', () => {
    const found = findExhaustion(disk((hour) => grown(hour) - (hour < HOURS - 4 ? 0 : 500), 800));
    expect([found.state, found.slopePerDay]).toEqual(['filling', expect.closeTo(12, 0)]);
  });

  it('in several hours is told as one clean-up', () => {
    const found = findExhaustion(disk((hour) => grown(hour) - 100 * Math.min(5, Math.max(0, hour - HOURS + 40))));
    expect(Math.abs((found.break?.jump ?? 0) + 500)).toBeLessThan(20);
  });

  it('is another thing than a fall that did not stay, and than a load that fell', () => {
    const dip = findExhaustion(disk((hour) => grown(hour) - (hour === HOURS - 20 ? 500 : 0)));
    expect(dip.break).toBeNull();
    const load = {...disk((hour) => grown(hour) - (hour < HOURS - 12 ? 0 : 500)), purpose: 'throughput' as const};
    expect(findExhaustion(load).break?.at).not.toBe(load.starts[HOURS - 12]);
  });
});

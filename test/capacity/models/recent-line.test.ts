import {describe, expect, it} from 'vitest';
import {forecast} from '../../../src/lib/capacity/forecast/forecast.ts';
import {recentLine} from '../../../src/lib/capacity/models/recent-line.ts';

const from = (count: number, value: (t: number) => number) => Float64Array.from({length: count}, (_, t) => value(t));
const last = (values: Float64Array, horizon: number) => recentLine(values, {origins: [values.length], horizon})?.[0]?.at(-1);

describe('recentLine', () => {
  it('goes on with a straight line', () => {
    expect(
      last(
        from(500, (t) => 400 + 0.2 * t),
        100,
      ),
    ).toBeCloseTo(400 + 0.2 * 599, 6);
  });

  it('knows the newest slope only, and is not moved by a few odd values', () => {
    const bent = from(900, (t) => 400 + 0.05 * t + Math.max(0, t - 500) * 0.15);
    for (const odd of [600, 731, 880]) bent[odd] = 9000;
    expect(last(bent, 100)).toBeCloseTo(400 + 0.05 * 999 + 499 * 0.15, 3);
  });

  it('is taken for a disk that fills steadily', () => {
    const disk = from(840, (t) => 400 + 0.12 * t + Math.sin(t * 12.9898) * 0.5);
    const {mean, p10, p90, model} = forecast(disk, {grain: 'hourly', horizon: 168});
    // On logarithms a straight line bends up a little.
    const truth = 400 + 0.12 * (840 + 167);
    expect([model, Math.abs((mean.at(-1) ?? 0) - truth) < 3]).toEqual(['recent-line', true]);
    expect((p10.at(-1) ?? 0) <= truth && truth <= (p90.at(-1) ?? 0)).toBe(true);
  });

  it('has nothing to say of too short a history', () => {
    expect(
      recentLine(
        from(20, (t) => t),
        {origins: [20], horizon: 3},
      ),
    ).toBeNull();
  });
});

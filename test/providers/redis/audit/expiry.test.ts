import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {createExpiry, TOLERANCE_MS} from '../../../../src/lib/providers/redis/audit/expiry.ts';

const times = fc.integer({min: 1e12, max: 1e12 + 100_000});

describe('when keys expire', () => {
  it('a key within the margin of its end is there on nobody, and one that never expires always is', () => {
    let now = 1000;
    const expiry = createExpiry(() => now, 500);
    expect([expiry.isOver(1501), expiry.isOver(1500), expiry.isOver(10), expiry.isOver(null)]).toEqual([false, true, true, false]);
    now = 1001;
    expect(expiry.isOver(1501)).toBe(true);
  });

  it('two times differ just when they are more than the tolerance apart, whichever is seen first and however often', () => {
    fc.assert(
      fc.property(times, times, (one, other) => {
        const expiry = createExpiry(() => 0, 0);
        const isFar = Math.abs(one - other) > TOLERANCE_MS;
        const [first, second] = [expiry.exact('a', one), expiry.exact('a', other)];
        expect(first === second).toBe(!isFar);
        expect([expiry.exact('a', one), expiry.exact('a', other)]).toEqual([first, second]);
        if (isFar) expect(expiry.coarse(one)).not.toBe(expiry.coarse(other));
        expect(expiry.exact('b', other)).toBe(other);
      }),
    );
  });

  it('none is another class than any time', () => {
    const expiry = createExpiry(() => 0, 0);
    expect([expiry.exact('a', null), expiry.coarse(null)]).toEqual([-1, -1]);
    expect(expiry.exact('a', 5)).toBe(5);
    expect(expiry.exact('a', null)).toBe(-1);
  });
});

import {setImmediate as nextTurn} from 'node:timers/promises';
import {describe, expect, it} from 'vitest';
import {createTurns} from '../../src/lib/health/turns.ts';

describe('turns', () => {
  it('lets so many begin in each turn of the event loop, first come first served', async () => {
    const turns = createTurns(3);
    const begun: number[] = [];
    const all = Array.from({length: 8}, (_, n) => turns.take().then(() => begun.push(n)));
    const after: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      await nextTurn();
      after.push(begun.length);
    }
    await Promise.all(all);
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const [index, count] of after.entries()) expect(count).toBeLessThanOrEqual(3 * (index + 2));
    expect(after[0]).toBeLessThan(8);
    // Who comes when nobody waits is not held up.
    const before = performance.now();
    await turns.take();
    expect(performance.now() - before).toBeLessThan(50);
  });
});

import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {Ground} from './evacuation-ground.ts';
import {drained, killed, partitioned} from './evacuation-scenarios.ts';

// Three times each: soak-evacuation.ts.
describe('a region of peers that is left and taken back under load, by the built program', () => {
  const ground = new Ground();
  beforeAll(() => ground.up());
  afterAll(() => ground.lab.remove());

  it('is left when it is killed: what it had not sent is counted when it is back', async () => {
    const told = await killed(ground);
    expect(told.problems).toEqual([]);
    expect(told.unsent).toBeGreaterThan(0);
  });

  it('is left when it is cut off: its late writes are resolved by the rules of their tables', async () => {
    const told = await partitioned(ground);
    expect(told.problems).toEqual([]);
    expect(told.unsent).toBeGreaterThan(10);
  });

  it('is emptied as planned without a loss, also by runs that are killed and gone on with', async () => {
    expect((await drained(ground, {leave: 'await-sent', back: 'audit'})).problems).toEqual([]);
  });
});

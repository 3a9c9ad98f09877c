import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {FakeWorld} from './fake-world.ts';
import {FakeLog, resultOf, runAudit} from './run-audit.ts';

const KEYS = 48;
/** Keys from here on are written to all the time; those below are left alone once they were damaged. */
const HOT = 24;

/** A generator of numbers below `most`, from a seed. */
function dice(seed: number): (most: number) => number {
  let state = seed | 1;
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) % most;
  };
}

/** Values that come back, and rows that go and come again: the worst for whoever looks now and then. */
const VALUES = ['a', 'b', null];

type Busy = {
  readonly members: number;
  readonly seed: number;
  readonly writes: number;
  readonly deliveries: number;
  readonly damage: readonly [number, number, number][];
};

function busyWorld({members, seed, writes, deliveries, damage}: Busy): {world: FakeWorld; damaged: readonly string[]} {
  const roll = dice(seed);
  let on = false;
  const world = new FakeWorld({
    members,
    keys: KEYS,
    meanwhile: (own) => {
      if (!on) return;
      for (let left = roll(writes + 1); left > 0; left--) own.write(roll(members), HOT + roll(KEYS - HOT), VALUES[roll(3)] ?? null);
      for (let left = roll(deliveries + 1); left > 0; left--) own.deliver(roll(members), roll(members));
      // Time passes, and what was sent arrives in the end.
      if (roll(8) === 0) own.deliverAll();
    },
  });
  for (const [member, key, value] of damage) world.damage(member % members, key % HOT, [null, 'x', 'v'][value % 3] ?? null);
  const damaged = Array.from({length: HOT}, (_, key) => key).filter(
    (key) => new Set(world.rows.map((rows) => rows.get(key)?.value)).size > 1,
  );
  on = true;
  return {world, damaged: damaged.map(String)};
}

const busy: fc.Arbitrary<Busy> = fc.record({
  members: fc.constantFrom(2, 3, 5),
  seed: fc.nat(),
  writes: fc.nat({max: 6}),
  deliveries: fc.nat({max: 12}),
  damage: fc.array(fc.tuple(fc.nat({max: 4}), fc.nat({max: HOT - 1}), fc.nat({max: 2})), {maxLength: 6}),
});

describe('an audit while rows are written', () => {
  it('never calls divergent what replication would make equal, and finds all that it would not', async () => {
    await fc.assert(
      fc.asyncProperty(busy, async (options) => {
        const {world, damaged} = busyWorld(options);
        const {keys, verdict, unsettled} = await resultOf(runAudit(world));
        expect(keys.filter((key) => !damaged.includes(key))).toEqual([]);
        const missed = damaged.filter((key) => !keys.includes(key));
        expect(missed.length).toBeLessThanOrEqual(unsettled);
        if (verdict === 'equal') expect(damaged).toEqual([]);
        if (damaged.length > 0) expect(verdict).toBe(keys.length > 0 ? 'diverged' : 'unknown');
      }),
      {numRuns: 1500},
    );
  }, 60_000);

  it('goes on from any slice to the same result', async () => {
    const quiet = busy.map((options) => ({...options, writes: 0}));
    await fc.assert(
      fc.asyncProperty(quiet, fc.integer({min: 1, max: 2}), async (options, killedAfter) => {
        const whole = await resultOf(runAudit(busyWorld(options).world));
        const {world} = busyWorld(options);
        const log = new FakeLog();
        const killed = new AbortController();
        log.onSlice = (slices) => {
          if (slices === killedAfter) killed.abort(new Error('killed'));
        };
        const pace = async (): Promise<void> => killed.signal.throwIfAborted();
        await expect(runAudit(world, {log, signal: killed.signal, pace})).rejects.toThrow('killed');
        expect(log.slices).toHaveLength(killedAfter);
        log.onSlice = () => undefined;
        const resumed = await resultOf(runAudit(world, {log}));
        expect(resumed.keys).toEqual(whole.keys);
        expect([resumed.verdict, resumed.rows, resumed.covered, resumed.accuracy]).toEqual([
          whole.verdict,
          whole.rows,
          whole.covered,
          whole.accuracy,
        ]);
      }),
      {numRuns: 200},
    );
  });

  it('reads again what lies in and after a gap of what was written down', async () => {
    const world = new FakeWorld({members: 2, keys: KEYS});
    const log = new FakeLog();
    await runAudit(world, {log});
    log.slices.splice(1, 1);
    log.done = null;
    world.damage(1, 20, 'other');
    expect(await resultOf(runAudit(world, {log}))).toMatchObject({verdict: 'diverged', keys: ['20'], rows: KEYS});
    expect(log.slices.map(({slice}) => slice.from)).toEqual([null, '16', '32']);
  });
});

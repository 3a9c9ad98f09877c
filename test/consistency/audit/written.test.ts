import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {Baseline} from '../../../src/lib/consistency/audit/written.ts';
import {FakeWorld} from './fake-world.ts';
import {FakeLog, resultOf, runAudit} from './run-audit.ts';

const KEYS = 64;
const CHUNKS = KEYS / 4;

/** A full audit, as a baseline for the next one. */
async function baseline(world: FakeWorld): Promise<ReadonlyMap<string, Baseline>> {
  const log = new FakeLog();
  await runAudit(world, {log});
  return new Map([['t', {form: log.form ?? '', slices: log.slices}]]);
}

const quick = async (world: FakeWorld, baselines: ReadonlyMap<string, Baseline>, log = new FakeLog()) =>
  resultOf(runAudit(world, {baselines, log}));

describe('an audit of what was written since', () => {
  it('hashes nothing when nothing was written', async () => {
    const world = new FakeWorld({members: 3, keys: KEYS});
    const before = await baseline(world);
    world.calls.length = 0;
    expect(await quick(world, before)).toMatchObject({verdict: 'equal', rows: KEYS, covered: 1, hashed: {chunks: 0, of: CHUNKS}});
    expect(world.calls.filter((call) => /^(digest|again|rows)/u.test(call))).toEqual([]);
  });

  it.each([
    ['a change', (world: FakeWorld) => world.damage(1, 5, 'other'), ['5']],
    ['a row more', (world: FakeWorld) => world.damage(2, 70, 'new'), ['70']],
    ['a row less', (world: FakeWorld) => world.damage(0, 9, null), ['9']],
    ['a whole chunk less', (world: FakeWorld) => [8, 9, 10, 11].map((key) => world.damage(0, key, null)), ['8', '9', '10', '11']],
    [
      'a row less and another one in one chunk',
      (world: FakeWorld) => [8, 11].map((key) => world.damage(0, key, key === 8 ? null : 'other')),
      ['8', '11'],
    ],
  ] as [string, (world: FakeWorld) => unknown, string[]][])('finds %s', async (_, change, keys) => {
    const world = new FakeWorld({members: 3, keys: KEYS});
    const before = await baseline(world);
    change(world);
    expect(await quick(world, before)).toMatchObject({verdict: 'diverged', keys, hashed: {of: expect.any(Number)}});
  });

  it('finds again what differed at the baseline, also when nothing was written since', async () => {
    const world = new FakeWorld({members: 2, keys: KEYS});
    world.damage(1, 5, 'other');
    const before = await baseline(world);
    expect(await quick(world, before)).toMatchObject({verdict: 'diverged', keys: ['5'], hashed: {chunks: 1, of: CHUNKS}});
  });

  it('is a baseline itself, of which the next one goes on', async () => {
    const world = new FakeWorld({members: 2, keys: KEYS});
    const first = await baseline(world);
    world.write(0, 5, 'new');
    world.deliverAll();
    const log = new FakeLog();
    expect(await quick(world, first, log)).toMatchObject({verdict: 'equal', hashed: {chunks: 1, of: CHUNKS}});
    const second = new Map([['t', {form: log.form ?? '', slices: log.slices}]]);
    expect(await quick(world, second)).toMatchObject({verdict: 'equal', hashed: {chunks: 0, of: CHUNKS}});
    world.damage(1, 40, null);
    expect(await quick(world, second)).toMatchObject({verdict: 'diverged', keys: ['40'], hashed: {chunks: 1, of: CHUNKS}});
  });

  it('hashes everything where the marks are worth nothing any more, or the table was opened otherwise', async () => {
    const world = new FakeWorld({members: 2, keys: KEYS});
    const before = await baseline(world);
    world.rot(1, 5, 'rotten');
    world.epoch = 'after a restore';
    expect(await quick(world, before)).toMatchObject({verdict: 'diverged', keys: ['5'], hashed: null});
    const other = new Map([['t', {form: 'another', slices: before.get('t')?.slices ?? []}]]);
    expect(await quick(world, other)).toMatchObject({verdict: 'diverged', keys: ['5'], hashed: null});
  });

  it('goes on by its own slices where another audit has cut the table otherwise since', async () => {
    const world = new FakeWorld({members: 2, keys: KEYS});
    const first = await baseline(world);
    const log = new FakeLog();
    const killed = new AbortController();
    log.onSlice = (slices) => {
      if (slices === 2) killed.abort(new Error('killed'));
    };
    const pace = async (): Promise<void> => killed.signal.throwIfAborted();
    await expect(runAudit(world, {baselines: first, log, pace, signal: killed.signal})).rejects.toThrow('killed');
    world.damage(1, 60, 'other');
    const [one] = first.get('t')?.slices ?? [];
    if (one === undefined) throw new Error('no slice');
    const larger = new Map([['t', {form: 'fake', slices: [{...one, slice: {...one.slice, to: null}}]}]]);
    expect(await quick(world, larger, log)).toMatchObject({verdict: 'diverged', keys: ['60'], rows: KEYS});
  });

  it.each([
    ['without its last slice', 3],
    ['with a gap', 1],
  ])('hashes everything by a baseline %s', async (_, missing) => {
    const world = new FakeWorld({members: 2, keys: KEYS});
    const slices = (await baseline(world)).get('t')?.slices.toSpliced(missing, 1) ?? [];
    world.damage(1, missing * 16 + 1, 'other');
    const told = await quick(world, new Map([['t', {form: 'fake', slices}]]));
    expect(told).toMatchObject({verdict: 'diverged', keys: [String(missing * 16 + 1)], rows: KEYS, hashed: null});
  });

  it('does not see damage below the transactions, as its report says: a full one does', async () => {
    const world = new FakeWorld({members: 2, keys: KEYS});
    const before = await baseline(world);
    world.rot(1, 5, 'rotten');
    expect(await quick(world, before)).toMatchObject({verdict: 'equal'});
    expect(await resultOf(runAudit(world))).toMatchObject({verdict: 'diverged', keys: ['5']});
  });

  it('property: it finds what a full one finds, whatever was written in whichever region', async () => {
    const change = fc.record({
      member: fc.nat(2),
      key: fc.nat(KEYS + 8),
      value: fc.constantFrom('a', 'b', null),
      how: fc.constantFrom('write', 'damage', 'audit'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, {maxLength: 30}), async (changes) => {
        const world = new FakeWorld({members: 3, keys: KEYS});
        let last = await baseline(world);
        for (const {member, key, value, how} of changes) {
          if (how === 'write') world.write(member, key, value);
          else if (how === 'damage') world.damage(member, key, value);
          else {
            const log = new FakeLog();
            await quick(world, last, log);
            last = new Map([['t', {form: log.form ?? '', slices: log.slices}]]);
          }
        }
        world.deliverAll();
        const [written, whole] = [await quick(world, last), await resultOf(runAudit(world))];
        expect([written.verdict, written.keys]).toEqual([whole.verdict, whole.keys]);
      }),
      {numRuns: 150},
    );
  });
});

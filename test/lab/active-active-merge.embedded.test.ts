import fc from 'fast-check';
import type pg from 'pg';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {startPeers} from '../providers/postgres/peers-world.ts';
import {type Counts, mergeCounts, mergeMembers, mergeVersions, nextVersions, type OrSet, type Versions} from './active-active-model.ts';

const REGIONS = ['us', 'eu', 'ap'] as const;
const region = fc.constantFrom(...REGIONS);
const counts: fc.Arbitrary<Counts> = fc.dictionary(region, fc.tuple(fc.nat(9), fc.nat(9)));
/** Tags belong to one member each for ever, as in a set that nobody damaged. */
const orSet: fc.Arbitrary<OrSet> = fc
  .tuple(fc.uniqueArray(fc.tuple(region, fc.integer({min: 1, max: 6}))), fc.array(fc.tuple(region, fc.integer({min: 1, max: 6}))))
  .map(([adds, removes]) => ({
    adds: Object.fromEntries(adds.map(([by, count]) => [`${by}:${count}`, `m${(count * by.length) % 3}`])),
    removes: Object.fromEntries(removes.map(([by, count]) => [`${by}:${count}`, true])),
  }));
/** Three replicas of one value that were written and merged in some order: every state can be reached. */
const histories = fc.array(
  fc.oneof(fc.record({write: region, value: fc.jsonValue({maxDepth: 1})}), fc.record({from: region, to: region})),
  {maxLength: 12},
);

function replicas(history: readonly ({write: string; value: unknown} | {from: string; to: string})[]): [Versions, Versions, Versions] {
  const state: Record<string, Versions> = {us: {}, eu: {}, ap: {}};
  for (const step of history) {
    if ('write' in step) state[step.write] = nextVersions(state[step.write] ?? {}, step.write, step.value);
    else state[step.to] = mergeVersions(state[step.to] ?? {}, state[step.from] ?? {});
  }
  return [state.us ?? {}, state.eu ?? {}, state.ap ?? {}];
}

describe('the merge functions of the mode active-active', () => {
  let world: Awaited<ReturnType<typeof startPeers>>;
  let client: pg.Client;
  beforeAll(async () => {
    world = await startPeers(['us']);
    const connected = await world.all[0]?.connect({database: 'orders'});
    if (connected === undefined) throw new Error('no server');
    client = connected;
  });
  afterAll(async () => {
    await client?.end();
    await world?.end();
  });

  /** One statement for all samples: a merges with b, b with a, a with the merge of b and c, the merge of a and b with c, and the result with itself. */
  async function laws(fn: string, samples: readonly (readonly [unknown, unknown, unknown])[]) {
    const {rows} = await client.query<Record<'ab' | 'ba' | 'left' | 'right' | 'again', string>>(
      `with sample as (select n, s -> 0 as a, s -> 1 as b, s -> 2 as c from jsonb_array_elements($1) with ordinality each(s, n))
       select ab::text, ba::text, lab.${fn}(ab, c)::text as left, lab.${fn}(a, bc)::text as right, lab.${fn}(ab, ab)::text as again
       from sample, lab.${fn}(a, b) ab, lab.${fn}(b, a) ba, lab.${fn}(b, c) bc order by n`,
      [JSON.stringify(samples)],
    );
    expect(rows).toHaveLength(samples.length);
    return rows;
  }

  const cases = {
    merge_counts: [fc.tuple(counts, counts, counts), mergeCounts],
    merge_members: [fc.tuple(orSet, orSet, orSet), mergeMembers],
    merge_versions: [histories.map(replicas), mergeVersions],
  } as const;

  it.each(Object.keys(cases) as (keyof typeof cases)[])(
    '%s is commutative, associative and idempotent to the byte, and merges as the model',
    async (fn) => {
      const [arbitrary, model] = cases[fn];
      const samples = fc.sample(arbitrary as fc.Arbitrary<[never, never, never]>, {numRuns: 500, seed: 7});
      const rows = await laws(fn, samples);
      for (const [index, {ab, ba, left, right, again}] of rows.entries()) {
        const [a, b] = samples[index] ?? [];
        expect([ba, right, again]).toEqual([ab, left, ab]);
        expect(JSON.parse(ab)).toEqual(model(a as never, b as never));
      }
    },
  );

  it('keeps one of two values that damage gave the same tag, whichever way it is merged', async () => {
    const set = (member: string) => ({adds: {'us:1': member}, removes: {}});
    const [row] = await laws('merge_members', [[set('a'), set('b'), set('a')]]);
    expect(row).toMatchObject({ab: row?.ba, left: row?.right});
    expect(row?.ab).toContain('"b"');
  });

  it('writes versions, counts and members as the model does', async () => {
    await client.query("select write_profile('p', '1'), write_profile('p', '2')");
    expect((await client.query('select versions from profiles')).rows).toEqual([
      {versions: nextVersions(nextVersions({}, 'us', 1), 'us', 2)},
    ]);
    await client.query("select like_post('p'), like_post('p'), unlike_post('p')");
    expect((await client.query('select counts from likes')).rows).toEqual([{counts: {us: [2, 1]}}]);
    await client.query("select add_member('t', 'ann'), add_member('t', 'bob'), add_member('t', 'ann')");
    await client.query("select remove_member('t', 'ann')");
    const members = {adds: {'us:1': 'ann', 'us:2': 'bob', 'us:3': 'ann'}, removes: {'us:1': true, 'us:3': true}};
    expect((await client.query('select members from members')).rows).toEqual([{members}]);
  });

  it('gives out times that only grow, after those it has heard of, and as the clock goes', async () => {
    const ticks = await client.query<{tick: string}>('select lab.tick() as tick from generate_series(1, 200)');
    const all = ticks.rows.map(({tick}) => BigInt(tick));
    expect(all.every((tick, index) => index === 0 || tick > (all[index - 1] ?? tick))).toBe(true);
    expect(Math.abs(Number((all.at(-1) ?? 0n) >> 16n) - Date.now())).toBeLessThan(5000);
    const far = (BigInt(Date.now() + 60_000) << 16n) + 7n;
    const heard = await client.query<{tick: string}>(`select lab.tick(${far}) as tick union all select lab.tick()`);
    expect(heard.rows.map(({tick}) => BigInt(tick) - far)).toEqual([1n, 2n]);
  });
});

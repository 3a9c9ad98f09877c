import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type CountedTable, countsSay, countTable, isQuotedName, judgeLook, rowCount} from '../../src/lib/consistency/counts.ts';

/** Counts by script: each call of a member takes its next number. */
function scripted(counts: Readonly<Record<string, readonly number[]>>) {
  const asked: Record<string, number> = {};
  let replays = 0;
  const job = {
    primary: 'us',
    standbys: Object.keys(counts).filter((name) => name !== 'us'),
    count: async (member: string) => {
      const at = asked[member] ?? 0;
      asked[member] = at + 1;
      const value = counts[member]?.[at];
      if (value === undefined) throw new Error(`${member} was asked too often`);
      return BigInt(value);
    },
    awaitReplay: async () => {
      replays++;
    },
  };
  return {job, asked, replays: () => replays};
}

describe('one table, counted everywhere', () => {
  it('equal at the first look', async () => {
    const {job, asked, replays} = scripted({us: [5, 5], eu: [5], ap: [5]});
    expect(await countTable('public.t', job)).toEqual({table: 'public.t', verdict: 'equal', rows: {us: '5', eu: '5', ap: '5'}, why: null});
    expect([asked, replays()]).toEqual([{us: 2, eu: 1, ap: 1}, 1]);
  });

  it('differs only when it does so twice in a row while the primary stands still', async () => {
    const once = scripted({us: [5, 5, 5, 5], eu: [4, 5]});
    expect(await countTable('t', once.job)).toMatchObject({verdict: 'equal'});
    const twice = scripted({us: [5, 5, 5, 5], eu: [4, 4]});
    expect(await countTable('t', twice.job)).toMatchObject({verdict: 'differs', rows: {us: '5', eu: '4'}});
    const apart = scripted({us: [5, 5, 5, 6, 6, 6, 6, 7], eu: [4, 9, 4, 9]});
    expect(await countTable('t', apart.job)).toMatchObject({verdict: 'moving'});
    const atLast = scripted({us: [5, 6, 6, 7, 7, 8, 8, 8], eu: [9, 9, 9, 9]});
    expect(await countTable('t', atLast.job)).toMatchObject({verdict: 'moving'});
  });

  it('is unknown, with the reason, when somebody cannot count', async () => {
    const {job} = scripted({us: [5], eu: [5]});
    expect(await countTable('t', job)).toEqual({table: 't', verdict: 'unknown', rows: {}, why: 'us was asked too often'});
  });
});

describe('one look', () => {
  it('only rows that came, or only rows that went, never read as a difference, whenever a standby was counted', () => {
    const history = fc.tuple(fc.integer({min: 0, max: 1e6}), fc.array(fc.nat(50), {minLength: 1, maxLength: 20}), fc.boolean());
    fc.assert(
      fc.property(history, fc.array(fc.nat(19), {minLength: 1}), ([start, changes, grows], picks) => {
        const counts = [BigInt(start) + 1000n];
        for (const change of changes) counts.push((counts.at(-1) ?? 0n) + BigInt(grows ? change : -change));
        const standbys = Object.fromEntries(picks.map((pick, index) => [`s${index}`, counts[pick % counts.length] ?? 0n]));
        expect(judgeLook({before: counts[0] ?? 0n, after: counts.at(-1) ?? 0n, standbys})).toBe('equal');
      }),
    );
  });

  it('a primary that stood still explains no difference, beyond what a double holds either', () => {
    const many = 9_007_199_254_740_993n;
    expect(judgeLook({before: many, after: many, standbys: {eu: many - 1n}})).toBe('differs');
    expect(judgeLook({before: many, after: many + 1n, standbys: {eu: many - 1n}})).toBe('moving');
    expect(judgeLook({before: many, after: many, standbys: {}})).toBe('equal');
  });
});

describe('the sentence', () => {
  const table = (name: string, verdict: CountedTable['verdict'], rows = {}): CountedTable => ({
    table: name,
    verdict,
    rows,
    why: verdict === 'unknown' ? 'it took too long' : null,
  });

  it('says what is the same, and what was not compared and why', () => {
    expect(countsSay('orders', ['us', 'eu'], [table('public.a', 'equal')])).toBe(
      '1 of 1 table of orders have the same number of rows on us, eu',
    );
    const tables = [
      ...[table('public.a', 'equal'), table('public.b', 'moving')],
      ...['c', 'd', 'e', 'f'].map((name) => table(`public.${name}`, 'unknown')),
    ];
    expect(countsSay('orders', ['us', 'eu'], tables)).toBe(
      '1 of 6 tables of orders have the same number of rows on us, eu; public.b changed too fast to be compared; public.c, public.d, public.e and 1 more could not be counted: it took too long',
    );
  });

  it('of a difference nothing else is said', () => {
    expect(countsSay('orders', ['us', 'eu'], [table('public.a', 'equal'), table('public.b', 'differs', {us: '5', eu: '4'})])).toBe(
      'orders does not have the same number of rows everywhere: public.b has 5 on us, 4 on eu',
    );
  });
});

describe('what goes into a query', () => {
  it('only names as a server quotes them', () => {
    for (const name of ['public.orders', '"Odd".orders', 'public."a ""b"""', 'public.t1$']) expect(isQuotedName(name), name).toBe(true);
    for (const name of [
      'orders',
      'public.Orders',
      'public.t; drop table x',
      'public."a"b"',
      'public."a',
      'a.b.c',
      'public.t where true',
      '',
    ])
      expect(isQuotedName(name), name).toBe(false);
  });

  it('whatever is in a quoted name, it ends where it should', () => {
    const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(fc.string({minLength: 1}), fc.string({minLength: 1}), (schema, name) => {
        fc.pre(!`${schema}${name}`.includes('\0'));
        expect(isQuotedName(`${quote(schema)}.${quote(name)}`)).toBe(true);
        expect(isQuotedName(`${quote(schema)}.${quote(name)} x`)).toBe(false);
      }),
    );
  });

  it('and only whole numbers come out', () => {
    expect([rowCount(5), rowCount('9007199254740993')]).toEqual([5n, 9_007_199_254_740_993n]);
    for (const value of [null, -1, 1.5, 'many', '-1', true, [5]]) expect(() => rowCount(value)).toThrow('no number of rows');
  });
});

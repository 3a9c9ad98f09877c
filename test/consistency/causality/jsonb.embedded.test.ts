import fc from 'fast-check';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {byBytes} from '../../../src/lib/consistency/causality/bytes.ts';
import {hlcAt} from '../../../src/lib/consistency/causality/hlc.ts';
import {microsOf} from '../../../src/lib/consistency/causality/stamp.ts';
import {mergeStates} from '../../../src/lib/consistency/causality/states.ts';
import {type Server, type Servers, startServers} from '../../servers/embedded.ts';

describe('what PostgreSQL has is what is read and written here', () => {
  let servers: Servers;
  let server: Server;
  beforeAll(async () => {
    servers = await startServers(['us']);
    server = servers.all[0]!;
  });
  afterAll(() => servers?.end());

  const ask = async (sql: string, values: readonly unknown[]): Promise<readonly Record<string, unknown>[]> => server.sql(sql, [...values]);

  it('states are printed as jsonb prints them, whatever the names and values', async () => {
    // jsonb takes no NUL and no half of a surrogate pair.
    const name = fc.string({unit: 'grapheme', minLength: 1, maxLength: 5}).filter((text) => !text.includes('\0'));
    const value = fc
      .json({stringUnit: 'grapheme'})
      .filter((text) => !text.includes('\\u0000') && !text.includes('e+') && !text.includes('e-'));
    const register = fc.dictionary(name, fc.tuple(fc.integer({min: 1, max: 9}), value), {maxKeys: 3}).map((each) => {
      const versions = Object.entries(each).map(
        ([region, [count, json]]) =>
          `${JSON.stringify(`${region}:${count}`)}: {"value": ${json}, "clock": {${JSON.stringify(region)}: ${count}}}`,
      );
      return ['mv-register', `{${versions.join(',')}}`] as const;
    });
    const set = fc.dictionary(name, name, {maxKeys: 5}).map((each) => {
      const adds = Object.entries(each).map(([region, element]) => [`${region}:1`, element]);
      return ['or-set', JSON.stringify({removes: {'ap:1': true}, adds: Object.fromEntries(adds)})] as const;
    });
    const counter = fc
      .dictionary(
        name,
        fc.nat().filter((count) => count > 0),
        {maxKeys: 5},
      )
      .map((each) => ['g-counter', JSON.stringify(each)] as const);
    const states = fc.sample(fc.oneof(register, set, counter), 600);
    const texts = states.map(([, text]) => text);
    const printed = await ask('select t::jsonb::text as text from unnest($1::text[]) with ordinality u(t, n) order by n', [texts]);
    const ours = states.map(([kind, text]) => mergeStates(kind, [text, text]));
    expect(ours).toEqual(printed.map(({text}) => ({ok: true, value: text})));
  });

  it('numbers keep their digits', async () => {
    const text = '{"ap:1": {"clock": {"ap": 1}, "value": [1.10, 12345678901234567890.123456789, 1e30, -0, 1E-3]}}';
    const [row] = await ask('select $1::jsonb::text as text', [text]);
    expect(mergeStates('mv-register', [String(row?.text)])).toEqual({ok: true, value: row?.text});
  });

  it('names are ordered by bytes as by collation "C"', async () => {
    const names = fc.sample(
      fc.string({unit: 'binary'}).filter((text) => !text.includes('\0')),
      300,
    );
    const sorted = await ask('select t from unnest($1::text[]) u(t) order by t collate "C"', [names]);
    expect(names.toSorted(byBytes)).toEqual(sorted.map(({t}) => t));
  });

  it('times and clocks are the same numbers', async () => {
    const [row] = await ask(
      `select t::text as plain, to_char(t at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as iso, (extract(epoch from t) * 1000000)::bigint::text as micros,
        (floor(extract(epoch from t) * 1000)::bigint << 16)::text as hlc from (select '2026-11-28 13:04:00.123456+00'::timestamptz) s(t)`,
      [],
    );
    expect([microsOf(String(row?.plain)), microsOf(String(row?.iso))]).toEqual([BigInt(String(row?.micros)), BigInt(String(row?.micros))]);
    expect(String(hlcAt(1_795_871_040_123))).toBe(row?.hlc);
  });
});

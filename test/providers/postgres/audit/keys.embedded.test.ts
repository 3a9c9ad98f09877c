import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type Servers, startServers} from '../../../servers/embedded.ts';
import {signal} from '../open-store.ts';
import {type AuditWorld, openPair, readTable} from './audit-world.ts';

/** Values of a key as SQL: the first and the last are its ends. `keys` = how they read where that is not the same. */
type Kind = {readonly type: string; readonly values: readonly string[]; readonly keys?: readonly string[]};

const text = (...values: string[]): string[] => values.map((value) => `'${value}'`);

const KINDS: Readonly<Record<string, Kind>> = {
  int2: {type: 'int2', values: ['-32768', '-1', '0', '1', '32767']},
  int4: {type: 'int4', values: ['-2147483648', '-1', '0', '1', '2147483647']},
  int8: {type: 'int8', values: ["'-9223372036854775808'", '-1', '0', '4294967300', '9223372036854775807']},
  int8_low: {type: 'int8', values: ["'-9223372036854775808'", "'-9223372036854775807'", "'-9223372036854775806'"]},
  int8_high: {type: 'int8', values: ['9223372036854775805', '9223372036854775806', '9223372036854775807']},
  text: {type: 'text', values: text('', ' ', 'a', 'A', 'a ', '\u00e9', 'e\u0301', '\u{1F600}', '["x"]', '\uffff')},
  text_icu: {type: 'text collate "de-x-icu"', values: text('', 'a', 'A', '\u00e4', 'z')},
  text_any_case: {type: 'text collate any_case', values: text('', 'a', 'b', '\u00e4', 'Z')},
  varchar: {type: 'varchar(20)', values: text('', 'a', 'a ', 'b')},
  bpchar: {type: 'char(3)', values: text('', 'a', 'b'), keys: ['   ', 'a  ', 'b  ']},
  name: {type: 'name', values: text('', 'a', 'b')},
  char: {type: '"char"', values: text('', 'a', 'b')},
  uuid: {
    type: 'uuid',
    values: text('00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
  },
  numeric: {type: 'numeric', values: text('-Infinity', '-1', '0.00', '0.5', '1.50', 'Infinity', 'NaN')},
  float8: {type: 'float8', values: text('-Infinity', '0', '0.1', '0.10000000000000002', 'NaN')},
  timestamptz: {
    type: 'timestamptz',
    values: text('-infinity', '0001-01-01 00:00:00+00 BC', '1970-01-01 00:00:00+00', '2026-01-01 00:00:00.000001+00', 'infinity'),
  },
  date: {type: 'date', values: text('-infinity', '1970-01-01', 'infinity')},
  interval: {type: 'interval', values: text('-1 days', '00:00:00', '1 day', '1 mon 2 days')},
  bytea: {type: 'bytea', values: text('\\x', '\\x00', '\\x0000', '\\xff')},
  bool: {type: 'bool', values: ['false', 'true']},
  inet: {type: 'inet', values: text('0.0.0.0/0', '10.0.0.1/32', '::1/128')},
  bits: {type: 'bit(3)', values: ["B'000'", "B'001'", "B'111'"], keys: ['000', '001', '111']},
  ranges: {type: 'int4range', values: text('empty', '(,5)', '[1,5)', '[1,)')},
  arrays: {type: 'int[]', values: text('{}', '{NULL}', '{1}', '{1,2}')},
  enums: {type: 'mood', values: text('sad', 'ok', 'Very "happy"')},
  domains: {type: 'small', values: ['6', '7', '2147483647']},
  domain_texts: {type: 'code', values: text('a', 'b')},
  composites: {type: 'pair', values: text('(,)', '(1,)', '(1,a)', '(2,"a,b")')},
  plain_type: {type: 'odd.own', values: text('a', 'b', 'c')},
  money: {type: 'money', values: text('-$1.00', '$0.00', '$1,000.00')},
  jsonb: {type: 'jsonb', values: text('null', '""', '1.0', '{"a": 1}', '[]')},
};

const SETUP = `create collation any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  create type mood as enum ('sad', 'ok', 'Very "happy"');
  create domain small as int check (value > 5);
  create domain code as text collate any_case not null;
  create type pair as (a int, b text);
  create schema odd;
  create type odd.own;
  create function odd.own_in(cstring) returns odd.own language internal immutable strict as 'textin';
  create function odd.own_out(odd.own) returns cstring language internal immutable strict as 'textout';
  create type odd.own (input = odd.own_in, output = odd.own_out, like = text);
  create function odd.lt(odd.own, odd.own) returns bool language internal immutable strict as 'text_lt';
  create function odd.le(odd.own, odd.own) returns bool language internal immutable strict as 'text_le';
  create function odd.eq(odd.own, odd.own) returns bool language internal immutable strict as 'byteaeq';
  create function odd.ge(odd.own, odd.own) returns bool language internal immutable strict as 'text_ge';
  create function odd.gt(odd.own, odd.own) returns bool language internal immutable strict as 'text_gt';
  create function odd.cmp(odd.own, odd.own) returns int language internal immutable strict as 'byteacmp';
  create operator odd.< (leftarg = odd.own, rightarg = odd.own, function = odd.lt);
  create operator odd.<= (leftarg = odd.own, rightarg = odd.own, function = odd.le);
  create operator odd.= (leftarg = odd.own, rightarg = odd.own, function = odd.eq);
  create operator odd.>= (leftarg = odd.own, rightarg = odd.own, function = odd.ge);
  create operator odd.> (leftarg = odd.own, rightarg = odd.own, function = odd.gt);
  create operator class odd.own_ops default for type odd.own using btree as operator 1 odd.<, operator 2 odd.<=, operator 3 odd.=,
    operator 4 odd.>=, operator 5 odd.>, function 1 odd.cmp(odd.own, odd.own);`;

describe('keys of every kind', () => {
  let servers: Servers;
  let world: AuditWorld;
  beforeAll(async () => {
    servers = await startServers(['one']);
    const [server] = servers.all as [Servers['all'][number]];
    world = await openPair(server, server, 'keys');
    await world.both(SETUP);
    const create = Object.entries(KINDS).map(
      ([name, {type}]) => `create table "k_${name}" (k ${type} primary key, v int);
      create table "two_${name}" (a int, k ${type}, v int, primary key (k, a));`,
    );
    await world.both(create.join('\n'));
    const rows = Object.entries(KINDS).map(([name, {values}]) => {
      const all = values.map((value) => `(${value})`).join(', ');
      return `insert into "k_${name}" (k) values ${all}; insert into "two_${name}" (a, k) select g, k from "k_${name}", generate_series(1, 2) g;`;
    });
    await world.both(rows.join('\n'));
  });
  afterAll(async () => {
    await world?.end();
    await servers?.end();
  });

  it.each(Object.entries(KINDS))(
    '%s: a row at either end is found where it is missing, and can be asked for again',
    async (name, {type, values, keys}) => {
      const [first = '', last = ''] = [values[0], values.at(-1)];
      const own = keys ?? values.map((value) => value.replace(/^'|'$/g, ''));
      const table = `public.k_${name}`;
      const both = [own[0] ?? '', own.at(-1) ?? ''].toSorted();
      expect((await readTable(world, table)).keys).toEqual([]);
      await world.each(`delete from "k_${name}" where ${same(type, first)}`, `delete from "k_${name}" where ${same(type, last)}`);
      const seen = await readTable(world, table);
      expect(seen.keys).toEqual(both);
      const [a, b] = await Promise.all(['a', 'b'].map((member) => seen.form.hashes(member, own, signal())));
      expect(a?.map(({key}) => key).toSorted()).toEqual(own.slice(1).toSorted());
      expect(b?.map(({key}) => key).toSorted()).toEqual(own.slice(0, -1).toSorted());
      const versions = await seen.form.versions('b', own, [], signal());
      expect(versions.map(({key, hash}) => ({key, there: hash !== null}))).toEqual(
        own.map((key, index) => ({key, there: index < own.length - 1})),
      );
      for (const {key, hash, stamp} of b ?? []) expect(versions.find((version) => version.key === key)).toMatchObject({hash, stamp});
    },
  );

  it('keys of two columns are found, and can be asked for again', async () => {
    for (const [name, {type, values, keys}] of Object.entries(KINDS)) {
      const own = keys ?? values.map((value) => value.replace(/^'|'$/g, ''));
      await world.each(
        `update "two_${name}" set v = 1 where a = 1 and ${same(type, values[0])}`,
        `delete from "two_${name}" where a = 2 and ${same(type, values.at(-1))}`,
      );
      const seen = await readTable(world, `public.two_${name}`);
      const expected = [`["${escaped(own[0])}", "1"]`, `["${escaped(own.at(-1))}", "2"]`].map((key) => JSON.parse(key));
      const byText = (all: unknown[]): unknown[] => all.toSorted((x, y) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1));
      expect({name, keys: byText(seen.keys.map((key) => JSON.parse(key)))}).toEqual({name, keys: byText(expected)});
      expect({name, rows: (await seen.form.hashes('a', seen.keys, signal())).length}).toEqual({name, rows: 2});
    }
  });

  it('keys that are equal to the server and not the same are both found, and do not hide each other', async () => {
    await world.audit.rest(signal());
    await world.both('truncate k_text_any_case, k_numeric, k_bpchar');
    await world.each(
      "insert into k_text_any_case values ('abc', 1); insert into k_numeric values (1.0, 1)",
      "insert into k_text_any_case values ('ABC', 1); insert into k_numeric values (1.00, 1)",
    );
    for (const [table, keys] of [
      ['public.k_text_any_case', ['ABC', 'abc']],
      ['public.k_numeric', ['1.0', '1.00']],
    ] as const) {
      const seen = await readTable(world, table);
      expect(seen.keys).toEqual(keys);
      const [a = [], b = []] = await Promise.all(['a', 'b'].map((member) => seen.form.hashes(member, keys, signal())));
      expect([...a, ...b].map(({key}) => key).toSorted()).toEqual(keys);
      const versions = await seen.form.versions('a', keys, [], signal());
      expect(versions.filter(({hash}) => hash !== null)).toMatchObject([{key: a[0]?.key, hash: a[0]?.hash}]);
    }
  });
});

const escaped = (key = ''): string => JSON.stringify(key).slice(1, -1);

/* Not every one of these types has an operator that is found without its schema. */
const same = (type: string, value = ''): string => `concat(k) = concat((${value})::${type.replace(/ collate.*/, '')})`;

import fc from 'fast-check';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {Store} from '../../../../src/lib/ports/store.ts';
import type {Word} from '../../../../src/lib/providers/redis/audit/encode.ts';
import {noRedis, type RedisServer, startRedis} from '../../../servers/redis.ts';
import {at, storeOf} from '../store-under-test.ts';
import {auditNow, caughtUp, type Writer, writerTo} from './audit-under-test.ts';

type Commands = readonly (readonly Word[])[];
const far = String(Date.now() + 3_600_000);
const many = (count: number, of: (index: number) => readonly string[]): readonly string[] =>
  Array.from({length: count}, (_, index) => of(index)).flat();
const BIG = 'x'.repeat(300_000);

/** What the primary writes, and what a replica then is given beside it: one single change each. */
const CHANGES: readonly (readonly [string, Commands, Commands])[] = [
  ['one byte of a string', [['set', 'k', 'abc']], [['setrange', 'k', '1', 'B']]],
  ['one byte in the middle of a long string', [['set', 'k', BIG]], [['setrange', 'k', '290000', 'B']]],
  ['the last byte of a string of 64 KiB', [['set', 'k', 'x'.repeat(65_536)]], [['setrange', 'k', '65535', 'B']]],
  ['a byte more', [['set', 'k', 'x'.repeat(1024)]], [['append', 'k', 'x']]],
  ['a zero byte more', [['set', 'k', 'a']], [['append', 'k', Buffer.from([0])]]],
  ['an empty string and no key', [['set', 'k', '']], [['del', 'k']]],
  ['a key more', [], [['set', 'k', '']]],
  ['a number and its text', [['set', 'k', '1']], [['set', 'k', '1.0']]],
  [
    'a string and a list of it',
    [['set', 'k', 'a']],
    [
      ['del', 'k'],
      ['rpush', 'k', 'a'],
    ],
  ],
  [
    'a list and a set of it',
    [['rpush', 'k', 'a']],
    [
      ['del', 'k'],
      ['sadd', 'k', 'a'],
    ],
  ],
  [
    'a set and a hash',
    [['sadd', 'k', 'a']],
    [
      ['del', 'k'],
      ['hset', 'k', 'a', ''],
    ],
  ],
  [
    'a hash and a sorted set',
    [['hset', 'k', 'a', '1']],
    [
      ['del', 'k'],
      ['zadd', 'k', '1', 'a'],
    ],
  ],
  [
    'the order in a list',
    [['rpush', 'k', 'a', 'b', 'c']],
    [
      ['lset', 'k', '0', 'b'],
      ['lset', 'k', '1', 'a'],
    ],
  ],
  ['how often an element is in a list', [['rpush', 'k', 'a', 'a']], [['rpush', 'k', 'a']]],
  [
    'where elements of a list end',
    [['rpush', 'k', 'ab', 'c']],
    [
      ['lset', 'k', '0', 'a'],
      ['lset', 'k', '1', 'bc'],
    ],
  ],
  ['an element in a long list', [['rpush', 'k', ...many(30_000, (index) => [`element ${index}`])]], [['lset', 'k', '17777', 'other']]],
  [
    'a member of a set',
    [['sadd', 'k', 'a', 'b']],
    [
      ['srem', 'k', 'b'],
      ['sadd', 'k', 'c'],
    ],
  ],
  [
    'a number in a set of numbers',
    [['sadd', 'k', '1', '2', '3']],
    [
      ['srem', 'k', '3'],
      ['sadd', 'k', '4'],
    ],
  ],
  ['a member of a large set', [['sadd', 'k', ...many(20_000, (index) => [`member ${index}`])]], [['srem', 'k', 'member 7']]],
  [
    'a field of a hash',
    [['hset', 'k', 'f', '1', 'g', '2']],
    [
      ['hdel', 'k', 'g'],
      ['hset', 'k', 'h', '2'],
    ],
  ],
  ['a value of a hash', [['hset', 'k', 'f', '1', 'g', '2']], [['hset', 'k', 'g', '3']]],
  ['values of a hash swapped', [['hset', 'k', 'f', '1', 'g', '2']], [['hset', 'k', 'f', '2', 'g', '1']]],
  [
    'where a field ends',
    [['hset', 'k', 'fa', 'b']],
    [
      ['del', 'k'],
      ['hset', 'k', 'f', 'ab'],
    ],
  ],
  ['a value in a large hash', [['hset', 'k', ...many(20_000, (index) => [`field ${index}`, `${index}`])]], [['hset', 'k', 'field 9', 'x']]],
  [
    'a member of a sorted set',
    [['zadd', 'k', '1', 'a']],
    [
      ['zrem', 'k', 'a'],
      ['zadd', 'k', '1', 'b'],
    ],
  ],
  ['a score by its last bit', [['zadd', 'k', '0.1', 'a']], [['zadd', 'k', '0.10000000000000002', 'a']]],
  ['a score without an end', [['zadd', 'k', 'inf', 'a']], [['zadd', 'k', '-inf', 'a']]],
  [
    'a score in a large sorted set',
    [['zadd', 'k', ...many(20_000, (index) => [`${index}`, `member ${index}`])]],
    [['zadd', 'k', '5.5', 'member 5']],
  ],
  [
    'a field of a stream',
    [['xadd', 'k', '1-1', 'f', 'a']],
    [
      ['del', 'k'],
      ['xadd', 'k', '1-1', 'f', 'b'],
    ],
  ],
  [
    'an id in a stream',
    [['xadd', 'k', '1-1', 'f', 'a']],
    [
      ['del', 'k'],
      ['xadd', 'k', '1-2', 'f', 'a'],
    ],
  ],
  [
    'an entry of a stream',
    [
      ['xadd', 'k', '1-1', 'f', 'a'],
      ['xadd', 'k', '1-2', 'f', 'a'],
    ],
    [['xdel', 'k', '1-2']],
  ],
  ['an expire time and none', [['set', 'k', 'a']], [['pexpireat', 'k', far]]],
  ['none and an expire time', [['set', 'k', 'a', 'pxat', far]], [['persist', 'k']]],
  ['expire times more than a second apart', [['set', 'k', 'a', 'pxat', far]], [['pexpireat', 'k', String(Number(far) + 1001)]]],
  ['a key of another case', [['set', 'k', 'a']], [['rename', 'k', 'K']]],
];

/** The same, in other words. */
const SAME: readonly (readonly [string, Commands, Commands])[] = [
  [
    'fields in another order',
    [['hset', 'k', 'a', '1', 'b', '2', 'c', '3']],
    [
      ['del', 'k'],
      ['hset', 'k', 'c', '3', 'b', '2', 'a', '1'],
    ],
  ],
  [
    'a hash that was large once',
    [['hset', 'k', 'a', '1']],
    [
      ['hset', 'k', 'b', 'y'.repeat(100)],
      ['hdel', 'k', 'b'],
    ],
  ],
  [
    'a set of numbers that had a word in it',
    [['sadd', 'k', '1', '2', '3']],
    [
      ['sadd', 'k', 'a'],
      ['srem', 'k', 'a'],
    ],
  ],
  [
    'a set in another order',
    [['sadd', 'k', 'a', 'b', 'c']],
    [
      ['del', 'k'],
      ['sadd', 'k', 'c', 'b', 'a'],
    ],
  ],
  [
    'a large set in another order, after it was twice as large',
    [['sadd', 'k', ...many(20_000, (index) => [`member ${index}`])]],
    [
      ['del', 'k'],
      ['sadd', 'k', ...many(40_000, (index) => [`member ${40_000 - index}`])],
      ['srem', 'k', ...many(20_001, (index) => [`member ${20_000 + index}`])],
      ['sadd', 'k', 'member 0'],
    ],
  ],
  [
    'a sorted set that was large once, which keeps the sign of zero',
    [['zadd', 'k', '0.1', 'a', '-0', 'b', '1e300', 'c']],
    [
      ['del', 'k'],
      ['zadd', 'k', '1', 'y'.repeat(100)],
      ['zadd', 'k', '0.1', 'a', '-0', 'b', '1e300', 'c'],
      ['zrem', 'k', 'y'.repeat(100)],
    ],
  ],
  ['a score written otherwise', [['zadd', 'k', '100000', 'a']], [['zadd', 'k', '1e5', 'a']]],
  [
    'a list that was long once',
    [['rpush', 'k', 'a', 'b']],
    [
      ['rpush', 'k', 'z'.repeat(20_000)],
      ['rpop', 'k'],
    ],
  ],
  [
    'a list built from its other end',
    [['rpush', 'k', 'a', 'b', '3']],
    [
      ['del', 'k'],
      ['lpush', 'k', '3', 'b', 'a'],
    ],
  ],
  [
    'a string made of pieces',
    [['set', 'k', '12345']],
    [
      ['del', 'k'],
      ['append', 'k', '12'],
      ['append', 'k', '345'],
    ],
  ],
  ['expire times within a second', [['set', 'k', 'a', 'pxat', far]], [['pexpireat', 'k', String(Number(far) + 999)]]],
  ['a key that has expired on one and has a moment left on another', [['set', 'k', 'a', 'px', '700']], [['del', 'k']]],
];

describe.skipIf(noRedis !== null)(`an audit of a Redis that stands still${noRedis === null ? '' : ` (skipped: no ${noRedis})`}`, () => {
  let [us, eu, ap]: RedisServer[] = [];
  let store: Store;
  let writers: Record<'us' | 'eu', Writer>;
  const both = async (commands: Commands, change: Commands): Promise<void> => {
    await writers.us.send(['flushall'], ...commands);
    await caughtUp(us!, eu!, ap!);
    if (change.length > 0) await writers.eu.send(...change);
  };
  const divergentOf = async () => {
    const {tables} = await auditNow(store, ['us', 'eu', 'ap']);
    expect(tables.map(({code, reason}) => [code, reason])).toEqual([[null, null]]);
    return tables[0]!;
  };

  beforeAll(async () => {
    us = await startRedis();
    const settings = {'replica-read-only': 'no'};
    [eu, ap] = await Promise.all([startRedis({upstream: us, settings}), startRedis({upstream: us})]);
    store = await storeOf({us: at(us), eu: at(eu!), ap: at(ap!)});
    writers = {us: writerTo(us), eu: writerTo(eu!)};
  });
  afterAll(async () => {
    for (const writer of Object.values(writers)) writer.close();
    await store.close();
    await Promise.all([us, eu, ap].map((server) => server?.end()));
  });

  it.each(CHANGES)('finds %s', async (_, commands, change) => {
    await both([['set', 'other', '1'], ...commands], change);
    const {verdict, divergent, accuracy} = await divergentOf();
    expect(verdict).toBe('diverged');
    expect(divergent.map(({key}) => key)).toContain('k');
    expect(divergent.every(({key}) => key === 'k' || key === 'K')).toBe(true);
    expect(accuracy).toBeLessThan(1);
  });

  it.each(SAME)('calls the same: %s', async (_, commands, change) => {
    await both([['set', 'other', '1'], ...commands], change);
    expect(await divergentOf()).toMatchObject({verdict: 'equal', divergent: [], accuracy: 1});
  });

  it('finds exactly the keys that differ, whatever bytes they are, and prints both sides', async () => {
    const odd = [Buffer.from([0xff, 0xfe]), Buffer.from('a\r\nb'), Buffer.from('"q"'), Buffer.from(''), Buffer.from('ключ')];
    await both(
      Array.from({length: 3000}, (_, index) => ['set', `key ${index}`, `${index}`]).concat(odd.map((key) => ['set', key as never, 'same'])),
      [['set', 'key 77', 'other'], ['del', 'key 1999'], ['set', 'extra', 'here'], ...odd.map((key) => ['set', key, 'changed'])],
    );
    const {divergent} = await divergentOf();
    expect(divergent.map(({key}) => key).toSorted()).toEqual(
      ['"\\"q\\""', '""', '"\\xff\\xfe"', '"a\\x0d\\x0ab"', 'extra', 'key 1999', 'key 77', 'ключ'].toSorted(),
    );
    expect(divergent.find(({key}) => key === 'key 77')?.why).toBe('us: string none 77; eu: string none other; ap: string none 77');
    expect(divergent.find(({key}) => key === 'extra')?.why).toBe('us: none; eu: string none here; ap: none');
  });

  it('finds what differs between contents made at random, and nothing where they are the same', async () => {
    const texts = fc.constantFrom('', 'a', 'b', 'ab', '1', '2', '\u0000', 'long '.repeat(30));
    const value: fc.Arbitrary<readonly string[]> = fc.oneof(
      texts.map((text) => ['set', 'k', text]),
      fc.array(texts, {minLength: 1, maxLength: 5}).map((all) => ['rpush', 'k', ...all]),
      fc.uniqueArray(texts, {minLength: 1, maxLength: 5}).map((all) => ['sadd', 'k', ...all.toSorted()]),
      fc
        .uniqueArray(fc.tuple(texts, texts), {minLength: 1, maxLength: 4, selector: ([field]) => field})
        .map((all) => ['hset', 'k', ...all.toSorted().flat()]),
      fc
        .uniqueArray(fc.tuple(fc.constantFrom('1', '2', '0.5'), texts), {minLength: 1, maxLength: 4, selector: ([, member]) => member})
        .map((all) => ['zadd', 'k', ...all.toSorted().flat()]),
    );
    const shuffled = (command: readonly string[]): readonly string[] => {
      const [name = '', ...rest] = command;
      const step = name === 'hset' || name === 'zadd' ? 2 : 1;
      if (name === 'set' || name === 'rpush') return command;
      const pairs = Array.from({length: (rest.length - 1) / step}, (_, index) => rest.slice(1 + index * step, 1 + (index + 1) * step));
      return [name, 'k', ...pairs.toReversed().flat()];
    };
    await fc.assert(
      fc.asyncProperty(value, value, async (one, other) => {
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        await both([one], [['del', 'k'], shuffled(other)]);
        expect((await divergentOf()).verdict).toBe(isSame ? 'equal' : 'diverged');
        await writers.eu.send(['del', 'k'], shuffled(one));
        expect((await divergentOf()).verdict).toBe('equal');
      }),
      {numRuns: 60},
    );
  }, 240_000);

  it('audits every database that any member has, and empty servers are equal', async () => {
    await both([], []);
    expect((await auditNow(store, ['us', 'eu', 'ap'])).tables).toMatchObject([{table: 'db0', verdict: 'equal', rows: 0}]);
    await writers.us.in(3).send(['set', 'a', '1']);
    await caughtUp(us!, eu!, ap!);
    await writers.eu.in(7).send(['set', 'b', '1']);
    const {tables} = await auditNow(store, ['us', 'eu', 'ap']);
    expect(tables.map(({table, verdict, divergent}) => [table, verdict, divergent.map(({key}) => key)])).toEqual([
      ['db3', 'equal', []],
      ['db7', 'diverged', ['b']],
    ]);
  });
});

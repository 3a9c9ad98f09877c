import {contentOf, KINDS, type Kind, SHORT} from './content.ts';
import type {Word} from './encode.ts';
import {type AuditMember, answers, incomparable, refusedBy, transaction, unexpected} from './member.ts';
import {readLarge} from './read-large.ts';
import {expireTime, type Reading, type ReadKey, type Row, timeOf} from './reading.ts';
import {ServerError, type Value} from './replies.ts';

/** Keys in one transaction at most: the server does nothing else meanwhile, for some 100 µs. */
const GROUP_KEYS = 64;
/** Bytes of values in one transaction, as far as they can be told before. */
const GROUP_BYTES = 256 * 1024;
/** Bytes of values that are asked for at once. */
const ASK_BYTES = 1024 * 1024;
/** A value that is larger is read page by page. */
const WHOLE_BYTES = 64 * 1024;
/** How often a key is read whose type changes in between. */
const TRIES = 4;

/**
 * Reads each key at one moment: its expire time and its value in one transaction, or, where it is large, in pages between which it was not written to.
 * Answers in the order of the keys, which are all different.
 */
export async function readKeys(reading: Reading, keys: readonly Buffer[]): Promise<readonly ReadKey[]> {
  const results: ReadKey[] = keys.map(() => 'changing');
  let left: readonly number[] = keys.map((_, index) => index);
  for (let attempt = 1; attempt <= TRIES && left.length > 0; attempt++) left = await readOnce(reading, keys, results, left);
  return results;
}

type Item = {readonly index: number; readonly key: Buffer; readonly kind: Kind; readonly bytes: number};

/** One try. Answers which keys had become another type by the time they were read. */
async function readOnce(
  reading: Reading,
  keys: readonly Buffer[],
  results: ReadKey[],
  wanted: readonly number[],
): Promise<readonly number[]> {
  const items = await typesOf(reading, keys, results, wanted);
  const again: number[] = [];
  const longer: Item[] = [];
  const settle = ({index, key, kind}: Item, answer: Answered): void => {
    if (answer === 'other-type') again.push(index);
    else results[index] = answer === 'gone' ? null : rowOf(reading, key, kind, answer);
  };
  const strings = items.filter(({kind}) => kind === 'string');
  for (const [item, answer] of await readGroups(reading, groupsOf(strings), (key) => ['GETRANGE', key, '0', String(SHORT)])) {
    // One byte more than a short one has.
    if (typeof answer === 'object' && answer.value instanceof Buffer && answer.value.length > SHORT) longer.push(item);
    else settle(item, answer);
  }
  const sized = await sizesOf(reading, [...longer, ...items.filter(({kind}) => kind !== 'string')], results);
  for (const groups of askedAtOnce(groupsOf(sized.filter(({bytes}) => bytes <= WHOLE_BYTES)))) {
    for (const [item, answer] of await readGroups(reading, groups, wholeCommand)) settle(item, answer);
  }
  for (const {index, key, kind, bytes} of sized.filter((item) => item.bytes > WHOLE_BYTES))
    results[index] = await readLarge(reading, key, kind, bytes);
  return again;
}

function rowOf({expiry, keep}: Reading, key: Buffer, kind: Kind, {expireAt, value}: Present): Row | null {
  if (expiry.isOver(expireAt)) return null;
  return {key, kind, expireAt, content: contentOf(kind, value), value: keep === 'none' ? null : [value]};
}

/** Those that are there, with their types. */
async function typesOf(
  {member, database, signal}: Reading,
  keys: readonly Buffer[],
  results: ReadKey[],
  wanted: readonly number[],
): Promise<readonly Item[]> {
  const commands = wanted.map((index): readonly Word[] => ['TYPE', keys[index] ?? NO_KEY]);
  const types = await answers(member, database, commands, signal);
  return wanted.flatMap((index, at): readonly Item[] => {
    const [key, type] = [keys[index] ?? NO_KEY, types[at]];
    if (type === 'none') {
      results[index] = null;
      return [];
    }
    const kind = KINDS.find((each) => each === type);
    if (kind === undefined) throw incomparable(member, database, key, typeof type === 'string' ? type : 'thing without a type');
    return [{index, key, kind, bytes: SHORT}];
  });
}

const NO_KEY = Buffer.alloc(0);

/** How large values are, as the server has or estimates them: before they are asked for, so that neither side has to keep many large answers. */
async function sizesOf({member, database, signal}: Reading, items: readonly Item[], results: ReadKey[]): Promise<readonly Item[]> {
  const commands = items.map(({key, kind}): readonly Word[] => (kind === 'string' ? ['STRLEN', key] : ['MEMORY', 'USAGE', key]));
  const sizes = await member.link.ask(database, commands, signal);
  return items.flatMap((item, at): readonly Item[] => {
    const size = sizes[at];
    if (typeof size === 'string') return [{...item, bytes: Number(size)}];
    // A string that is none any more is found out when it is read.
    if (size instanceof ServerError && size.text.startsWith('WRONGTYPE')) return [item];
    if (size !== null)
      throw size instanceof ServerError ? refusedBy(member, size, 'MEMORY USAGE') : unexpected(member.place, 'MEMORY USAGE');
    results[item.index] = null;
    return [];
  });
}

function groupsOf(items: readonly Item[]): readonly (readonly Item[])[] {
  const groups: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    const group = groups.at(-1);
    if (group === undefined || group.length === GROUP_KEYS || bytes + item.bytes > GROUP_BYTES) {
      groups.push([item]);
      bytes = item.bytes;
    } else {
      group.push(item);
      bytes += item.bytes;
    }
  }
  return groups;
}

/** Groups whose values the server may have to hold for us at the same time. */
function askedAtOnce(groups: readonly (readonly Item[])[]): readonly (readonly (readonly Item[])[])[] {
  const asks: (readonly Item[])[][] = [];
  let bytes = 0;
  for (const group of groups) {
    const size = group.reduce((sum, item) => sum + item.bytes, 0);
    const last = asks.at(-1);
    if (last === undefined || bytes + size > ASK_BYTES) {
      asks.push([group]);
      bytes = size;
    } else {
      last.push(group);
      bytes += size;
    }
  }
  return asks;
}

function wholeCommand(key: Buffer, kind: Kind): readonly Word[] {
  const commands: Readonly<Record<Kind, readonly Word[]>> = {
    string: ['GETRANGE', key, '0', '-1'],
    list: ['LRANGE', key, '0', '-1'],
    hash: ['HGETALL', key],
    set: ['SMEMBERS', key],
    zset: ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
    stream: ['XRANGE', key, '-', '+'],
  };
  return commands[kind];
}

type Present = {readonly expireAt: number | null; readonly value: Value};
type Answered = Present | 'gone' | 'other-type';

/** Each group in one transaction, all groups at once. */
async function readGroups(
  {member, database, expiryCommand, signal}: Reading,
  groups: readonly (readonly Item[])[],
  command: (key: Buffer, kind: Kind) => readonly Word[],
): Promise<readonly (readonly [Item, Answered])[]> {
  if (groups.length === 0) return [];
  const commands = groups.flatMap((group): readonly (readonly Word[])[] => [
    ['MULTI'],
    ...(expiryCommand === 'PTTL' ? [['TIME']] : []),
    ...group.flatMap(({key, kind}) => [[expiryCommand, key], command(key, kind)]),
    ['EXEC'],
  ]);
  const executed = (await member.link.ask(database, commands, signal)).filter((_, index) => commands[index]?.[0] === 'EXEC');
  return groups.flatMap((group, index) => {
    const all = transaction(member, executed[index]);
    if (all === null) throw unexpected(member.place, 'EXEC');
    const now = expiryCommand === 'PTTL' ? timeOf(all[0]) : 0;
    const values = expiryCommand === 'PTTL' ? all.slice(1) : all;
    return group.map((item, at) => [item, answered(member, values[at * 2], values[at * 2 + 1], now)] as const);
  });
}

function answered(member: AuditMember, expires: Value | undefined, value: Value | undefined, now: number): Answered {
  if (value instanceof ServerError && value.text.startsWith('WRONGTYPE')) return 'other-type';
  if (value instanceof ServerError) throw refusedBy(member, value, 'a read');
  if (typeof expires !== 'string' || value === undefined) throw unexpected(member.place, 'PEXPIRETIME');
  const expireAt = expireTime(expires, now);
  return expireAt === 'gone' ? 'gone' : {expireAt, value};
}

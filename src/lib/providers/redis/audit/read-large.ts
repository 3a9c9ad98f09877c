import {bytesOf, type ContentBuilder, contentBuilder, type Kind, listOf} from './content.ts';
import type {Word} from './encode.ts';
import {refusedBy, transaction, unexpected} from './member.ts';
import {expireTime, type Reading, type ReadKey, timeOf} from './reading.ts';
import {LONGEST, ServerError, type Value} from './replies.ts';
import {Seen} from './seen.ts';

/** Bytes of one page, as far as they can be told before, and most elements in it. */
const PAGE_BYTES = 256 * 1024;
const PAGE_ELEMENTS = 1000;
/** So many elements in no order are told apart at once; a value with more is read several times. */
const PART_ELEMENTS = 2 ** 20;
/** How often a value is read that is written to meanwhile. */
const TRIES = 3;

/** Reads one large key, one after the other on a connection of their own. `bytes` = about how large it is. */
export async function readLarge(reading: Reading, key: Buffer, kind: Kind, bytes: number): Promise<ReadKey> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const read = await readWatched(reading, key, kind, bytes);
    if (read !== 'changing') return read;
  }
  return 'changing';
}

/** The server tells whether the key was written to, expired or replaced between WATCH and EXEC: only what stood still is believed. */
async function readWatched(reading: Reading, key: Buffer, kind: Kind, bytes: number): Promise<ReadKey> {
  const {member, database, expiryCommand, expiry, signal, keep} = reading;
  const ask = async (...commands: readonly (readonly Word[])[]): Promise<readonly Value[]> => member.large.ask(database, commands, signal);
  const [watched, time, expires, length] = await ask(['WATCH', key], ['TIME'], [expiryCommand, key], LENGTHS[kind](key));
  const connection = member.large.generation();
  if (watched instanceof ServerError) throw refusedBy(member, watched, 'WATCH');
  if (typeof expires !== 'string') throw unexpected(member.place, expiryCommand);
  const expireAt = expireTime(expires, expiryCommand === 'PTTL' ? timeOf(time) : 0);
  const unwatch = async <T>(result: T): Promise<T> => {
    await ask(['UNWATCH']);
    return result;
  };
  if (expireAt === 'gone' || expiry.isOver(expireAt)) return unwatch(null);
  if (typeof length !== 'string') return unwatch('changing' as const);
  const pages = keep === 'all' ? createKept() : null;
  const read = await readPages({...reading, ask}, {key, kind, elements: Number(length), bytes}, pages);
  if (read === null) return unwatch('changing' as const);
  const executed = transaction(member, (await ask(['MULTI'], ['EXEC'])).at(-1));
  // A connection that was made anew in between watched nothing.
  if (executed === null || member.large.generation() !== connection) return 'changing';
  return {key, kind, expireAt, content: read.end(), value: pages?.values() ?? null};
}

const LENGTHS: Readonly<Record<Kind, (key: Buffer) => readonly Word[]>> = {
  string: (key) => ['STRLEN', key],
  list: (key) => ['LLEN', key],
  hash: (key) => ['HLEN', key],
  set: (key) => ['SCARD', key],
  zset: (key) => ['ZCARD', key],
  stream: (key) => ['XLEN', key],
};

type Ask = (...commands: readonly (readonly Word[])[]) => Promise<readonly Value[]>;
type Large = {readonly key: Buffer; readonly kind: Kind; readonly elements: number; readonly bytes: number};
type Kept = {keep(page: Value): void; values(): readonly Value[] | null};

/** The pages of a value, as long as they are not more than is read in one piece. */
function createKept(): Kept {
  const pages: Value[] = [];
  let bytes = 0;
  return {
    keep: (page) => {
      bytes += sizeOf(page);
      if (bytes <= LONGEST) pages.push(page);
      else pages.length = 0;
    },
    values: () => (bytes <= LONGEST ? pages : null),
  };
}

function sizeOf(value: Value): number {
  return Array.isArray(value)
    ? value.reduce((sum: number, each: Value) => sum + sizeOf(each), 0)
    : value instanceof Buffer
      ? value.length
      : 0;
}

/** null = it is of another type by now. */
async function readPages(reading: Reading & {readonly ask: Ask}, large: Large, kept: Kept | null): Promise<ContentBuilder | null> {
  const {kind, elements} = large;
  const isScanned = kind === 'hash' || kind === 'set';
  const parts = isScanned ? Math.max(1, Math.ceil(elements / PART_ELEMENTS)) : 1;
  let [part, seen] = [0, new Seen(isScanned ? elements / parts : 0)];
  // The server may name an element twice when its table changes size, which it does whenever it likes.
  const builder = contentBuilder(kind, isScanned ? (element) => element.high % parts === part && seen.add(element) : undefined);
  for (; part < parts; part++) {
    seen = part === 0 ? seen : new Seen(elements / parts);
    for await (const page of pagesOf(reading, large)) {
      if (page === null) return null;
      builder.page(page);
      if (part === 0) kept?.keep(page);
    }
  }
  return builder;
}

async function* pagesOf({ask, pace, member}: Reading & {readonly ask: Ask}, large: Large): AsyncGenerator<Value> {
  const count = Math.max(1, Math.min(PAGE_ELEMENTS, Math.floor((PAGE_BYTES * large.elements) / Math.max(1, large.bytes))));
  for (let next: Page | null = firstPage(large, count); next !== null; ) {
    await pace();
    const [answer = null] = await ask(next.command);
    if (answer instanceof ServerError && answer.text.startsWith('WRONGTYPE')) return yield null;
    if (answer instanceof ServerError) throw refusedBy(member, answer, String(next.command[0]));
    if (answer === null) throw unexpected(member.place, String(next.command[0]));
    const {page, after} = next.take(answer);
    yield page;
    next = after;
  }
}

type Taken = {readonly page: Value; readonly after: Page | null};
type Page = {readonly command: readonly Word[]; take(answer: Value): Taken};

function firstPage({key, kind}: Large, count: number): Page {
  if (kind === 'string') return stringPage(key, 0);
  if (kind === 'hash' || kind === 'set') return scanPage(kind === 'hash' ? 'HSCAN' : 'SSCAN', key, '0', count);
  if (kind === 'stream') return streamPage(key, '-', count);
  return indexPage(kind, key, 0, count);
}

function stringPage(key: Buffer, from: number): Page {
  const command = ['GETRANGE', key, String(from), String(from + PAGE_BYTES - 1)];
  return {command, take: (page) => ({page, after: bytesOf(page).length < PAGE_BYTES ? null : stringPage(key, from + PAGE_BYTES)})};
}

function indexPage(kind: 'list' | 'zset', key: Buffer, from: number, count: number): Page {
  const [start, stop] = [String(from), String(from + count - 1)];
  const command = kind === 'list' ? ['LRANGE', key, start, stop] : ['ZRANGE', key, start, stop, 'WITHSCORES'];
  const full = kind === 'list' ? count : count * 2;
  return {command, take: (page) => ({page, after: listOf(page).length < full ? null : indexPage(kind, key, from + count, count)})};
}

function scanPage(name: 'HSCAN' | 'SSCAN', key: Buffer, cursor: Word, count: number): Page {
  return {
    command: [name, key, cursor, 'COUNT', String(count)],
    take: (answer) => {
      const [next, page = null] = listOf(answer);
      const after = bytesOf(next);
      return {page, after: after.toString('latin1') === '0' ? null : scanPage(name, key, after, count)};
    },
  };
}

function streamPage(key: Buffer, from: Word, count: number): Page {
  return {
    command: ['XRANGE', key, from, '+', 'COUNT', String(count)],
    take: (page) => {
      const entries = listOf(page);
      const last = entries.length < count ? undefined : entries.at(-1);
      return {page, after: last === undefined ? null : streamPage(key, `(${bytesOf(listOf(last)[0]).toString('latin1')}`, count)};
    },
  };
}

import {createHash, randomBytes} from 'node:crypto';
import type {AuditChunk, AuditRow, AuditSlice, AuditVersion, SliceDigest, TableAudit} from '../../../ports/audit.ts';
import {rowHash} from './content.ts';
import type {Expiry} from './expiry.ts';
import {type Hash64, hex64, Sums} from './hash.ts';
import {keyBytes, keyText} from './key-text.ts';
import type {AuditMember, ExpiryCommand} from './member.ts';
import {printValue} from './print-value.ts';
import {readKeys} from './read-keys.ts';
import type {Reading, ReadKey, Row} from './reading.ts';
import {type ScannedKey, scan} from './scan.ts';

/** Keys in one part at most: their hashes are kept, 8 bytes each in a table of 32 MB, to know which were there before. */
const PART_KEYS = 2 ** 21;
/** Keys in a chunk, at most and about. */
const CHUNK_KEYS = 512;
/** Keys whose values are asked for at once. */
const ASKED_KEYS = 1000;

/** Changes when what rows are hashed by does. */
const FORM = 1;

/** What a database is read by. `keys` expected in it. */
export type OpenedDatabase = {
  readonly database: number;
  readonly keys: number;
  readonly expiry: Expiry;
  readonly members: ReadonlyMap<string, {readonly member: AuditMember; readonly expiryCommand: ExpiryCommand}>;
  /** Where a member is in its stream, and in which history that is. */
  readonly place: (member: AuditMember, signal: AbortSignal) => Promise<{readonly offset: string; readonly history: string}>;
};

/**
 * One database of a Redis, on its members. Members hash nothing themselves without a script, so keys and values are moved and hashed here.
 *
 * What this cannot see (docs/consistency.md):
 * - There is no snapshot: each key is read at a moment of its own, and whole (its expire time and value in one transaction, or in pages under WATCH). Equal means
 *   that each key was the same whenever it was looked at, not that the members were ever the same at one moment.
 * - Looks at a key are told apart by its hash. One that is written to and gets its old value back between two looks seems to have stood still: where a replica is
 *   late at both of them, that is taken for a divergence.
 * - A key that comes and goes while a database is read may not be looked at. One that is there from beginning to end is.
 * - A key that expires within the margin (a second and what the clocks are apart) is not compared; expire times that are no more than a second apart are the same.
 * - Consumer groups of streams, their last ids and counters, and what a key's LRU or LFU clock says are not compared. Nor are the expire times of single fields of a
 *   hash, which are there from Redis 7.4 on. The sign of a score that is zero is not.
 * - Values of modules cannot be compared: their key is named, and its database is unknown.
 * - Functions, scripts, ACLs and settings are no keys.
 * - Hashes have 64 bits: that a difference is missed has odds of 1 in 2^64 for each row that differs.
 * Reading counts as use: where `maxmemory-policy` is one of LRU or LFU, the keys of a member that is read all become recent.
 */
export function tableAudit(opened: OpenedDatabase): TableAudit {
  const {members, database, expiry} = opened;
  const readingOf = (name: string, signal: AbortSignal, keep: Reading['keep'] = 'none', pace = NO_PACE): Reading => {
    const found = members.get(name);
    if (found === undefined) throw new Error(`db${database} was not opened on ${name}`);
    return {...found, database, expiry, keep, pace, signal};
  };
  return {
    says: saysOf(opened),
    form: createHash('sha256')
      .update(JSON.stringify([FORM, database]))
      .digest('hex')
      .slice(0, 16),
    next: (before) => nextPart(opened.keys, before),
    digest: (name, slice, pace, signal) => digest(opened, readingOf(name, signal, 'none', pace), slice),
    again: async (name, slice, chunks, signal) =>
      chunksOf(await sumSlice(opened, readingOf(name, signal), slice, wantedChunks(slice, chunks)), new Set(chunks.map(Number))),
    rows: (name, slice, chunks, signal) => rowsOf(opened, readingOf(name, signal), slice, chunks),
    hashes: async (name, keys, signal) => {
      const read = await readTexts(readingOf(name, signal), keys);
      return read.flatMap(([key, each]) => (each === null ? [] : [{key, hash: exactHash(expiry, key, each)}]));
    },
    versions: async (name, keys, whole, signal) => {
      const isWhole = whole.includes('value');
      const read = await readTexts(readingOf(name, signal, isWhole ? 'all' : 'short'), keys);
      return read.map(([key, each]) => versionOf(expiry, key, each, isWhole));
    },
  };
}

const NO_PACE = async (): Promise<void> => undefined;

function saysOf({keys, expiry}: OpenedDatabase): string {
  const parts = partsOf(keys);
  const how = parts === 1 ? 'by one SCAN' : `by ${parts} SCANs`;
  return `${how} of its keys, each with its value in one transaction; values are hashed here; keys that expire within ${expiry.marginMs} ms are left out`;
}

const partsOf = (keys: number): number => Math.max(1, Math.ceil(keys / PART_KEYS));

function nextPart(keys: number, before: AuditSlice | null): AuditSlice | null {
  // As it was begun: there may be more keys by now than when it was.
  const parts = before === null ? partsOf(keys) : Number(before.to);
  const part = before === null ? 0 : Number(before.from) + 1;
  if (part >= parts) return null;
  const rows = before?.rows ?? Math.ceil(keys / parts);
  const chunks = 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(1, rows) / CHUNK_KEYS)));
  return {rows, from: String(part), to: String(parts), width: before?.width ?? chunks - 1};
}

/** Whether a key belongs to a slice, and to one of some chunks of it. */
const isIn = ({from, to}: AuditSlice): ((key: ScannedKey['hash']) => boolean) => {
  const [part, parts] = [Number(from), Number(to)];
  return ({part: own}) => own % parts === part;
};

const chunkOf = ({width}: AuditSlice, {chunk}: ScannedKey['hash']): number => (chunk & width) >>> 0;

function wantedChunks(slice: AuditSlice, chunks: readonly string[]): (key: ScannedKey['hash']) => boolean {
  const [wanted, isOwn] = [new Set(chunks.map(Number)), isIn(slice)];
  return (key) => isOwn(key) && wanted.has(chunkOf(slice, key));
}

async function digest(opened: OpenedDatabase, reading: Reading, slice: AuditSlice): Promise<SliceDigest> {
  const {offset, history} = await opened.place(reading.member, reading.signal);
  const sums = await sumSlice(opened, reading, slice, isIn(slice));
  return {at: offset, chunks: chunksOf(sums, null), mark: {epoch: history, since: offset}};
}

async function sumSlice(
  {expiry}: OpenedDatabase,
  reading: Reading,
  slice: AuditSlice,
  wants: (key: ScannedKey['hash']) => boolean,
): Promise<Bucketed> {
  const sums = new Sums(slice.width + 1);
  await scan({
    ...reading,
    ...{expected: slice.rows, wants},
    take: async (keys) => {
      const read = await readKeys(
        reading,
        keys.map(({key}) => key),
      );
      for (const [index, each] of read.entries()) {
        const of = keys[index];
        if (each !== null && of !== undefined) sums.add(chunkOf(slice, of.hash), coarseHash(expiry, each));
      }
    },
  });
  return {sums, buckets: slice.width + 1};
}

type Bucketed = {readonly sums: Sums; readonly buckets: number};

/** `only` null = those with rows in them. */
function chunksOf({sums, buckets}: Bucketed, only: ReadonlySet<number> | null): readonly AuditChunk[] {
  const ids = only === null ? Array.from({length: buckets}, (_, id) => id) : [...only];
  return ids.flatMap((id) => (sums.rows(id) === 0 ? [] : [{id: String(id), rows: sums.rows(id), sum: String(sums.sum(id))}]));
}

async function rowsOf(
  {expiry}: OpenedDatabase,
  reading: Reading,
  slice: AuditSlice,
  chunks: readonly string[],
): Promise<readonly AuditRow[]> {
  const rows: AuditRow[] = [];
  await scan({
    ...reading,
    expected: chunks.length * CHUNK_KEYS,
    wants: wantedChunks(slice, chunks),
    take: async (keys) => {
      const read = await readKeys(
        reading,
        keys.map(({key}) => key),
      );
      for (const [index, each] of read.entries()) {
        const of = keys[index];
        if (each === null || of === undefined) continue;
        const key = keyText(of.key);
        rows.push({key, hash: exactHash(expiry, key, each)});
      }
    },
  });
  return rows;
}

async function readTexts(reading: Reading, texts: readonly string[]): Promise<readonly (readonly [string, ReadKey])[]> {
  const unique = [...new Set(texts)];
  const found = new Map<string, ReadKey>();
  for (let from = 0; from < unique.length; from += ASKED_KEYS) {
    const some = unique.slice(from, from + ASKED_KEYS);
    const read = await readKeys(reading, some.map(keyBytes));
    for (const [index, key] of some.entries()) found.set(key, read[index] ?? null);
  }
  return texts.map((key) => [key, found.get(key) ?? null] as const);
}

/** A key that was written to all the time is equal to nothing: then it is looked at again, and what it was is never taken for what another has. */
const coarseHash = (expiry: Expiry, row: Row | 'changing'): Hash64 =>
  row === 'changing' ? unequalled() : rowHash(row.kind, row.key, expiry.coarse(row.expireAt), row.content);

const exactHash = (expiry: Expiry, key: string, row: Row | 'changing'): string =>
  hex64(row === 'changing' ? unequalled() : rowHash(row.kind, row.key, expiry.exact(key, row.expireAt), row.content));

function unequalled(): Hash64 {
  const bytes = randomBytes(8);
  return {high: bytes.readUInt32BE(0), low: bytes.readUInt32BE(4)};
}

function versionOf(expiry: Expiry, key: string, row: ReadKey, whole: boolean): AuditVersion {
  const unknown = {committedAt: null, origin: null};
  if (row === null) return {key, hash: null, row: null, ...unknown};
  const hash = exactHash(expiry, key, row);
  if (row === 'changing') return {key, hash, row: {type: null, ttl: null, value: null}, ...unknown};
  const at = expiry.exact(key, row.expireAt);
  return {
    key,
    hash,
    row: {type: row.kind, ttl: at === -1 ? 'none' : new Date(at).toISOString(), value: printValue(row, whole)},
    ...unknown,
  };
}

import {createOrderedHash, type Hash64, hash64, Sums} from './hash.ts';
import type {Value} from './replies.ts';

/** The types whose values are compared. */
export const KINDS = ['string', 'list', 'hash', 'set', 'zset', 'stream'] as const;
export type Kind = (typeof KINDS)[number];

/**
 * What a value is, the same for every encoding, order of insertion and way of reading it. `length` in bytes of a string, else in elements; `bytes`: a short
 * string itself, a longer one's digest, the digest of a list's or stream's elements in their order, the sum of the others' hashes.
 */
export type Content = {readonly length: number; readonly bytes: Buffer};

/** A string up to so many bytes is its own digest. */
export const SHORT = 1024;

/** Takes a value, whole or page by page, as GETRANGE, LRANGE, HGETALL, SMEMBERS, ZRANGE WITHSCORES and XRANGE answer it. */
export type ContentBuilder = {page(value: Value): void; end(): Content};

/** `take` = whether an element that is in no order counts: it may come twice. Default: each does. */
export function contentBuilder(kind: Kind, take?: (element: Hash64) => boolean): ContentBuilder {
  if (kind === 'string') return stringBuilder();
  if (kind === 'list') return listBuilder();
  return kind === 'stream' ? streamBuilder() : setBuilder(kind, take ?? (() => true));
}

/** The content of a value that was read whole. */
export function contentOf(kind: Kind, value: Value): Content {
  if (kind === 'string' && value instanceof Buffer && value.length <= SHORT) return {length: value.length, bytes: value};
  const builder = contentBuilder(kind);
  builder.page(value);
  return builder.end();
}

function stringBuilder(): ContentBuilder {
  const digest = createOrderedHash();
  const pieces: Buffer[] = [];
  let length = 0;
  return {
    page: (value) => {
      const piece = bytesOf(value);
      digest.raw(piece);
      if (length <= SHORT) pieces.push(piece);
      length += piece.length;
    },
    end: () => ({length, bytes: length <= SHORT ? Buffer.concat(pieces) : digest.end()}),
  };
}

function listBuilder(): ContentBuilder {
  const digest = createOrderedHash();
  let length = 0;
  return {
    page: (value) => {
      for (const element of listOf(value)) digest.add(bytesOf(element));
      length += listOf(value).length;
    },
    end: () => ({length, bytes: digest.end()}),
  };
}

/** Each entry: its id, how many texts it has, and those. */
function streamBuilder(): ContentBuilder {
  const digest = createOrderedHash();
  let length = 0;
  return {
    page: (value) => {
      for (const entry of listOf(value)) {
        const [id = null, fields = null] = listOf(entry);
        // An entry that was deleted and is still referred to has no fields.
        const texts = fields === null ? [] : listOf(fields);
        digest.add(bytesOf(id));
        digest.count(texts.length);
        for (const text of texts) digest.add(bytesOf(text));
        length++;
      }
    },
    end: () => ({length, bytes: digest.end()}),
  };
}

function setBuilder(kind: 'hash' | 'set' | 'zset', take: (element: Hash64) => boolean): ContentBuilder {
  const sums = new Sums(1);
  return {
    page: (value) => {
      const values = listOf(value);
      const step = kind === 'set' ? 1 : 2;
      for (let at = 0; at < values.length; at += step) {
        const element = elementHash(bytesOf(values[at]), kind === 'set' ? NOTHING : secondOf(kind, values[at + 1]));
        if (take(element)) sums.add(0, element);
      }
    },
    end: () => ({length: sums.rows(0), bytes: Buffer.from(sums.sum(0).toString(16))}),
  };
}

const NOTHING = Buffer.alloc(0);

const secondOf = (kind: 'hash' | 'zset', value: Value | undefined): Buffer =>
  kind === 'hash' ? bytesOf(value) : scoreBytes(bytesOf(value).toString('latin1'));

/**
 * The score of a member as the number that it is: servers print it with 17 digits or as few as will do. The sign of zero is not kept by all encodings of
 * Redis, so it is none of ours.
 */
export function scoreBytes(text: string): Buffer {
  const score = text === 'inf' || text === '+inf' ? Number.POSITIVE_INFINITY : text === '-inf' ? Number.NEGATIVE_INFINITY : Number(text);
  if (Number.isNaN(score)) throw new Error('a score is no number');
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(score === 0 ? 0 : score);
  return bytes;
}

function elementHash(first: Buffer, second: Buffer): Hash64 {
  const bytes = Buffer.allocUnsafe(4 + first.length + second.length);
  bytes.writeUInt32BE(first.length);
  first.copy(bytes, 4);
  second.copy(bytes, 4 + first.length);
  return hash64(bytes);
}

export function bytesOf(value: Value | undefined): Buffer {
  if (value instanceof Buffer) return value;
  throw new Error('a value is no text');
}

export function listOf(value: Value | undefined): readonly Value[] {
  if (Array.isArray(value)) return value as readonly Value[];
  throw new Error('a value is no list');
}

let scratch = Buffer.allocUnsafe(4096);
const HEAD = 1 + 8 + 8 + 4;

/** The hash of a row: type, length, expiry (a whole number; -1 = none), key and content, each told from the next. */
export function rowHash(kind: Kind, key: Buffer, expiry: number, {length, bytes}: Content): Hash64 {
  const size = HEAD + key.length + bytes.length;
  if (size > scratch.length) scratch = Buffer.allocUnsafe(size * 2);
  scratch[0] = KINDS.indexOf(kind);
  scratch.writeDoubleBE(length, 1);
  scratch.writeDoubleBE(expiry, 9);
  scratch.writeUInt32BE(key.length, 17);
  key.copy(scratch, HEAD);
  bytes.copy(scratch, HEAD + key.length);
  return hash64(scratch.subarray(0, size));
}

import type {AuditSlice} from '../../../ports/audit.ts';

/** How the rows of a table lie along its integer key: so many below each of these keys, which rise. */
export type KeyMap = readonly {readonly key: bigint; readonly below: number}[];

/** Rows in a chunk, as a rule: fewer would make more sums to move, more would make more rows to move where a chunk differs. */
export const CHUNK_ROWS = 256;

/** Bits of a key that dense keys of one chunk have. */
const NARROW = Math.log2(CHUNK_ROWS);

/** Without a histogram rows are taken to be spread evenly between the ends. */
const EVEN = 100;

/**
 * The map of a table with so many rows between two keys (null = it is empty), by the planner's histogram, which may be older than both ends. What lies
 * outside of it is taken to be as dense as what it knows.
 */
export function keyMap(ends: {readonly least: bigint; readonly most: bigint} | null, rows: number, histogram: readonly string[]): KeyMap {
  if (ends === null) return [];
  const {least, most} = ends;
  const bounds = histogram.map(BigInt).filter((bound) => bound > least && bound < most);
  const inner = bounds.length >= 2 ? bounds : evenly(least, most);
  const keys = [...new Set([least, ...inner, most + 1n])];
  const shares = sharesOf(keys, bounds.length >= 2 ? bounds : null);
  const whole = shares.reduce((sum, share) => sum + share, 0) || 1;
  let below = 0;
  return keys.map((key, index) => {
    below += index === 0 ? 0 : ((shares[index - 1] ?? 0) / whole) * Math.max(rows, 1);
    return {key, below};
  });
}

/** What each part between two keys holds, in parts of the histogram: one each, and at its ends by their width. */
function sharesOf(keys: readonly bigint[], bounds: readonly bigint[] | null): readonly number[] {
  const widths = keys.slice(1).map((key, index) => Number(key - (keys[index] ?? key)));
  if (bounds === null) return widths;
  const [first = 0n, last = 0n] = [bounds[0], bounds.at(-1)];
  const perKey = (bounds.length - 1) / Math.max(1, Number(last - first));
  return widths.map((width, index) => (index === 0 || index === widths.length - 1 ? Math.min(width * perKey, bounds.length) : 1));
}

function evenly(least: bigint, most: bigint): readonly bigint[] {
  const width = most - least;
  return Array.from({length: EVEN - 1}, (_, index) => least + (width * BigInt(index + 1)) / BigInt(EVEN)).filter((key) => key > least);
}

/** A last slice may be so much longer than the others: one of its own would be a scan of its own, and what is near the end of a small table all of it. */
const LAST = 1.5;

/** The slice from a key on (null = the beginning) that holds about so many rows; the last one has no end. */
export function sliceFrom(map: KeyMap, from: bigint | null, rows: number): AuditSlice {
  const start = from === null ? 0 : rowsBelow(map, from);
  const whole = map.at(-1)?.below ?? 0;
  const to = whole - start <= rows * LAST ? null : later(keyAt(map, start + rows), from);
  const [begin, end] = [from ?? map[0]?.key ?? 0n, to ?? map.at(-1)?.key ?? 1n];
  const expected = Math.max(0, Math.round((to === null ? whole : rowsBelow(map, to)) - start));
  return {
    rows: expected,
    from: from === null ? null : String(from),
    to: to === null ? null : String(to),
    width: widthOf(end - begin, expected),
  };
}

/** Every slice goes on, however little a double knows of so large a key. */
const later = (to: bigint, from: bigint | null): bigint => (from !== null && to <= from ? from + 1n : to);

/** How many bits of a key tell rows of one chunk apart, where so many rows lie on so many keys. */
function widthOf(keys: bigint, rows: number): number {
  // The table has come to an end since it was looked at: nothing is known of what lies beyond.
  if (keys <= 0n) return NARROW;
  const perChunk = (keys * BigInt(CHUNK_ROWS)) / BigInt(Math.max(1, rows));
  return perChunk <= 1n ? 0 : Math.min(63, perChunk.toString(2).length - 1);
}

function rowsBelow(map: KeyMap, key: bigint): number {
  const index = map.findIndex((each) => each.key > key);
  if (index === 0) return 0;
  const [left, right] = [map.at(index === -1 ? -1 : index - 1), index === -1 ? undefined : map[index]];
  if (left === undefined) return 0;
  if (right === undefined) return left.below;
  return left.below + ((right.below - left.below) * Number(key - left.key)) / Number(right.key - left.key);
}

/** The key below which so many rows lie: always beyond the last one that has fewer, so that every slice goes on. */
function keyAt(map: KeyMap, rows: number): bigint {
  const index = map.findIndex((each) => each.below >= rows);
  const [left, right] = [map[index - 1], map[index]];
  if (right === undefined) return map.at(-1)?.key ?? 0n;
  if (left === undefined || right.below === left.below) return right.key;
  const share = (rows - left.below) / (right.below - left.below);
  return left.key + BigInt(Math.max(1, Math.ceil(Number(right.key - left.key) * share)));
}

/** Bits by which a chunk is cut at once: a thousand sums are few, and so are the steps from 64 bits to none. */
const FINER = 10;
const INT8 = 1n << 63n;

/** One chunk of a slice as a slice of its own, with finer chunks; null = all its rows have one key. */
export function chunkSlice({from, to, width}: AuditSlice, {id, rows}: {readonly id: string; readonly rows: number}): AuditSlice | null {
  if (width === 0) return null;
  const [first, end] = [BigInt(id) << BigInt(width), (BigInt(id) + 1n) << BigInt(width)];
  const [begin, limit] = [from === null ? first : larger(BigInt(from), first), to === null ? end : smaller(BigInt(to), end)];
  // What no number of 64 bits is no bound: an index would not be used.
  return {
    rows,
    from: begin <= -INT8 ? null : String(begin),
    to: limit >= INT8 ? null : String(limit),
    width: Math.max(0, width - FINER),
  };
}

export const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
export const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

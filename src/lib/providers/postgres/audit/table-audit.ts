import {createHash} from 'node:crypto';
import {refused, unavailable} from '../../../errors.ts';
import type {Activity, AuditChunk, AuditMark, AuditRow, AuditSlice, AuditVersion, SliceDigest, TableAudit} from '../../../ports/audit.ts';
import {CHUNK_ROWS, chunkSlice, type KeyMap, sliceFrom} from './key-map.ts';
import type {Copy, Member} from './member.ts';
import type {Rows} from './reader.ts';
import {scan} from './scan.ts';
import {activitySql, againSql, buildSql, digestSql, hashesSql, heapsSql, keyLists, rowsSql, type Shape, versionsSql} from './statements.ts';

/** Vacuum cannot remove what a snapshot may still see, and a standby cancels what holds it up for 30 s. */
const SNAPSHOT_MS = 20_000;

/** One part of a scattered table at most: what has to be done again after a kill, and what one snapshot has to last for. */
const PART_ROWS = 50_000_000;

/** Rows in a bucket of a scattered table: every statement of a scan answers all buckets. */
const BUCKET_ROWS = 4 * CHUNK_ROWS;

/** What a table is read by. `map` of an ordered one; `rows` expected in all. */
export type Opened = {
  readonly name: string;
  readonly shape: Shape;
  readonly map: KeyMap;
  readonly rows: number;
  /** Whether keys may hold bytes that are no text. */
  readonly rawKeys: boolean;
  /** Rows that a statement is thought to read in `sliceMs`, as long as nothing was measured. */
  readonly firstRows: number;
  readonly sliceMs: number;
  readonly members: ReadonlyMap<string, {readonly member: Member; readonly copy: Copy}>;
};

/** The statements of one table, on its members. */
export function tableAudit(opened: Opened): TableAudit {
  const {shape, members, name} = opened;
  const at = (member: string) => {
    const found = members.get(member);
    if (found === undefined) throw new Error(`${name} was not opened on ${member}`);
    return found;
  };
  return {
    says: saysOf(opened),
    form: createHash('sha256')
      .update(JSON.stringify([shape, name]))
      .digest('hex')
      .slice(0, 16),
    next: (before, tookMs) => (shape.order === 'ordered' ? nextOrdered(opened, before, tookMs) : nextScattered(opened, before)),
    digest: (member, slice, pace, signal) => digest(opened, at(member), slice, pace, signal),
    activity: (member, slice, mark, signal) => activity(opened, at(member), slice, mark, signal),
    ...(shape.order === 'ordered' ? {finer: chunkSlice} : {}),
    again: async (member, slice, chunks, signal) => {
      const {member: own, copy} = at(member);
      await own.reader.leave(signal);
      return toChunks(await own.reader.rows(againSql(copy.table, shape, slice, chunks), [], signal));
    },
    rows: async (member, slice, chunks, signal) => {
      const {member: own, copy} = at(member);
      await own.reader.leave(signal);
      return toRows(opened, await own.reader.rows(rowsSql(copy.table, shape, slice, chunks), [], signal));
    },
    hashes: async (member, keys, signal) => {
      const {member: own, copy} = at(member);
      await own.reader.leave(signal);
      return toRows(opened, await own.reader.rows(hashesSql(copy.table, shape), keyLists(shape, keys), signal));
    },
    versions: (member, keys, whole, signal) => versions(opened, at(member), keys, whole, signal),
  };
}

function saysOf({shape, rows, sliceMs}: Opened): string {
  const how = shape.form === 'exact' ? 'hashed by the functions of their types' : 'hashed as they are printed';
  if (shape.order === 'ordered') return `in the order of its key, about ${sliceMs} ms at a time; values ${how}`;
  const parts = partsOf(rows);
  return `as it lies on disk, ${parts === 1n ? 'once' : `${parts} times`}, about ${sliceMs} ms at a time; values ${how}`;
}

function nextOrdered({map, firstRows, sliceMs}: Opened, before: AuditSlice | null, tookMs: number | null): AuditSlice | null {
  if (before === null) return sliceFrom(map, null, firstRows);
  if (before.to === null) return null;
  // A slice that was nearly empty says little of how fast the next one is.
  const pace = tookMs === null ? 1 : Math.min(4, Math.max(0.25, sliceMs / Math.max(1, tookMs)));
  const rows = before.rows === 0 ? firstRows : Math.min(before.rows * pace, PART_ROWS);
  return sliceFrom(map, BigInt(before.to), Math.max(CHUNK_ROWS, Math.round(rows)));
}

function partsOf(rows: number): bigint {
  return 1n << BigInt(Math.max(0, Math.ceil(Math.log2(Math.max(1, rows) / PART_ROWS))));
}

function nextScattered({rows}: Opened, before: AuditSlice | null): AuditSlice | null {
  if (before !== null) {
    // Whatever the table is thought to have by now: the parts of one division only are the whole together.
    const next = BigInt(before.from ?? '0') + 1n;
    return next >= BigInt(before.to ?? '1') ? null : {...before, from: String(next)};
  }
  const parts = partsOf(rows);
  const each = Math.ceil(rows / Number(parts));
  const buckets = 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(1, each) / BUCKET_ROWS)));
  return {rows: each, from: '0', to: String(parts), width: buckets - 1};
}

type Place = {readonly member: Member; readonly copy: Copy};

async function digest(
  opened: Opened,
  {member, copy}: Place,
  slice: AuditSlice,
  pace: () => Promise<void>,
  signal: AbortSignal,
): Promise<SliceDigest> {
  const readOnce = opened.shape.order === 'ordered' ? digestOrdered : digestScattered;
  // All statements of a scan must see the same rows, however long that takes.
  let age = opened.shape.order === 'ordered' ? SNAPSHOT_MS : 0;
  const failed = {rewritten: 0, left: 0};
  while (failed.rewritten < ATTEMPTS && failed.left < HOLDS) {
    await member.begin(age, signal);
    const {at, mark} = member.snapshot();
    const read = await readOnce(opened, {member, copy}, slice, pace, signal);
    if (typeof read !== 'string') return {at, chunks: read.chunks, mark: {...mark, epoch: epochOf(mark, read.build)}};
    failed[read]++;
    age = 0;
  }
  const {name: own} = member.node;
  if (failed.left < HOLDS) throw unavailable('rewritten', `${opened.name} was written anew on ${own} whenever it was read.`);
  throw unavailable(
    'held-up',
    `${opened.name} is read as of one moment, and the audit had to hold still ${HOLDS} times while ${own} was at it: allow more lag or load.`,
  );
}

/** How often a slice is read at most, if its table is truncated or altered meanwhile. */
const ATTEMPTS = 3;
/** How often a scan begins anew because its snapshot was given up while the audit held still. */
const HOLDS = 10;

/** `rewritten` = the snapshot does not show what the table has; `left` = there was more than one. `build` as it was before the rows were read. */
type Digested = {readonly chunks: readonly AuditChunk[]; readonly build: string} | 'rewritten' | 'left';

/** Of another server, or another build of the table, no row tells when it came there. */
const epochOf = ({epoch}: AuditMark, build: string): string => `${epoch}/${build}`;

async function digestOrdered(
  {shape}: Opened,
  {member, copy: {table}}: Place,
  slice: AuditSlice,
  _pace: () => Promise<void>,
  signal: AbortSignal,
): Promise<Digested> {
  const asked = `${buildSql(table)}; ${digestSql(table, shape, slice, null)}; ${heapsSql(table)}`;
  const [build = [], chunks = [], heaps = []] = await member.reader.ask(asked, signal);
  return heaps.every(isInPlace) ? {chunks: toChunks(chunks), build: build[0]?.[0] ?? ''} : 'rewritten';
}

/** The same by pages. Partitions may have come since the catalog was read. Whoever holds still gives up the snapshots of all members, in the middle of a scan too. */
async function digestScattered(
  opened: Opened,
  {member, copy: {table}}: Place,
  slice: AuditSlice,
  pace: () => Promise<void>,
  signal: AbortSignal,
): Promise<Digested> {
  const snapshot = member.reader.snapshot();
  const isLeft = (): boolean => snapshot === null || member.reader.snapshot() !== snapshot;
  const ask = async (text: string): Promise<Rows> => (await member.reader.ask(text, signal))[0] ?? [];
  const [build] = await ask(buildSql(table));
  const heaps = (await ask(heapsSql(table))).map(([schema, relation, pages]) => ({
    ...{schema: schema ?? '', relation: relation ?? ''},
    pages: Number(pages),
  }));
  const chunks = await scan({heaps, rows: table.rows}, opened.firstRows, opened.sliceMs, pace, async (pages) => {
    if (isLeft()) return null;
    const read = toChunks(await ask(digestSql(table, opened.shape, slice, pages)));
    // Asked after the answer: the snapshot may have been about to be ended when the question was.
    return isLeft() ? null : read;
  });
  if (chunks === null) return 'left';
  return (await ask(heapsSql(table))).every(isInPlace) ? {chunks, build: build?.[0] ?? ''} : 'rewritten';
}

const isInPlace = ([, , , same]: Rows[number]): boolean => same === 't';

async function activity(
  {shape}: Opened,
  {member, copy}: Place,
  slice: AuditSlice,
  mark: AuditMark,
  signal: AbortSignal,
): Promise<Activity | 'stale'> {
  await member.begin(SNAPSHOT_MS, signal);
  const {at, mark: now} = member.snapshot();
  const [since, until] = [BigInt(mark.since), BigInt(now.since)];
  if (!mark.epoch.startsWith(epochOf(now, '')) || since > until || until - since > 1n << 30n) return 'stale';
  // Before and after: another table may take the name of this one in between, and partitions come without waiting for whoever reads.
  const asked = `${buildSql(copy.table)}; ${activitySql(copy.table, shape, slice, mark.since)}; ${buildSql(copy.table)}`;
  const [before = [], rows = [], after = []] = await member.reader.ask(asked, signal);
  if ([before, after].some(([build]) => epochOf(now, build?.[0] ?? '') !== mark.epoch)) return 'stale';
  return {
    at,
    mark: {...now, epoch: mark.epoch},
    chunks: rows.map(([id, count, young]) => ({id: id ?? '', rows: Number(count), written: young === 't'})),
  };
}

async function versions(
  {shape}: Opened,
  {member, copy}: Place,
  keys: readonly string[],
  whole: readonly string[],
  signal: AbortSignal,
): Promise<readonly AuditVersion[]> {
  await member.reader.leave(signal);
  const text = versionsSql(copy.table, shape, whole, copy.stamps);
  const [rows, origins] = [await member.reader.rows(text, keyLists(shape, keys), signal), await member.origins(signal)];
  const found = new Map<string, AuditVersion>();
  for (const [key, hash, stamp, , committedAt, origin, ...values] of once(rows)) {
    const row = Object.fromEntries(shape.all.map(({name}, index) => [name, values[index] ?? null]));
    const own = {
      ...twinOf(found.get(key ?? ''), {key: key ?? '', hash: hash ?? '', stamp: stamp ?? ''}),
      row,
      committedAt: committedAt ?? null,
    };
    found.set(own.key, {...own, origin: origin === null || origin === undefined ? null : (origins.get(origin) ?? null)});
  }
  return keys.map((key) => found.get(key) ?? {key, hash: null, row: null, committedAt: null, origin: null});
}

const toChunks = (rows: Rows): readonly AuditChunk[] =>
  rows.map(([id, count, sum]) => ({id: id ?? '', rows: Number(count), sum: sum ?? ''}));

function toRows({name, rawKeys}: Opened, rows: Rows): readonly AuditRow[] {
  const found = new Map<string, AuditRow>();
  for (const [key, hash, stamp] of once(rows)) {
    const row = {key: key ?? '', hash: hash ?? '', stamp: stamp ?? ''};
    if (rawKeys && row.key.includes('\uFFFD'))
      throw refused('not-comparable', `${name} has keys that are no text in this encoding, so that its rows cannot be told apart.`);
    found.set(row.key, twinOf(found.get(row.key), row));
  }
  return [...found.values()];
}

/** Each row once; the fourth value tells its place, where it may come more often. */
function once(rows: Rows): Rows {
  if (rows[0]?.[3] === undefined) return rows;
  const seen = new Set<string>();
  return rows.filter(([, , , spot]) => {
    if (spot === undefined || spot === null) return true;
    const isNew = !seen.has(spot);
    seen.add(spot);
    return isNew;
  });
}

/** Of a broken index one key can have several rows, which are hashed as one: none of them must hide another. */
function twinOf(twin: {readonly hash: string | null; readonly stamp?: string} | undefined, row: AuditRow): AuditRow {
  if (twin === undefined) return row;
  const both = (one: string | null | undefined, other: string | undefined): string => [one ?? '', other ?? ''].toSorted().join('+');
  return {key: row.key, hash: both(twin.hash, row.hash), stamp: both(twin.stamp, row.stamp)};
}

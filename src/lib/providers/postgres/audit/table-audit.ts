import {createHash} from 'node:crypto';
import type {Activity, AuditChunk, AuditMark, AuditRow, AuditSlice, AuditVersion, SliceDigest, TableAudit} from '../../../ports/audit.ts';
import {CHUNK_ROWS, type KeyMap, sliceFrom} from './key-map.ts';
import type {Copy, Member} from './member.ts';
import type {Rows} from './reader.ts';
import {scan} from './scan.ts';
import {activitySql, againSql, digestSql, hashesSql, keyLists, rowsSql, type Shape, versionsSql} from './statements.ts';

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
    again: async (member, slice, chunks, signal) => {
      const {member: own, copy} = at(member);
      await own.reader.leave(signal);
      return toChunks(await own.reader.rows(againSql(copy.table, shape, slice, chunks), [], signal));
    },
    rows: async (member, slice, chunks, signal) => {
      const {member: own, copy} = at(member);
      await own.reader.leave(signal);
      return toRows(await own.reader.rows(rowsSql(copy.table, shape, slice, chunks), [], signal));
    },
    hashes: async (member, keys, signal) => {
      const {member: own, copy} = at(member);
      await own.reader.leave(signal);
      return toRows(await own.reader.rows(hashesSql(copy.table, shape), keyLists(shape, keys), signal));
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
  const parts = partsOf(rows);
  const part = before === null ? 0n : BigInt(before.from ?? '0') + 1n;
  if (part >= parts) return null;
  const each = Math.ceil(rows / Number(parts));
  const buckets = 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(1, each) / BUCKET_ROWS)));
  return {rows: each, from: String(part), to: String(parts), width: buckets - 1};
}

type Place = {readonly member: Member; readonly copy: Copy};

async function digest(
  opened: Opened,
  {member, copy}: Place,
  slice: AuditSlice,
  pace: () => Promise<void>,
  signal: AbortSignal,
): Promise<SliceDigest> {
  const {shape} = opened;
  // All statements of a scan must see the same rows, however long that takes.
  await member.begin(shape.order === 'ordered' ? SNAPSHOT_MS : 0, signal);
  const {at, mark} = member.snapshot();
  const chunks =
    shape.order === 'ordered'
      ? toChunks((await member.reader.ask(digestSql(copy.table, shape, slice, null), signal))[0] ?? [])
      : await scan(copy, opened.firstRows, opened.sliceMs, pace, async (pages) =>
          toChunks((await member.reader.ask(digestSql(copy.table, shape, slice, pages), signal))[0] ?? []),
        );
  return {at, chunks, mark};
}

async function activity(
  {shape}: Opened,
  {member, copy}: Place,
  slice: AuditSlice,
  mark: AuditMark,
  signal: AbortSignal,
): Promise<Activity | 'stale'> {
  await member.begin(SNAPSHOT_MS, signal);
  const {at, mark: now} = member.snapshot();
  if (mark.epoch !== now.epoch || BigInt(mark.since) > BigInt(now.since) || BigInt(now.since) - BigInt(mark.since) > 1n << 30n)
    return 'stale';
  const rows = (await member.reader.ask(activitySql(copy.table, shape, slice, mark.since), signal))[0] ?? [];
  return {at, mark: now, chunks: rows.map(([id, count, young]) => ({id: id ?? '', rows: Number(count), written: young === 't'}))};
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
  const found = new Map(
    rows.map(([key, hash, committedAt, origin, ...values]): [string, AuditVersion] => {
      const row = Object.fromEntries(shape.all.map(({name}, index) => [name, values[index] ?? null]));
      const own = {key: key ?? '', hash: hash ?? null, row, committedAt: committedAt ?? null};
      return [key ?? '', {...own, origin: origin === null || origin === undefined ? null : (origins.get(origin) ?? null)}];
    }),
  );
  return keys.map((key) => found.get(key) ?? {key, hash: null, row: null, committedAt: null, origin: null});
}

const toChunks = (rows: Rows): readonly AuditChunk[] =>
  rows.map(([id, count, sum]) => ({id: id ?? '', rows: Number(count), sum: sum ?? ''}));

const toRows = (rows: Rows): readonly AuditRow[] => rows.map(([key, hash]) => ({key: key ?? '', hash: hash ?? ''}));

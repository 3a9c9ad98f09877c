import type {AuditRow, AuditSlice, TableAudit} from '../../ports/audit.ts';
import {compareChunks, type Suspect} from './compare-slice.ts';
import type {Readers} from './readers.ts';

/** Chunks of one slice that differ. */
export type SuspectSlice = {readonly slice: AuditSlice; readonly suspects: readonly Suspect[]};

/**
 * A key that differed, with the hash that each region had, in the order of the members; null = no such row. `stamps` of the rows that are there, as far
 * as the engine tells them.
 */
export type Candidate = {
  readonly key: string;
  readonly hashes: Readonly<Record<string, string | null>>;
  readonly stamps: Readonly<Record<string, string>>;
};

export type Found = {
  readonly candidates: readonly Candidate[];
  /** Chunks that are still to be looked into, because there were many candidates already. */
  readonly left: readonly SuspectSlice[];
};

/** Rows of the chunks, on the member that has most of them. */
export const rowsIn = (all: readonly SuspectSlice[]): number =>
  all.reduce((sum, {suspects}) => sum + suspects.reduce((rows, suspect) => rows + suspect.rows, 0), 0);

/** Rows that are asked of a member at once: they are kept for as long as it takes to compare them. */
const BATCH_ROWS = 8192;
/** Chunks that one statement names, at most. */
const BATCH_CHUNKS = 256;

/** Reads suspect chunks once more in full, and leaves out those that are the same by now. */
export async function lookAgain(
  table: TableAudit,
  readers: Readers,
  all: readonly SuspectSlice[],
  signal: AbortSignal,
): Promise<readonly SuspectSlice[]> {
  const left: SuspectSlice[] = [];
  for (const {slice, suspects} of all) {
    const still: Suspect[] = [];
    for (const some of batches(suspects, Number.POSITIVE_INFINITY)) {
      const ids = some.map(({id}) => id);
      const read = await readers.each((member) => table.again(member, slice, ids, signal));
      still.push(...compareChunks(read.map(({value}) => value)).suspects);
    }
    if (still.length > 0) left.push({slice, suspects: still});
  }
  return left;
}

/** Candidates that are kept at once, about: most of them can turn out to be late. */
const MANY = 5000;

/** The keys in suspect chunks that differ, of as many chunks as have about 5,000 of them. A chunk with far more rows than one should have is cut first. */
export async function findKeys(table: TableAudit, readers: Readers, all: readonly SuspectSlice[], signal: AbortSignal): Promise<Found> {
  const candidates: Candidate[] = [];
  const left = all.flatMap(({slice, suspects}) =>
    [...batches(suspects, BATCH_ROWS)].map((some): SuspectSlice => ({slice, suspects: some})),
  );
  for (let next = left.shift(); next !== undefined; next = left.shift()) {
    const {slice, suspects: some} = next;
    const finer = finerOf(table, slice, some);
    if (finer !== null) {
      const cut = await digestOf(table, readers, finer, signal);
      left.unshift(...[...batches(cut, BATCH_ROWS)].map((suspects) => ({slice: finer, suspects})));
      continue;
    }
    const ids = some.map(({id}) => id);
    const read = await readers.each((member) => table.rows(member, slice, ids, signal));
    for (const each of differing(read.map(({of, value}) => ({region: of.region, rows: value})))) candidates.push(each);
    if (candidates.length >= MANY) break;
  }
  return {candidates, left};
}

/** A batch with more rows than one may have is a single chunk. */
function finerOf({finer}: TableAudit, slice: AuditSlice, [first, second]: readonly Suspect[]): AuditSlice | null {
  if (finer === undefined || first === undefined || second !== undefined || first.rows <= BATCH_ROWS) return null;
  return finer(slice, first);
}

async function digestOf(table: TableAudit, readers: Readers, slice: AuditSlice, signal: AbortSignal): Promise<readonly Suspect[]> {
  const read = await readers.each((member) => table.digest(member, slice, async () => undefined, signal));
  return compareChunks(read.map(({value}) => value.chunks)).suspects;
}

type Read = {readonly region: string; readonly rows: readonly AuditRow[]};
type Entry = (AuditRow | undefined)[];

/** Keys whose hashes are not the same in all regions. Most rows are the same: no more is kept of them than the rows themselves. */
export function differing(read: readonly Read[]): readonly Candidate[] {
  const byKey = new Map<string, Entry>();
  for (const [index, {rows}] of read.entries()) {
    for (const row of rows) {
      const entry = byKey.get(row.key);
      if (entry === undefined)
        byKey.set(
          row.key,
          read.map((_, other) => (other === index ? row : undefined)),
        );
      else entry[index] = row;
    }
  }
  const found: Candidate[] = [];
  for (const [key, entry] of byKey) if (entry.some((row) => row?.hash !== entry[0]?.hash)) found.push(toCandidate(key, read, entry));
  return found;
}

function toCandidate(key: string, read: readonly Read[], entry: Entry): Candidate {
  const hashes = Object.fromEntries(read.map(({region}, index) => [region, entry[index]?.hash ?? null]));
  const stamps = Object.fromEntries(
    read.flatMap(({region}, index) => {
      const stamp = entry[index]?.stamp;
      return stamp === undefined ? [] : [[region, stamp]];
    }),
  );
  return {key, hashes, stamps};
}

/** Whether all regions have the same, also when that is nothing. */
export const isSame = (hashes: Candidate['hashes']): boolean => new Set(Object.values(hashes)).size <= 1;

function* batches(suspects: readonly Suspect[], rows: number): Generator<readonly Suspect[]> {
  let [batch, held]: [Suspect[], number] = [[], 0];
  for (const suspect of suspects) {
    if (batch.length > 0 && (held + suspect.rows > rows || batch.length === BATCH_CHUNKS)) {
      yield batch;
      [batch, held] = [[], 0];
    }
    batch.push(suspect);
    held += suspect.rows;
  }
  if (batch.length > 0) yield batch;
}

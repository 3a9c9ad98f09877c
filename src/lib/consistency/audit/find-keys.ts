import type {AuditSlice, TableAudit} from '../../ports/audit.ts';
import {compareChunks, type Suspect} from './compare-slice.ts';
import type {Readers} from './readers.ts';

/** Chunks of one slice that differ. */
export type SuspectSlice = {readonly slice: AuditSlice; readonly suspects: readonly Suspect[]};

/** A key that differed, with the hash that each region had, in the order of the members; null = no such row. */
export type Candidate = {readonly key: string; readonly hashes: Readonly<Record<string, string | null>>};

export type Found = {
  readonly candidates: readonly Candidate[];
  /** Rows of chunks that were not looked into, because there were too many candidates already. */
  readonly unexamined: number;
};

/** Rows that are asked of a member at once: they are kept for as long as it takes to compare them. */
const BATCH_ROWS = 32_768;
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

/** The keys in suspect chunks that differ, until there are more than `most`. */
export async function findKeys(
  table: TableAudit,
  readers: Readers,
  all: readonly SuspectSlice[],
  most: number,
  signal: AbortSignal,
): Promise<Found> {
  const candidates: Candidate[] = [];
  let unexamined = 0;
  for (const {slice, suspects} of all) {
    for (const some of batches(suspects, BATCH_ROWS)) {
      if (candidates.length > most) {
        unexamined += some.reduce((sum, {rows}) => sum + rows, 0);
        continue;
      }
      const ids = some.map(({id}) => id);
      const read = await readers.each((member) => table.rows(member, slice, ids, signal));
      candidates.push(...differing(read.map(({of, value}) => ({region: of.region, rows: value}))));
    }
  }
  return {candidates, unexamined};
}

type Read = {readonly region: string; readonly rows: readonly {readonly key: string; readonly hash: string}[]};

/** Keys whose hashes are not the same in all regions. */
export function differing(read: readonly Read[]): readonly Candidate[] {
  const byKey = new Map<string, Record<string, string | null>>();
  const none = Object.fromEntries(read.map(({region}) => [region, null]));
  for (const {region, rows} of read) {
    for (const {key, hash} of rows) {
      const entry = byKey.get(key);
      if (entry === undefined) byKey.set(key, {...none, [region]: hash});
      else entry[region] = hash;
    }
  }
  return [...byKey].filter(([, hashes]) => !isSame(hashes)).map(([key, hashes]) => ({key, hashes}));
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

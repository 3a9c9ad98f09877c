import {isRegionctlError, messageOf} from '../../errors.ts';
import type {AuditMark, AuditSlice, SliceDigest, TableAudit} from '../../ports/audit.ts';
import {type Compared, compareChunks, type Suspect} from './compare-slice.ts';
import {confirm, newTally, type Tally, type Versions} from './confirm.ts';
import {findKeys, lookAgain, rowsIn, type SuspectSlice} from './find-keys.ts';
import type {DivergentKey, TableResult, TableVerdict} from './model.ts';
import {type Readers, TooFew} from './readers.ts';
import type {Settled} from './settle.ts';

/** A slice that was read on every member: what is needed to go on after it, and to know later what has been written since. */
export type SliceRecord = {
  readonly slice: AuditSlice;
  /** Rows of the member that has most of them. */
  readonly rows: number;
  readonly suspects: readonly Suspect[];
  /** Positions by region. */
  readonly at: Readonly<Record<string, string>>;
  readonly marks: Readonly<Record<string, AuditMark>>;
  /** Rows of each chunk by region, for the next look at what was written. Not kept longer than to write them down. */
  readonly chunks?: Readonly<Record<string, readonly (readonly [string, number])[]>>;
  readonly hashed: number;
  readonly of: number;
};

export type TableJob = {
  readonly name: string;
  readonly table: TableAudit;
  readonly readers: Readers;
  /** How many members it is compared on, those that were lost included. */
  readonly members: number;
  /** Rows expected in it, for telling how far it is. */
  readonly rows: number;
  readonly settle: () => Promise<Settled>;
  readonly pace: () => Promise<void>;
  readonly judge: (key: string, versions: Versions) => DivergentKey;
  /** Columns that judging needs whole. */
  readonly whole: readonly string[];
  /** Most keys that are listed. */
  readonly limit: number;
  readonly now: () => number;
  readonly received: () => number;
  /** Slices that were read by an earlier process. */
  readonly done: readonly SliceRecord[];
  readonly onSlice: (record: SliceRecord) => void;
  readonly onProgress: (rows: number) => void;
  /** Reads a slice: in full, or what was written since a baseline. */
  readonly read: (job: TableJob, slice: AuditSlice) => Promise<SliceRecord>;
  /** Slices of the baseline, in which a cheap look goes; null = as the engine cuts them. */
  readonly slices: readonly AuditSlice[] | null;
  readonly signal: AbortSignal;
};

/** So many rows in suspect chunks are more likely a stream that is behind than divergence: it is waited for before they are moved. */
const MANY_ROWS = 65_536;

/** So many suspect chunks are looked into before more of the table is read, so that no list grows with it. */
const MOST_CHUNKS = 50_000;

/** What is kept of a slice that was read. */
type Read = Pick<SliceRecord, 'slice' | 'rows' | 'at' | 'hashed' | 'of'>;

/** How far a table is: its slices, the chunks that are still to be looked into, and what is known of those that were. */
type Progress = {readonly read: Read[]; suspects: SuspectSlice[]; readonly tally: Tally};

/** Compares one table on all members. Throws only when it is cancelled: what else fails makes it unknown, with what was found by then. */
export async function auditTable(job: TableJob): Promise<TableResult> {
  const began = job.now();
  const before = job.received();
  const progress: Progress = {read: [], suspects: [], tally: newTally()};
  let failure: {code: string; reason: string} | null = null;
  try {
    await readSlices(job, progress);
  } catch (error) {
    failure = failureOf(job, error);
  }
  // What differed before a region was lost can still be settled between the others.
  try {
    if (job.readers.active().length > 1) await resolveSuspects(job, progress);
  } catch (error) {
    failure ??= failureOf(job, error);
  }
  progress.tally.unexamined += rowsIn(progress.suspects);
  return toResult(job, progress, failure, {elapsedMs: job.now() - began, bytesMoved: job.received() - before});
}

function failureOf({signal, readers}: TableJob, error: unknown): {code: string; reason: string} {
  signal.throwIfAborted();
  if (error instanceof TooFew) return {code: readers.lost().at(-1)?.code ?? 'too-few', reason: error.message};
  return {code: isRegionctlError(error) ? error.code : 'error', reason: messageOf(error)};
}

async function readSlices(job: TableJob, progress: Progress): Promise<void> {
  let rows = 0;
  const keep = async (record: SliceRecord): Promise<void> => {
    const {slice, suspects, at, hashed, of} = record;
    progress.read.push({slice, rows: record.rows, at, hashed, of});
    rows += record.rows;
    if (suspects.length > 0) progress.suspects.push({slice, suspects});
    if (progress.suspects.reduce((sum, each) => sum + each.suspects.length, 0) >= MOST_CHUNKS) await resolveSuspects(job, progress);
  };
  for (const record of job.done) await keep(record);
  let tookMs: number | null = null;
  for (let slice = nextSlice(job, progress, tookMs); slice !== null; slice = nextSlice(job, progress, tookMs)) {
    await job.pace();
    const began = job.now();
    const record = await job.read(job, slice);
    tookMs = job.now() - began;
    // A slice that not everybody was there for is read once more by whoever resumes.
    if (job.readers.active().length === job.members) job.onSlice(record);
    await keep(record);
    job.onProgress(rows);
  }
}

function nextSlice({table, slices}: TableJob, {read}: Progress, tookMs: number | null): AuditSlice | null {
  if (slices !== null) return slices[read.length] ?? null;
  return table.next(read.at(-1)?.slice ?? null, tookMs);
}

/** Every member hashes the whole slice. */
export async function readWhole({table, readers, pace, signal}: TableJob, slice: AuditSlice): Promise<SliceRecord> {
  const read = await readers.each((member) => table.digest(member, slice, pace, signal));
  const digests = read.map(({of, value}) => [of.region, value] as const);
  return toRecord(slice, digests, compareChunks(digests.map(([, {chunks}]) => chunks)));
}

function toRecord(
  slice: AuditSlice,
  digests: readonly (readonly [string, SliceDigest])[],
  {rows, suspects, chunks}: Compared,
): SliceRecord {
  const by = <T>(of: (digest: SliceDigest) => T): Record<string, T> =>
    Object.fromEntries(digests.map(([region, digest]) => [region, of(digest)]));
  return {
    ...{slice, rows, suspects, hashed: chunks, of: chunks},
    at: by(({at}) => at),
    marks: by(({mark}) => mark),
    chunks: by((digest) => digest.chunks.map((chunk) => [chunk.id, chunk.rows] as const)),
  };
}

/** Looks into the chunks that differ, a part of their keys at a time, until the list is full. What it does not get to is counted. */
async function resolveSuspects(job: TableJob, progress: Progress): Promise<void> {
  const {table, readers, settle, limit, signal} = job;
  const {tally} = progress;
  let suspects: readonly SuspectSlice[] = progress.suspects;
  progress.suspects = [];
  try {
    if (rowsIn(suspects) > MANY_ROWS && tally.divergent.length <= limit && tally.behind === null) {
      // Whether or not it caught up: the keys are waited for in any case.
      await settle();
      suspects = await lookAgain(table, readers, suspects, signal);
    }
    // What replication has not brought by now would be waited for as long again, and as much in vain.
    while (suspects.length > 0 && tally.divergent.length <= limit && tally.behind === null) {
      const {candidates, left} = await findKeys(table, readers, suspects, signal);
      suspects = left;
      await confirm(job, candidates, tally);
    }
  } finally {
    tally.unexamined += rowsIn(suspects);
  }
}

/** As people look keys up: numbers by their size. */
const KEYS = new Intl.Collator('en', {numeric: true});

type Cost = Pick<TableResult, 'elapsedMs' | 'bytesMoved'>;

function toResult(job: TableJob, {read, tally}: Progress, failure: {code: string; reason: string} | null, cost: Cost): TableResult {
  const {divergent, late, unsettled, unexamined, behind} = tally;
  const rows = read.reduce((sum, slice) => sum + slice.rows, 0);
  const listed = divergent.toSorted((a, b) => KEYS.compare(a.key, b.key)).slice(0, job.limit);
  const truncated = divergent.length > job.limit;
  const lost = job.readers.lost()[0];
  const open = unsettled === 0 ? null : {code: behind === null ? 'moving' : 'not-caught-up', reason: behind ?? movingSays(unsettled)};
  const trouble = failure ?? (lost === undefined ? null : {code: lost.code, reason: lost.reason}) ?? open;
  const hashed = read.reduce((sum, slice) => sum + slice.hashed, 0);
  const of = read.reduce((sum, slice) => sum + slice.of, 0);
  return {
    ...{table: job.name, verdict: verdictOf(truncated, divergent.length, trouble !== null), rows},
    covered: coveredOf(job, read, failure !== null),
    accuracy: rows === 0 ? (trouble === null ? 1 : null) : Math.max(0, (rows - divergent.length - unexamined) / rows),
    ...{divergent: listed, late, unsettled, unexamined, ...cost},
    snapshots: snapshotsOf(read),
    hashed: hashed === of ? null : {chunks: hashed, of},
    ...{code: trouble?.code ?? null, reason: trouble?.reason ?? null},
  };
}

const movingSays = (keys: number): string =>
  `${keys} ${keys === 1 ? 'row' : 'rows'} changed at every look, so it is not known whether they are the same.`;

/** What is divergent is so whatever else is unknown; a list that was cut says that there is more. */
function verdictOf(truncated: boolean, divergent: number, isUnknown: boolean): TableVerdict {
  if (truncated) return 'truncated';
  return divergent > 0 ? 'diverged' : isUnknown ? 'unknown' : 'equal';
}

/** By the slices that every member was there for. How many rows the rest would have had is an estimate, so that a part is never called the whole. */
function coveredOf({rows: expected, members}: TableJob, records: readonly Read[], isCut: boolean): number {
  const full = records.filter(({at}) => Object.keys(at).length === members);
  if (!isCut && full.length === records.length) return 1;
  const rows = (some: readonly Read[]): number => some.reduce((sum, record) => sum + record.rows, 0);
  return Math.min(0.999, rows(full) / Math.max(1, isCut ? expected : 0, rows(records)));
}

/** How many places in its stream each region was read at. */
function snapshotsOf(records: readonly Read[]): Readonly<Record<string, number>> {
  const places = Object.groupBy(
    records.flatMap(({at}) => Object.entries(at)),
    ([region]) => region,
  );
  return Object.fromEntries(Object.entries(places).map(([region, all = []]) => [region, new Set(all.map(([, at]) => at)).size]));
}

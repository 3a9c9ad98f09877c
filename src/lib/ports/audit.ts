import type {Cell} from '../snapshot/cell.ts';

/** A table as one member has it. `key` null = it has no primary key, so its rows cannot be told apart. `rows` and `bytes` are estimates of the engine. */
export type AuditTable = {
  /** As the engine's catalog has it, such as `public.orders`. */
  readonly name: string;
  readonly key: readonly string[] | null;
  /** Why its rows cannot be audited; null = they can. */
  readonly lacks: string | null;
  /** What must be the same everywhere for rows to be comparable: one word for each column. */
  readonly columns: readonly string[];
  readonly rows: number;
  readonly bytes: number;
};

/**
 * A part of a table that is read in one go: all rows whose keys are in it, whatever the member. Made by the engine, kept as data so that an audit can
 * be resumed.
 */
export type AuditSlice = {
  /** Rows that are expected in it. */
  readonly rows: number;
  /** The engine's own; null = it begins or ends with the table. */
  readonly from: string | null;
  readonly to: string | null;
  /** How its keys fall into chunks; the engine's own. */
  readonly width: number;
};

/** Some rows of a slice in one digest: how many there are, and the exact sum of their hashes. `id` is the same on every member. */
export type AuditChunk = {readonly id: string; readonly rows: number; readonly sum: string};

/** What one member has in a slice. `at` is its position when the snapshot was taken that the slice was read in. */
export type SliceDigest = {
  readonly at: string;
  readonly chunks: readonly AuditChunk[];
  readonly mark: AuditMark;
};

/** From when changes on a member can be told by later ones: the engine's own words. `epoch` changes when what was remembered of it is worth nothing any more. */
export type AuditMark = {readonly epoch: string; readonly since: string};

/** What one member has in a chunk, without reading the rows: how many, and whether any of them was written since a mark. */
export type ChunkActivity = {readonly id: string; readonly rows: number; readonly written: boolean};

/** The same for a slice, with where the next look at activity may begin. */
export type Activity = {readonly at: string; readonly mark: AuditMark; readonly chunks: readonly ChunkActivity[]};

/**
 * One row: its key as one text, and its hash. `stamp` is another one whenever the row was written on this member, to the same as well; absent = the
 * engine cannot tell.
 */
export type AuditRow = {readonly key: string; readonly hash: string; readonly stamp?: string};

/** One row as it stands on a member. `row` null = there is none. Columns as the engine prints them. */
export type AuditVersion = {
  readonly key: string;
  readonly hash: string | null;
  /** As that of a row; absent also where there is none. */
  readonly stamp?: string;
  readonly row: Readonly<Record<string, string | null>> | null;
  /** When it was committed, ISO 8601 with microseconds; null = the engine does not keep that. */
  readonly committedAt: string | null;
  /** The region by whose replication it came; null = it was written here, or that is not known. */
  readonly origin: string | null;
};

/** How busy a member is, without us. */
export type AuditLoad = {readonly active: number};

/** One table of one audit, on the members that have it. Each member answers one question at a time. Every list of keys or chunks is as short as the caller makes it. */
export type TableAudit = {
  /** How it is read, for people: one clause. */
  readonly says: string;
  /** A digest of how the table was opened: slices and sums of another one mean nothing here. */
  readonly form: string;
  /**
   * The part of the table that follows; null = there is none. Together the parts hold every possible key. `before` null = the first part; `tookMs`
   * is how long `before` took, null = not known.
   */
  next(before: AuditSlice | null, tookMs: number | null): AuditSlice | null;
  /**
   * Reads a slice, in the snapshot that the member's earlier slices were read in, unless that is too old. `pace` is waited for between statements;
   * its rejection ends the reading.
   */
  digest(member: string, slice: AuditSlice, pace: () => Promise<void>, signal: AbortSignal): Promise<SliceDigest>;
  /** Chunks of a slice by what can be told without reading rows. 'stale' = the mark is worth nothing any more. Absent = the engine cannot. */
  activity?(member: string, slice: AuditSlice, mark: AuditMark, signal: AbortSignal): Promise<Activity | 'stale'>;
  /** One chunk of a slice as a slice with finer chunks, for one with far more rows than were expected; null = it cannot be cut. Absent = there is none such. */
  finer?(slice: AuditSlice, chunk: {readonly id: string; readonly rows: number}): AuditSlice | null;
  /** Digests of some chunks of a slice only, in a fresh snapshot. */
  again(member: string, slice: AuditSlice, chunks: readonly string[], signal: AbortSignal): Promise<readonly AuditChunk[]>;
  /** Every row of some chunks of a slice, in no order. */
  rows(member: string, slice: AuditSlice, chunks: readonly string[], signal: AbortSignal): Promise<readonly AuditRow[]>;
  /** The hashes of some keys; those that are not there are left out. */
  hashes(member: string, keys: readonly string[], signal: AbortSignal): Promise<readonly AuditRow[]>;
  /** The rows of some keys, one version for each key. `whole`: columns whose values are answered however long they are. */
  versions(member: string, keys: readonly string[], whole: readonly string[], signal: AbortSignal): Promise<readonly AuditVersion[]>;
};

/**
 * Ability: digests that the engine makes itself, for comparing members without moving their rows. Reads only. Every failure is a RegionctlError that
 * names the member.
 */
export type Audit = {
  /** The tables of each member. A member that does not answer is an unknown cell. */
  tables(members: readonly string[], signal: AbortSignal): Promise<Readonly<Record<string, Cell<readonly AuditTable[]>>>>;
  /** Gets one table ready to be read on the members. `sliceMs` = how long one statement should take. Throws `not-comparable` when it cannot be. */
  open(table: string, members: readonly string[], options: {readonly sliceMs: number}, signal: AbortSignal): Promise<TableAudit>;
  /** Where each member's own stream of changes is now, as an offset in bytes (decimal string). */
  position(member: string, signal: AbortSignal): Promise<string>;
  /**
   * Changes that a member has sent on already and does not show itself yet, by names of their own, such as commits that wait for a synchronous standby.
   * Absent = there are none on this engine.
   */
  unshown?(member: string, signal: AbortSignal): Promise<readonly string[]>;
  /** How busy a member is now. */
  load(member: string, signal: AbortSignal): Promise<AuditLoad>;
  /** Ends what is held open between two questions, such as a snapshot that vacuum has to wait for. */
  rest(signal: AbortSignal): Promise<void>;
  /** Bytes that were received from a member so far. */
  received(member: string): number;
  /** Ends the connections that reading needs. */
  close(): Promise<void>;
};

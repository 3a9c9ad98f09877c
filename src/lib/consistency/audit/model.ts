/** How a key differs; `changed` = nothing was found out but that it does. */
export type KeyClass = 'missing' | 'extra' | 'stale' | 'concurrent' | 'conflicting';

/** A key that is not the same everywhere, and what is known of why. `regions` are those that are wrong, or that disagree. */
export type DivergentKey = {
  readonly key: string;
  readonly class: KeyClass;
  readonly regions: readonly string[];
  readonly why: string;
  readonly differs: readonly string[];
  readonly suspects: readonly string[];
  /** The hash that each region had; null = no such row. For the log, by which a repair tells what was written since; documents leave it out. */
  readonly hashes?: Readonly<Record<string, string | null>>;
};

/** `equal` only when every row was compared on every member; `skipped` = it was not looked at, as the fleet file or a flag says. */
export type TableVerdict = 'equal' | 'diverged' | 'truncated' | 'unknown';

/** One table of an audit. */
export type TableResult = {
  readonly table: string;
  readonly verdict: TableVerdict;
  /** Rows of the member that has most of them. */
  readonly rows: number;
  /** Share of the table's rows that were read everywhere, 0 to 1. */
  readonly covered: number;
  /** Share of the rows that are the same everywhere, 0 to 1; with `truncated` at most so much. null = nothing was compared. */
  readonly accuracy: number | null;
  readonly divergent: readonly DivergentKey[];
  /** Keys that differed at first and were the same once replication had caught up. */
  readonly late: number;
  /** Keys that changed at every look, so that nothing is known of them. */
  readonly unsettled: number;
  /** Rows in chunks that differ and were not looked into, because the list was full. */
  readonly unexamined: number;
  /** Bytes that came from all members together. */
  readonly bytesMoved: number;
  readonly elapsedMs: number;
  /** Snapshots that each region was read in: with one, it is compared as of one moment. */
  readonly snapshots: Readonly<Record<string, number>>;
  /** Chunks that were hashed, of all that there are; null = all were. */
  readonly hashed: {readonly chunks: number; readonly of: number} | null;
  readonly code: string | null;
  readonly reason: string | null;
};

/** A member and the region that it stands for. */
export type AuditedMember = {readonly member: string; readonly region: string};

/** A member that could not be read, or not to the end. */
export type LostMember = AuditedMember & {readonly code: string; readonly reason: string};

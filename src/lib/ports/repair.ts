import type {Ctx} from '../plan/action.ts';

/** The columns of a row as the engine prints them; null = NULL. */
export type RowTexts = Readonly<Record<string, string | null>>;

/**
 * One row that is to change: `key` as an audit prints it, `from` what it must be now, `to` what it is to be, with all columns that a row has of its own;
 * null = no such row.
 */
export type RowChange = {readonly key: string; readonly from: RowTexts | null; readonly to: RowTexts | null};

/** Where a row is: as it was before the change, as it is after it, or as neither, so that somebody else has written it. */
export type RowStand = 'from' | 'to' | 'other';

/** Columns of a table: those that its rows have of their own (what is generated is not), and its key. */
export type RowColumns = {readonly columns: readonly string[]; readonly key: readonly string[]};

/** What a member makes of a row that it is given: how it would print it, or why it does not take it. */
export type RowPrint = {readonly ok: true; readonly row: RowTexts} | {readonly ok: false; readonly reason: string};

/**
 * Ability: single rows written by compare-and-set, so that nothing else sees them: no trigger, no foreign key, and no subscriber that takes only what was
 * made on the member itself. Only one session at a time can write so on a member, and keeps that right until `release`. Every failure is a
 * RegionctlError that names the member. Rows are compared by every byte of what is printed.
 */
export type Repair = {
  /** Reads the catalog. Throws `not-comparable` when the member has no such table, or the table no key. */
  columns(member: string, table: string, signal: AbortSignal): Promise<RowColumns>;
  /** Lets the member read rows as it would store them, and print them. Writes nothing. */
  print(member: string, table: string, rows: readonly RowTexts[], signal: AbortSignal): Promise<readonly RowPrint[]>;
  /** Where rows are now. Reads only. */
  stand(member: string, table: string, changes: readonly RowChange[], signal: AbortSignal): Promise<readonly RowStand[]>;
  /**
   * Writes every row that is at `from`, all in one transaction, and nothing else. Answers where each row was: 'from' = it was written. Throws `lease-held`
   * (75) while another repair has the member. `at`: the commit time that the rows are to have (ISO 8601), where the engine keeps one; default: now.
   */
  write(ctx: Ctx, member: string, table: string, changes: readonly RowChange[], at?: string | null): Promise<readonly RowStand[]>;
  /** Who else writes so on a member now, besides this ability itself; null = nobody. */
  holder(member: string, signal: AbortSignal): Promise<string | null>;
  /** Gives the member back, and removes what was made there for writing. Nothing there = success; what another repair uses is left to it. */
  release(ctx: Ctx, member: string): Promise<void>;
  /** Whether anything is left on the member that was made for writing, and that nobody uses. */
  isReleased(member: string, signal: AbortSignal): Promise<boolean>;
  /** Ends the connections. */
  close(): Promise<void>;
};

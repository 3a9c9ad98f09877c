import type {Columns} from '../causality/version.ts';

/** What decided on a row: the layers of `resolveKey`, the hook of the table's policy, or a person by hand. */
export type Layer = 'merge' | 'dominance' | 'policy' | 'handler' | 'hand';

/** In the order in which they are told. */
export const LAYERS: readonly Layer[] = ['merge', 'dominance', 'policy', 'handler', 'hand'];

/**
 * Why a key is not repaired: it was written since the audit, a person has to decide, a standby has it otherwise than the member that it follows, a member
 * does not take it, or it was not asked for.
 */
export type LeftKind = 'newer' | 'person' | 'standby' | 'not-taken' | 'not-named';

/** One write, a line of the rows file: in one region the row of a key goes from what it is to what it is to be; null = no such row. */
export type RowLine = {
  readonly table: string;
  readonly key: string;
  readonly region: string;
  readonly member: string;
  readonly change: 'insert' | 'update' | 'delete';
  readonly from: Columns | null;
  readonly to: Columns | null;
  readonly layer: Layer;
  readonly why: string;
  /** Members that have it already, as it is to be: it is written only as long as they do. Absent = none, or an older file. */
  readonly holders?: readonly string[];
  /**
   * When what it is to be, and what it was, were committed (ISO 8601), where the table is judged by that: neither the write nor its undo may look newer.
   * Absent = not known, or clocks of the table's own tell.
   */
  readonly toAt?: string;
  readonly fromAt?: string;
};

/** As it stands in the file. Keys of one page stand together, region by region. */
export type PagedLine = RowLine & {readonly page: number};

/** One key that is not repaired, a line of the rows file. */
export type LeftLine = {readonly table: string; readonly key: string; readonly left: LeftKind; readonly why: string};

/** Some lines of the rows file that one step writes: where they are in it (bytes), how many they are, and their digest. */
export type RowsSlice = {readonly offset: number; readonly bytes: number; readonly lines: number; readonly sha256: string};

/** One step's writes: rows of one table in one region. */
export type Batch = {readonly table: string; readonly region: string; readonly member: string; readonly slice: RowsSlice};

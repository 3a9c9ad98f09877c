import type {TableRule} from '../../fleet/fleet.ts';
import {byBytes} from './bytes.ts';

/** The columns of a row as PostgreSQL writes them as text; null = NULL. */
export type Columns = Readonly<Record<string, string | null>>;

/**
 * What one region has of a key. `row` null = it has none. `committedAt`: ISO 8601 with microseconds, of pg_xact_commit_timestamp (for a row that was
 * replicated that is the time of its commit at its origin); null = not known. `origin`: the region from which the row came by
 * replication; null = it was written there, or not known.
 */
export type RowVersion = {
  readonly region: string;
  readonly row: Columns | null;
  readonly committedAt: string | null;
  readonly origin: string | null;
};

/**
 * What is known besides the versions. `primary`: the region of the primary, whose word is the truth; null = a store of peers. `wall`: by how many ms the
 * clock of each region is ahead of ours, where it is known. `skewMs`: from how many ms on a clock is suspect; default 500. `regions`: the regions in
 * the order of the fleet; default: by bytes.
 */
export type About = {
  readonly primary: string | null;
  readonly wall: Readonly<Record<string, number | null>> | null;
  readonly skewMs?: number;
  readonly regions?: readonly string[];
};

/** The versions that are the same in every column, at least one; `row` null = those regions have no such row. */
export type Group = {readonly row: Columns | null; readonly regions: readonly string[]; readonly versions: readonly RowVersion[]};

/** A group that has the row. */
export type Present = Group & {readonly row: Columns};

/** The rule of a table of which the fleet file says nothing. */
export const NO_RULE: TableRule = {merge: {}, vectorClock: null, hlc: null, region: null, tombstone: null, policy: {kind: 'siblings'}};

/** The versions in the order of the fleet. Throws when there is none, or two of one region: that is a mistake of the caller. */
export function arrange(versions: readonly RowVersion[], {regions = []}: About): readonly RowVersion[] {
  if (versions.length === 0) throw new Error('there is no version to judge');
  if (new Set(versions.map(({region}) => region)).size < versions.length) throw new Error('a region has two versions of one row');
  const place = (region: string): number => (regions.includes(region) ? regions.indexOf(region) : regions.length);
  return versions.toSorted((a, b) => place(a.region) - place(b.region) || byBytes(a.region, b.region));
}

/** Arranged versions by what they are, in order of their first region. */
export function groupsOf(arranged: readonly RowVersion[]): readonly Group[] {
  return [...Map.groupBy(arranged, ({row}) => identityOf(row)).values()].map((versions) => ({
    row: versions[0]?.row ?? null,
    regions: versions.map(({region}) => region),
    versions,
  }));
}

/** The same text for the same columns with the same texts, and for no others. */
export const identityOf = (row: Columns | null): string =>
  row === null ? '' : JSON.stringify(Object.entries(row).toSorted(([a], [b]) => byBytes(a, b)));

export const isPresent = (group: Group): group is Present => group.row !== null;

/** The value of a column; null = NULL, no such column, or no column that could be asked for. */
export const cell = (row: Columns, column: string | null): string | null =>
  column !== null && Object.hasOwn(row, column) ? (row[column] ?? null) : null;

/** The columns in which rows differ, in their order in the first row that has them. */
export function differing(rows: readonly Columns[]): readonly string[] {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return columns.filter((column) => new Set(rows.map((row) => (Object.hasOwn(row, column) ? row[column] : undefined))).size > 1);
}

/** Whether deletes leave something behind, so that a row which is not there has never arrived: a tombstone, or a state that is merged. */
export const deletesLeaveTraces = ({tombstone, merge}: TableRule): boolean => tombstone !== null || Object.keys(merge).length > 0;

/** Whether the row is a tombstone. */
export const isTombstone = ({tombstone}: TableRule, row: Columns): boolean => ['t', 'true'].includes(cell(row, tombstone) ?? '');

import {usageError} from '../../errors.ts';
import {nearest} from '../../fleet/lookup.ts';
import type {AuditTable} from '../../ports/audit.ts';

/** Which tables are audited. `only` null = all that can be. `ignore` as the fleet file says. */
export type Choice = {readonly only: readonly string[] | null; readonly ignore: readonly string[]};

export type Skipped = {readonly table: string; readonly reason: string};

/** A table that is audited, with how much of it there is on the member that has most. */
export type Chosen = {readonly name: string; readonly rows: number; readonly bytes: number};

/**
 * Every table that any member has: one that is missing somewhere is a finding, no reason to leave it out. What was asked for by name and is nowhere
 * throws (64); what was asked for by name and cannot be audited is left to be refused.
 */
export function chooseTables(
  catalogs: ReadonlyMap<string, readonly AuditTable[]>,
  {only, ignore}: Choice,
): {tables: readonly Chosen[]; skipped: readonly Skipped[]} {
  const all = new Map<string, readonly AuditTable[]>();
  for (const tables of catalogs.values()) for (const table of tables) all.set(table.name, [...(all.get(table.name) ?? []), table]);
  const names = [...all.keys()].toSorted();
  const unknown = only?.find((name) => !all.has(name));
  if (unknown !== undefined && catalogs.size > 0) {
    const guess = nearest(unknown, names);
    const hint = guess === undefined ? `There are: ${names.join(', ') || 'none'}.` : `Did you mean "${guess}"?`;
    throw usageError(`no region has a table "${unknown}"`, {suggestions: [hint]});
  }
  const skipped: Skipped[] = [];
  const tables = names.flatMap((name): Chosen[] => {
    const copies = all.get(name) ?? [];
    // One that could be audited somewhere is refused: that it cannot be elsewhere is a finding.
    const lacks = copies.every((copy) => copy.lacks !== null) ? (copies[0]?.lacks ?? null) : null;
    if (only !== null && !only.includes(name)) return [];
    if (only === null && ignore.includes(name)) skipped.push({table: name, reason: 'the fleet file leaves it out'});
    else if (only === null && lacks !== null) skipped.push({table: name, reason: lacks});
    else return [{name, rows: Math.max(...copies.map(({rows}) => rows)), bytes: Math.max(...copies.map(({bytes}) => bytes))}];
    return [];
  });
  return {tables, skipped};
}

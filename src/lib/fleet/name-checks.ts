import {nearest} from './lookup.ts';
import type {Finding, Path} from './problem.ts';

/** Names in the fleet file: of the fleet, of regions, sites, stores, members and so on. */
export const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;

/** A finding for each name that is not known. */
export function unknownNames(names: readonly string[], known: readonly string[], what: string, path: Path): readonly Finding[] {
  return names.flatMap((name, index) => (known.includes(name) ? [] : [unknownName(name, known, what, [...path, index], 'value')]));
}

/** A finding for a name that is not known, with what was probably meant. */
export function unknownName(name: string, known: readonly string[], what: string, path: Path, at: 'key' | 'value'): Finding {
  const guess = nearest(name, known);
  const list = known.length === 0 ? `there are no ${plural(what)}` : `known: ${known.join(', ')}`;
  const suggestion = guess === undefined ? `Use a known ${what}, or add it to the file.` : `Did you mean "${guess}"?`;
  return {path, at, message: `unknown ${what} "${name}"; ${list}`, suggestion};
}

/** A finding for each name that stands in the list twice. */
export function repeated(names: readonly string[], path: Path): readonly Finding[] {
  return names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [{path: [...path, index], at: 'value' as const, message: `"${name}" stands here twice`, suggestion: 'Keep one of the two.'}],
  );
}

function plural(what: string): string {
  return what.replace(/^(\S+?)(y?)(?= |$)/, (_, stem: string, y: string) =>
    y === 'y' ? `${stem}ies` : stem.endsWith('s') ? `${stem}es` : `${stem}s`,
  );
}

/** A table as the catalog has it: a name alone is one of the schema public. */
export const qualified = (table: string): string => (table.includes('.') ? table : `public.${table}`);

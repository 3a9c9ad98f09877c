import {LAYERS, type Layer, type LeftKind, type RowLine} from './model.ts';
import type {Resolved} from './resolve-page.ts';

/** A key that is repaired, with what is written where; `regions` in the order of the store. */
export type RepairedKey = {
  readonly key: string;
  readonly layer: Layer;
  readonly why: string;
  readonly writes: readonly {readonly region: string; readonly change: RowLine['change']; readonly columns: readonly string[]}[];
};

/** A key that is left, and why. */
export type LeftKey = {readonly key: string; readonly left: LeftKind; readonly why: string};

/** What a plan does to one table. The first keys are told in full; all are in the rows file. `same`: keys that are the same everywhere by now. */
export type RepairedTable = {
  readonly table: string;
  readonly keys: number;
  readonly layers: Readonly<Record<Layer, number>>;
  readonly writes: Readonly<Record<string, number>>;
  readonly same: number;
  readonly left: Readonly<Record<LeftKind, number>>;
  readonly first: readonly RepairedKey[];
  readonly firstLeft: readonly LeftKey[];
};

/** Keys that are told in full. */
const FIRST = 20;

/** Counts what becomes of the keys of a table. */
export type Tally = {add(resolved: Resolved): void; table(): RepairedTable};

/** Begins with nothing. */
export function createTally(table: string): Tally {
  const layers = Object.fromEntries(LAYERS.map((layer) => [layer, 0])) as Record<Layer, number>;
  const kept: Record<LeftKind, number> = {newer: 0, person: 0, standby: 0, 'not-taken': 0, 'not-named': 0};
  const writes: Record<string, number> = {};
  const first: RepairedKey[] = [];
  const firstLeft: LeftKey[] = [];
  let [keys, same] = [0, 0];
  return {
    add: (resolved) => {
      const {key} = resolved;
      if (resolved.kind === 'same') same++;
      else if (resolved.kind === 'left') {
        kept[resolved.left]++;
        // Those that nobody asked for are no news.
        if (firstLeft.length < FIRST && resolved.left !== 'not-named') firstLeft.push({key, left: resolved.left, why: resolved.why});
      } else {
        keys++;
        layers[resolved.layer]++;
        for (const {region} of resolved.lines) writes[region] = (writes[region] ?? 0) + 1;
        if (first.length < FIRST) first.push({key, layer: resolved.layer, why: resolved.why, writes: resolved.lines.map(writeOf)});
      }
    },
    table: () => ({table, keys, layers: {...layers}, writes: {...writes}, same, left: {...kept}, first, firstLeft}),
  };
}

/** Which columns change; none of a row that is made or removed. */
function writeOf({region, change, from, to}: RowLine): RepairedKey['writes'][number] {
  const columns = from === null || to === null ? [] : Object.keys(to).filter((name) => from[name] !== to[name]);
  return {region, change, columns};
}

/** Keys of all tables that a person is to decide on, or that wait for something else. */
export const leftOf = (tables: readonly RepairedTable[], kind: LeftKind): number => tables.reduce((sum, {left}) => sum + left[kind], 0);

/** One sentence for each table, for the notes of the plan and of its run. */
export function remarksOf(tables: readonly RepairedTable[]): readonly string[] {
  return tables.flatMap(({table, keys, layers, left}) => {
    const decided = LAYERS.flatMap((layer) => (layers[layer] === 0 ? [] : [`${layers[layer]} by ${NAMES[layer]}`])).join(', ');
    const kept = Object.entries(left).flatMap(([kind, count]) => (count === 0 ? [] : [`${count} ${LEFT[kind as LeftKind]}`]));
    const all = [...(keys === 0 ? [] : [`${keys} ${keys === 1 ? 'key' : 'keys'} repaired: ${decided}`]), ...kept];
    return all.length === 0 ? [] : [`${table}: ${all.join('; ')}`];
  });
}

/** The layers, for people. */
export const NAMES: Readonly<Record<Layer, string>> = {
  merge: 'merge of its types',
  dominance: 'dominance',
  policy: 'policy',
  handler: 'handler',
  hand: 'hand',
};

/** Why keys are left, for people. */
export const LEFT: Readonly<Record<LeftKind, string>> = {
  newer: 'newer than the audit',
  person: 'left to a person',
  standby: 'of a standby that has to be rebuilt',
  'not-taken': 'that a member does not take',
  'not-named': 'not asked for',
};

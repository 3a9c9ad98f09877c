import type {Versions} from '../consistency/audit/confirm.ts';
import type {DivergentKey} from '../consistency/audit/model.ts';
import {classifyKey} from '../consistency/causality/classify.ts';
import type {TableRule} from '../fleet/fleet.ts';

/** Why the versions of a key are not the same, by the rule of its table. `primary`: the region whose word counts; null = a store of peers. */
export function judgeKey(
  rule: TableRule | null,
  key: string,
  versions: Versions,
  {primary, regions}: {readonly primary: string | null; readonly regions: readonly string[]},
): DivergentKey {
  const rows = Object.entries(versions).map(([region, {row, committedAt, origin}]) => ({region, row, committedAt, origin}));
  const {class: kind, regions: wrong, why, differs, suspects} = classifyKey(rule, rows, {primary, wall: null, regions});
  // Hashes differ in what is printed alike only where a value is too long to be shown whole.
  return {key, class: kind === 'equal' ? 'conflicting' : kind, regions: wrong, why, differs, suspects};
}

import type {TableRule} from '../../fleet/fleet.ts';
import {listed} from '../causality/bytes.ts';
import {mergeRows} from '../causality/merge-row.ts';
import {resolveKey} from '../causality/resolve.ts';
import {type About, arrange, type Columns, groupsOf, isPresent, NO_RULE, type RowVersion} from '../causality/version.ts';
import type {Layer, LeftKind} from './model.ts';

/** Hashes of a row by region; null = no such row. */
export type Hashes = Readonly<Record<string, string | null>>;

/**
 * One key that an audit found to differ. `seen`: what the audit saw; `now`: what is there; `named`: it may be newer than the audit; `take`: the region
 * whose version a person wants; null = the rules decide.
 */
export type KeyCase = {
  readonly rule: TableRule | null;
  readonly versions: readonly RowVersion[];
  readonly about: About;
  readonly seen: Hashes;
  readonly now: Hashes;
  readonly named: boolean;
  readonly take: string | null;
};

/** What becomes of a key. `same` = it is the same everywhere by now. `ask`: the hook decides; `merged` is laid over what it answers. */
export type Decision =
  | {readonly kind: 'same'}
  | {readonly kind: 'left'; readonly left: LeftKind; readonly why: string}
  | {readonly kind: 'ask'; readonly hook: string; readonly merged: Columns; readonly why: string}
  | {readonly kind: 'row'; readonly layer: Layer; readonly row: Columns | null; readonly why: string};

/** Decides on one key. A row that is not what the audit saw is newer than the audit: nobody has judged it, so it is left alone unless it is named. Pure. */
export function decideKey({rule, versions, about, seen, now, named, take}: KeyCase): Decision {
  const regions = Object.keys(now);
  if (new Set(Object.values(now)).size <= 1) return {kind: 'same'};
  const written = regions.filter((region) => now[region] !== seen[region]);
  if (written.length > 0 && !named)
    return {kind: 'left', left: 'newer', why: `It was written since the audit in ${listed(written)}: name it with --key.`};
  if (groupsOf(arrange(versions, about)).length === 1)
    return {kind: 'left', left: 'person', why: 'Its rows print the same and are not: what differs is nothing that can be written.'};
  if (take !== null) return taken(rule, versions, about, take);
  const resolved = resolveKey(rule, versions, about);
  if (resolved.layer === 'person') return {kind: 'left', left: 'person', why: resolved.why};
  if (resolved.layer === 'handler') return {kind: 'ask', hook: resolved.hook, merged: resolved.merged, why: resolved.why};
  return {kind: 'row', layer: resolved.layer, row: resolved.row, why: resolved.why};
}

/** A person chose a version. What merges by its type is merged all the same: nobody's count is lost by a choice. */
function taken(rule: TableRule | null, versions: readonly RowVersion[], about: About, region: string): Decision {
  const chosen = versions.find((version) => version.region === region);
  if (chosen === undefined) return {kind: 'left', left: 'person', why: `The version of ${region} was to be taken, which was not read.`};
  const merged = mergeRows(rule ?? NO_RULE, groupsOf(arrange(versions, about)).filter(isPresent));
  const row = chosen.row === null ? null : {...chosen.row, ...merged.columns, ...merged.clock};
  return {kind: 'row', layer: 'hand', row, why: `The version of ${region} was taken by hand.`};
}

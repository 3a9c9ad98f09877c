import type {TableRule} from '../../fleet/fleet.ts';
import {byBytes, listed} from './bytes.ts';
import {byPresence} from './classify.ts';
import type {Parsed} from './exact-json.ts';
import {dominantOf, type Merged, mergeRows} from './merge-row.ts';
import {type Newest, newestOf, timeName} from './stamp.ts';
import {suspectsOf} from './suspects.ts';
import {
  type About,
  arrange,
  type Columns,
  cell,
  deletesLeaveTraces,
  type Group,
  groupsOf,
  identityOf,
  isPresent,
  NO_RULE,
  type Present,
  type RowVersion,
} from './version.ts';

/** A region that must change. `from`: what it has now, for compare-and-set and undo; null = no row. */
export type Write = {readonly region: string; readonly change: 'insert' | 'update' | 'delete'; readonly from: Columns | null};

/**
 * What a repair writes. `layer` is what decided: of several the last one. `row` null = the row is to be absent. With `person` and `handler`
 * nothing is decided: `merged` has the columns that are merged in any case, to be laid over what is chosen.
 */
export type Resolution =
  | {
      readonly layer: 'merge' | 'dominance' | 'policy';
      readonly row: Columns | null;
      readonly writes: readonly Write[];
      readonly why: string;
    }
  | {readonly layer: 'person'; readonly merged: Columns; readonly writes: readonly []; readonly why: string}
  | {readonly layer: 'handler'; readonly hook: string; readonly merged: Columns; readonly writes: readonly []; readonly why: string};

/** What decided, before it is laid out as writes. */
type Choice =
  | {readonly layer: 'merge' | 'dominance' | 'policy'; readonly base: Group; readonly why: string}
  | {readonly layer: 'person'; readonly why: string}
  | {readonly layer: 'handler'; readonly hook: string; readonly why: string};

/**
 * Which row all regions should have, in layers: columns with a type of their own are merged; of the rest a version whose vector clock contains all
 * others wins; else the table's policy chooses. The vector clock is merged in any case, so that the row is after all that it replaces.
 *
 * - Where deletes leave traces (a tombstone column, merged columns), a region without the row has never had it: the others decide among
 *   themselves, and it gets theirs. Where they do not, no clock speaks of an absent row: a source may say that it is to be absent; newest restores
 *   it only when most regions have it and none that wrote it has lost it; else a person.
 * - A merged column that cannot be read, or two states that cannot be of one object, is left to dominance and policy like any other.
 * - A hybrid logical clock and the region of the last writer come from the newest version when all else is merged, else from the one that is chosen.
 *
 * `rule` null = the fleet file says nothing of the table: the primary's row (as a policy), and without a primary a person. Deterministic, whatever the
 * order of `versions`; for rows that are the same already there is nothing to write. Pure; throws as `classifyKey`.
 */
export function resolveKey(rule: TableRule | null, versions: readonly RowVersion[], about: About): Resolution {
  const arranged = arrange(versions, about);
  const groups = groupsOf(arranged);
  const [first] = groups;
  if (groups.length === 1 && first !== undefined)
    return {layer: 'dominance', row: first.row, writes: [], why: `It is the same in ${listed(first.regions)}.`};
  const merged = mergeRows(rule ?? NO_RULE, groups.filter(isPresent));
  const choice = rule === null ? choosePrimary(groups, about) : choose(rule, groups, merged, about);
  const all = {...merged.columns, ...merged.clock};
  if (choice.layer === 'handler') return {layer: 'handler', hook: choice.hook, merged: all, writes: [], why: says(merged, choice.why)};
  if (choice.layer === 'person') return {layer: 'person', merged: all, writes: [], why: says(merged, choice.why)};
  const row = isPresent(choice.base) ? {...choice.base.row, ...all} : null;
  return {layer: choice.layer, row, writes: writesTo(arranged, row), why: says(merged, choice.why)};
}

/** What has to be written so that all of them have the row; null = have none. In the order of the versions. */
export function writesTo(versions: readonly RowVersion[], row: Columns | null): readonly Write[] {
  return versions
    .filter((version) => identityOf(version.row) !== identityOf(row))
    .map(({region, row: from}) => ({region, change: row === null ? 'delete' : from === null ? 'insert' : 'update', from}));
}

/** Sentences: what was merged, what could not be, and what decided. */
function says({columns, notes}: Merged, why: string): string {
  const names = Object.keys(columns);
  return [...(names.length === 0 ? [] : [`Merged by type: ${listed(names)}.`]), ...notes, ...(why === '' ? [] : [why])].join(' ');
}

function choosePrimary(groups: readonly Group[], {primary}: About): Choice {
  if (primary === null) return {layer: 'person', why: 'The fleet file has no rule for this table, and the store no primary.'};
  const base = groups.find(({regions}) => regions.includes(primary));
  if (base === undefined) return {layer: 'person', why: `No version of the primary ${primary} was read.`};
  return {layer: 'policy', base, why: `The fleet file has no rule for this table, so the row of the primary ${primary} is taken.`};
}

function choose(rule: TableRule, groups: readonly Group[], merged: Merged, about: About): Choice {
  const rows = groups.filter(isPresent);
  const without = groups.filter((group) => group.row === null).flatMap(({regions}) => regions);
  if (without.length > 0 && !deletesLeaveTraces(rule)) return chooseWithGap(rule, groups, about);
  const [only] = rows;
  if (rows.length === 1 && only !== undefined) {
    // Merged with nothing, or after nothing.
    const layer = Object.keys(rule.merge).length > 0 ? 'merge' : 'dominance';
    return {
      layer,
      base: only,
      why: `Deletes leave a trace in this table and ${listed(without)} ${hasNone(without)}, so the row of ${listed(only.regions)} is taken.`,
    };
  }
  return chooseAmong(rule, rows, merged);
}

/** Of rows that differ, in regions that all have one or have never had it. */
function chooseAmong(rule: TableRule, rows: readonly Present[], merged: Merged): Choice {
  const stamps = merged.rest.filter((column) => column === rule.hlc || column === rule.region);
  const dominant = dominantOf(rule, rows);
  const mergesNothing = Object.keys(merged.columns).length === 0;
  const tellsNothing = mergesNothing && Object.keys(merged.clock).length === 0 && rule.hlc === null;
  const onlyStamps = stamps.length === merged.rest.length && !tellsNothing ? newestStamp(rule, rows) : null;
  if (dominant !== null && (mergesNothing || onlyStamps === null))
    return {layer: 'dominance', base: dominant, why: `The version of ${listed(dominant.regions)} has seen all others, by vector clock.`};
  if (onlyStamps !== null) return {layer: 'merge', base: onlyStamps, why: mergesNothing ? 'Only clocks differ, which are merged.' : ''};
  return byPolicy(rule, rows, (region) => rows.find(({regions}) => regions.includes(region)));
}

const hasNone = (regions: readonly string[]): string => (regions.length === 1 ? 'has none' : 'have none');

/** From which version the clock and the region come when nothing else is left to choose; null = a clock cannot be read. */
function newestStamp(rule: TableRule, rows: readonly Present[]): Present | null {
  if (rule.hlc !== null) {
    const newest = newestOf(rule, rows, tieOf);
    return newest.ok ? newest.value.group : null;
  }
  const region = (row: Present): string => cell(row.row, rule.region) ?? '';
  return rows.toSorted((a, b) => byBytes(region(a), region(b)) || byBytes(tieOf(a), tieOf(b))).at(-1) ?? null;
}

const tieOf = ({row}: Present): string => identityOf(row);

/** Where some have no row, and nothing tells whether they deleted it. */
function chooseWithGap(rule: TableRule, groups: readonly Group[], about: About): Choice {
  if (rule.policy.kind !== 'newest') return byPolicy(rule, groups, (region) => groups.find(({regions}) => regions.includes(region)));
  const presence = byPresence(rule, groups).find((verdict) => verdict.class !== 'missing' || verdict.undecided === true);
  if (presence !== undefined) return {layer: 'person', why: `No version is the newest, as an absent row has no time: ${presence.why}.`};
  if (suspectsOf(rule, groups, about).includes('lost-delete'))
    return {layer: 'person', why: 'It may have been deleted: the region that wrote it has none any more.'};
  return byPolicy(rule, groups, () => undefined);
}

function byPolicy(rule: TableRule, groups: readonly Group[], ofRegion: (region: string) => Group | undefined): Choice {
  const {policy} = rule;
  switch (policy.kind) {
    case 'siblings':
      return {layer: 'person', why: 'The policy of the table leaves versions of which none has seen all others to a person.'};
    case 'handler':
      return {layer: 'handler', hook: policy.hook, why: `The policy of the table asks the hook ${policy.hook}.`};
    case 'source': {
      const base = ofRegion(policy.region);
      if (base === undefined)
        return {layer: 'person', why: `The policy of the table takes the version of ${policy.region}, which has none or was not read.`};
      return {layer: 'policy', base, why: `The policy of the table takes the version of ${policy.region}.`};
    }
    case 'newest':
      return newestChoice(rule, newestOf(rule, groups.filter(isPresent), tieOf));
  }
}

function newestChoice(rule: TableRule, newest: Parsed<Newest>): Choice {
  if (!newest.ok) return {layer: 'person', why: `The policy of the table takes the newest version, but ${newest.reason}.`};
  const {group, tied} = newest.value;
  const by = tied
    ? `of several with the newest ${timeName(rule)} its region is the greatest by bytes`
    : `it is the newest by ${timeName(rule)}`;
  return {layer: 'policy', base: group, why: `The policy of the table takes the version of ${listed(group.regions)}: ${by}.`};
}

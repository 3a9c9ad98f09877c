import type {TableRule} from '../../fleet/fleet.ts';
import {listed} from './bytes.ts';
import {type Relation, relate, relateAll} from './relate.ts';
import {type Suspect, suspectsOf} from './suspects.ts';
import {
  type About,
  arrange,
  deletesLeaveTraces,
  differing,
  type Group,
  groupsOf,
  isPresent,
  NO_RULE,
  type Present,
  type RowVersion,
} from './version.ts';

/** How the regions stand to each other about one key; see `classifyKey`. */
export type KeyClass = 'equal' | 'missing' | 'extra' | 'stale' | 'concurrent' | 'conflicting';

/** `regions`: those that are wrong, or that disagree. `differs`: columns. `groups`: regions by identical version. All in the order of the fleet. */
export type Classification = {
  readonly class: KeyClass;
  readonly regions: readonly string[];
  readonly why: string;
  readonly differs: readonly string[];
  readonly suspects: readonly Suspect[];
  readonly groups: readonly (readonly string[])[];
};

/** One thing that is wrong. A key can have two: some regions lack the row, the others differ. */
export type Verdict = {
  readonly class: KeyClass;
  readonly regions: readonly string[];
  readonly why: string;
  /** It is what it looks like, but no more than that: it may have been deleted as well. */
  readonly undecided?: true;
};

/** The gravest first: it gives a key its class. */
const GRAVEST: readonly KeyClass[] = ['conflicting', 'concurrent', 'extra', 'missing', 'stale'];

/**
 * Why a key is not the same everywhere. `rule` null = the fleet file says nothing of the table. The order of `versions` does not matter. Pure; throws only
 * for no version at all or two of one region.
 *
 * |    | seen | class | regions |
 * | -- | --- | --- | --- |
 * | 1  | all have the same columns, or none has the row | equal | none |
 * |    | **a store with a primary** | | |
 * | 2  | the primary was not read | conflicting | all |
 * | 3  | the primary has no row | extra | those that have one |
 * | 4  | the primary has the row, others have none | missing | those without |
 * | 5  | another row, which is newer or concurrent, or has the same clock or time | conflicting | those that have it |
 * | 6  | another row, which is older, or nothing says how old | stale | those that have it |
 * |    | **a store of peers: who has the row** | | |
 * | 7  | some have none, and deletes leave traces (a tombstone column, or merged columns) | missing | those without |
 * | 8  | deletes leave no trace; more regions have the row than not | missing | those without |
 * | 9  | deletes leave no trace; fewer have it | extra | those that have it |
 * | 10 | deletes leave no trace; as many have it as not | missing | those without |
 * |    | **a store of peers: rows that differ**, as `relate` puts them in order | | |
 * | 11 | one is newer than all others | stale | those with another |
 * | 12 | there is no newest, and of the newest none saw the others | concurrent | all that have the row |
 * | 13 | nothing tells which of two newest is the newer: no clock, the same clock, or unreadable | conflicting | all that have the row |
 *
 * Where two lines hold (4 and 6; 7, 8 or 9 and 11 to 13), the class is the gravest (conflicting, concurrent, extra, missing, stale), the regions are
 * those of both and the sentence says both. Suspects: see `suspectsOf`.
 */
export function classifyKey(rule: TableRule | null, versions: readonly RowVersion[], about: About): Classification {
  const arranged = arrange(versions, about);
  const groups = groupsOf(arranged);
  const rows = groups.filter(isPresent);
  const known = rule ?? NO_RULE;
  const verdicts =
    groups.length === 1 ? [] : about.primary === null ? amongPeers(known, groups) : againstPrimary(known, groups, about.primary);
  const wrong = new Set(verdicts.flatMap(({regions}) => regions));
  return {
    class: GRAVEST.find((each) => verdicts.some((verdict) => verdict.class === each)) ?? 'equal',
    regions: arranged.map(({region}) => region).filter((region) => wrong.has(region)),
    why: verdicts.length === 0 ? equalSays(groups[0]) : `${verdicts.map(({why}) => why).join('; ')}.`,
    differs: differing(rows.map(({row}) => row)),
    suspects: verdicts.length === 0 ? [] : suspectsOf(known, groups, about),
    groups: groups.map(({regions}) => regions),
  };
}

function equalSays(group: Group | undefined): string {
  const where = listed(group?.regions ?? []);
  return group?.row === null ? `There is no such row in ${where}.` : `The row is the same in ${where}.`;
}

/** Lines 2 to 6. */
function againstPrimary(rule: TableRule, groups: readonly Group[], primary: string): readonly Verdict[] {
  const truth = groups.find(({regions}) => regions.includes(primary));
  const others = groups.filter((group) => group !== truth);
  if (truth === undefined)
    return [{class: 'conflicting', regions: groups.flatMap(({regions}) => regions), why: `No version of the primary ${primary} was read`}];
  if (!isPresent(truth)) {
    const regions = others.flatMap((group) => group.regions);
    return [{class: 'extra', regions, why: `${listed(regions)} ${has(regions)} a row that the primary ${primary} does not have`}];
  }
  return others.map((group) => {
    if (isPresent(group)) return againstTruth(relate(rule, group, truth), group, primary);
    return {
      class: 'missing',
      regions: group.regions,
      why: `${listed(group.regions)} ${has(group.regions)} no such row, the primary ${primary} has it`,
    };
  });
}

/** Lines 5 and 6. */
function againstTruth(relation: Relation, {regions}: Present, primary: string): Verdict {
  const who = `${listed(regions)} ${has(regions)}`;
  switch (relation.order) {
    case 'before':
      return {class: 'stale', regions, why: `${who} an older version than the primary ${primary}, by ${listed(relation.by)}`};
    case 'after':
      return {class: 'conflicting', regions, why: `${who} a newer version than the primary ${primary}, by ${listed(relation.by)}`};
    case 'concurrent':
      return {
        class: 'conflicting',
        regions,
        why: `${who} a version that has not seen that of the primary ${primary}, by ${listed(relation.by)}`,
      };
    case 'same':
      return {class: 'conflicting', regions, why: `${who} another version than the primary ${primary}, although ${relation.reason}`};
    case 'unknown':
      return {class: 'stale', regions, why: `${who} another version than the primary ${primary}`};
  }
}

function amongPeers(rule: TableRule, groups: readonly Group[]): readonly Verdict[] {
  const rows = groups.filter(isPresent);
  return [...byPresence(rule, groups), ...(rows.length > 1 ? [byOrder(rule, rows)] : [])];
}

/** Lines 7 to 10; also what a repair asks before it fills a gap. */
export function byPresence(rule: TableRule, groups: readonly Group[]): readonly Verdict[] {
  const having = groups.filter(isPresent).flatMap(({regions}) => regions);
  const without = groups.filter((group) => group.row === null).flatMap(({regions}) => regions);
  if (without.length === 0 || having.length === 0) return [];
  const [have, lack] = [`${listed(having)} ${has(having)}`, `${listed(without)} ${has(without)}`];
  if (deletesLeaveTraces(rule))
    return [{class: 'missing', regions: without, why: `${lack} no such row, and nothing that a delete would leave; ${have} it`}];
  if (having.length > without.length) return [{class: 'missing', regions: without, why: `${lack} no such row; ${have} it`}];
  if (having.length < without.length) return [{class: 'extra', regions: having, why: `${have} a row that ${lack} not`}];
  return [
    {
      class: 'missing',
      regions: without,
      undecided: true,
      why: `${have} a row that ${lack} not, and nothing tells whether it was deleted or never arrived`,
    },
  ];
}

/** Lines 11 to 13. */
function byOrder(rule: TableRule, rows: readonly Present[]): Verdict {
  const regionsOf = (groups: readonly Present[]): readonly string[] => groups.flatMap((group) => group.regions);
  const relation = relateAll(rule, rows);
  const newest = rows.find((row) => rows.every((other) => other === row || relation(other, row).order === 'before'));
  if (newest !== undefined) {
    const older = rows.filter((row) => row !== newest);
    const [regions, by] = [regionsOf(older), evidence(older.map((row) => relation(row, newest)))];
    return {class: 'stale', regions, why: `${listed(regions)} ${has(regions)} an older version than ${listed(newest.regions)}, by ${by}`};
  }
  const maximal = rows.filter((row) => rows.every((other) => other === row || relation(row, other).order !== 'before'));
  const rivals = maximal.length > 1 ? maximal : rows;
  const pairs = rivals.flatMap((row, index) => rivals.slice(index + 1).map((other) => relation(row, other)));
  const names = listed(
    rivals.map(({regions: [first, ...others]}) => (others.length === 0 ? `${first}` : `${first} (like ${listed(others)})`)),
  );
  const untold = pairs.find((pair) => pair.order === 'unknown' || pair.order === 'same');
  if (untold !== undefined && 'reason' in untold)
    return {class: 'conflicting', regions: regionsOf(rows), why: `${names} differ, and nothing tells which is newer: ${untold.reason}`};
  const by = evidence(pairs.filter(({order}) => order === 'concurrent'));
  return {class: 'concurrent', regions: regionsOf(rows), why: `${names} have versions that did not see each other, by ${by}`};
}

const evidence = (relations: readonly Relation[]): string =>
  listed([...new Set(relations.flatMap((relation) => ('by' in relation ? relation.by : [])))]);

const has = (regions: readonly string[]): string => (regions.length === 1 ? 'has' : 'have');

import type {TableRule} from '../../fleet/fleet.ts';
import {hlcDriftMs} from './hlc.ts';
import {mvRegister, mvValues} from './mv-register.ts';
import {orSet} from './or-set.ts';
import {clockOrder, hlcOf, relate} from './relate.ts';
import {microsOf, stampOf} from './stamp.ts';
import {
  type About,
  type Columns,
  cell,
  deletesLeaveTraces,
  differing,
  type Group,
  isPresent,
  isTombstone,
  type Present,
  type RowVersion,
} from './version.ts';

/** What may have gone wrong, for a person to look at. */
export type Suspect = 'clock-skew' | 'lost-delete';

/** Of `About.skewMs`. */
const SKEW_MS = 500;

/**
 * What may be behind a difference.
 *
 * `clock-skew`: the physical part of a hybrid logical clock is ahead of the wall clock of the commit by more than `skewMs`; or a version that a vector
 * clock says is older has the later clock or commit time, so that "newest" would take the wrong one; or rows are told apart by time, and the clock
 * of a region that wrote one is known to be off by more than that. The wall clock of a commit is that of the region where the
 * row was written, set right by what is known of it.
 *
 * `lost-delete`: a row is live in one region and older than its tombstone in another (it was never deleted there, or it came back); in an
 * MV-register or OR-set the same of a value or element; or where deletes leave no trace, the region that wrote the row, or from which it was
 * replicated, has none any more.
 */
export function suspectsOf(rule: TableRule, groups: readonly Group[], about: About): readonly Suspect[] {
  const rows = groups.filter(isPresent);
  return [
    ...(isSkewed(rule, rows, about) ? (['clock-skew'] as const) : []),
    ...(isDeleteLost(rule, groups) ? (['lost-delete'] as const) : []),
  ];
}

function isSkewed(rule: TableRule, rows: readonly Present[], about: About): boolean {
  const skewMs = about.skewMs ?? SKEW_MS;
  const versions = rows.flatMap(({row, versions: all}) => all.map((version) => ({row, version})));
  return (
    versions.some(({row, version}) => aheadMs(rule, row, version, about) > skewMs) ||
    rows.some((a) => rows.some((b) => contradicts(rule, a, b))) ||
    (goesByTime(rule, rows) && versions.some(({row, version}) => Math.abs(offsetOf(about, writer(rule, row, version))) > skewMs))
  );
}

/** By how many ms the clock in the row is ahead of the commit; 0 = one of the two is not known. */
function aheadMs(rule: TableRule, row: Columns, version: RowVersion, about: About): number {
  const [hlc, micros] = [hlcOf(rule, row), microsOf(version.committedAt)];
  return hlc === null || micros === null ? 0 : hlcDriftMs(hlc, Number(micros / 1000n) - offsetOf(about, version.origin ?? version.region));
}

/** Whether the older of the two, by vector clock, would be taken for the newer one by time. */
function contradicts(rule: TableRule, older: Present, newer: Present): boolean {
  if (older === newer || rule.vectorClock === null) return false;
  const order = clockOrder(rule, older, newer);
  const [a, b] = [stampOf(rule, older), stampOf(rule, newer)];
  return order.ok && order.value === 'before' && a.ok && b.ok && a.value.time > b.value.time;
}

/** Whether columns differ that only a time puts in order. */
const goesByTime = (rule: TableRule, rows: readonly Present[]): boolean =>
  (rule.hlc !== null || rule.vectorClock === null) &&
  differing(rows.map(({row}) => row)).some((column) => !Object.hasOwn(rule.merge, column));

const writer = (rule: TableRule, row: Columns, {origin, region}: RowVersion): string => cell(row, rule.region) ?? origin ?? region;

const offsetOf = ({wall}: About, region: string): number => (wall !== null && Object.hasOwn(wall, region) ? (wall[region] ?? 0) : 0);

function isDeleteLost(rule: TableRule, groups: readonly Group[]): boolean {
  const rows = groups.filter(isPresent);
  const without = new Set(groups.flatMap((group) => (isPresent(group) ? [] : group.regions)));
  return (
    rows.some((live) => rows.some((dead) => isOlderThanTombstone(rule, live, dead))) ||
    rows.some((live) =>
      rows.some((dead) => live !== dead && Object.keys(rule.merge).some((column) => misses(rule, column, live.row, dead.row))),
    ) ||
    (!deletesLeaveTraces(rule) && rows.some(({row, versions}) => versions.some((version) => isGoneAtSource(rule, row, version, without))))
  );
}

const isOlderThanTombstone = (rule: TableRule, live: Present, dead: Present): boolean =>
  !isTombstone(rule, live.row) && isTombstone(rule, dead.row) && relate(rule, live, dead).order === 'before';

const isGoneAtSource = (rule: TableRule, row: Columns, {origin}: RowVersion, without: ReadonlySet<string>): boolean =>
  without.has(origin ?? '') || without.has(cell(row, rule.region) ?? '');

/** Whether `dead` has deleted in a merged column what `live` still has, in full sight of it. */
function misses({merge}: TableRule, column: string, live: Columns, dead: Columns): boolean {
  const [a, b] = [cell(live, column), cell(dead, column)];
  if (a === null || b === null || a === b) return false;
  if (merge[column] === 'or-set') {
    const [set, other] = [orSet.parse(a), orSet.parse(b)];
    return set.ok && other.ok && [...set.value.adds.keys()].some((tag) => !set.value.removes.has(tag) && other.value.removes.has(tag));
  }
  if (merge[column] !== 'mv-register') return false;
  const [register, other] = [mvRegister.parse(a), mvRegister.parse(b)];
  if (!register.ok || !other.ok || mvValues(register.value).length === 0) return false;
  return (
    mvValues(other.value).length === 0 && mvRegister.print(mvRegister.merge(register.value, other.value)) === mvRegister.print(other.value)
  );
}

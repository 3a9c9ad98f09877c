import type {TableRule} from '../../fleet/fleet.ts';
import {byBytes} from './bytes.ts';
import type {Parsed} from './exact-json.ts';
import {parseHlc} from './hlc.ts';
import {compareStamps, type Stamp} from './lww-register.ts';
import {cell, type Present, type RowVersion} from './version.ts';

/** What the time of a stamp is. */
export const timeName = ({hlc}: TableRule): string => (hlc === null ? 'commit time' : 'hybrid logical clock');

/**
 * When and where a version was written: by its hybrid logical clock where the table has one, else by its commit time in microseconds; of copies that
 * were committed at different times the last one counts. The region is that of the rule's column, else the one it came from, else the
 * greatest by bytes of those that have it.
 */
export function stampOf(rule: TableRule, group: Present): Parsed<Stamp> {
  const region = writerOf(rule, group);
  if (rule.hlc !== null) {
    const hlc = parseHlc(cell(group.row, rule.hlc) ?? '');
    return hlc.ok
      ? {ok: true, value: {time: hlc.value, region}}
      : {ok: false, reason: `the clock in ${rule.hlc} of ${group.regions[0]}: ${hlc.reason}`};
  }
  const times = group.versions.flatMap(({committedAt}) => microsOf(committedAt) ?? []);
  const time = times.reduce<bigint | null>((last, each) => (last === null || each > last ? each : last), null);
  return time === null
    ? {ok: false, reason: `the commit time of ${group.regions[0]} is not known`}
    : {ok: true, value: {time, region: commitRegion(rule, group, time)}};
}

/** The region that wrote a version: by the rule's column, else by where it came from or is. */
export function writerOf(rule: TableRule, group: Present): string {
  return cell(group.row, rule.region) ?? greatestRegion(group.versions);
}

const commitRegion = (rule: TableRule, group: Present, time: bigint): string =>
  cell(group.row, rule.region) ?? greatestRegion(group.versions.filter(({committedAt}) => microsOf(committedAt) === time));

const greatestRegion = (versions: readonly RowVersion[]): string =>
  versions
    .map(({region, origin}) => origin ?? region)
    .toSorted(byBytes)
    .at(-1) ?? '';

/** The version with the last stamp. `tied`: others have the same time, and the region decided. */
export type Newest = {readonly group: Present; readonly tied: boolean};

/** The one with the last stamp, or why it cannot be told. Of equal stamps the one that is greater by `tieOf`, so that all choose alike. */
export function newestOf(rule: TableRule, groups: readonly Present[], tieOf: (group: Present) => string): Parsed<Newest> {
  const stamped: {readonly group: Present; readonly stamp: Stamp}[] = [];
  for (const group of groups) {
    const stamp = stampOf(rule, group);
    if (!stamp.ok) return stamp;
    stamped.push({group, stamp: stamp.value});
  }
  const sorted = stamped.toSorted((a, b) => compareStamps(a.stamp, b.stamp) || byBytes(tieOf(a.group), tieOf(b.group)));
  const last = sorted.at(-1);
  if (last === undefined) return {ok: false, reason: 'no region has the row'};
  return {ok: true, value: {group: last.group, tied: sorted.at(-2)?.stamp.time === last.stamp.time}};
}

/** Those of some times that are known, the earliest first. */
export function inOrder(times: readonly (string | null | undefined)[]): readonly string[] {
  const known = times.flatMap((text) => {
    const micros = microsOf(text ?? null);
    return text == null || micros === null ? [] : [{text, micros}];
  });
  return known.toSorted((a, b) => (a.micros < b.micros ? -1 : Number(a.micros > b.micros))).map(({text}) => text);
}

const TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d(?::?\d\d)?)$/;

/** Microseconds since 1970 of an ISO 8601 time with its zone, as PostgreSQL or JavaScript write it; null = it is none. */
export function microsOf(text: string | null): bigint | null {
  const [, day, time, fraction = '', zone = 'Z'] = TIME.exec(text ?? '') ?? [];
  const [, sign = '+', hours = '00', minutes = '00'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  const ms = Date.parse(`${day}T${time}${zone === 'Z' ? 'Z' : `${sign}${hours}:${minutes}`}`);
  return Number.isNaN(ms) ? null : BigInt(ms) * 1000n + BigInt(fraction.padEnd(6, '0'));
}

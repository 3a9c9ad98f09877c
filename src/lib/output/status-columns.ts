import type {StatusDocument, StatusRegion} from '../observe/status-document.ts';
import {staleAfterMs} from '../operate/lag-verdict.ts';
import {isPromotable} from '../snapshot/snapshot.ts';
import type {Paint} from './paint.ts';
import {
  breakerSaid,
  lagSaid,
  lossSaid,
  readySaid,
  rolesText,
  roomSaid,
  type Said,
  STALE,
  trafficSaid,
  verdictSaid,
  wholeAge,
} from './region-cells.ts';
import {type Cell, type Column, fitting, table} from './table.ts';
import {NOT_MEASURED} from './units.ts';

/** As in the live views, of links that are read once. */
const STALE_LAG_MS = staleAfterMs(0);

/** The document, by how much older everything is than when it was taken, and the time now (epoch ms). */
type Picture = {readonly document: StatusDocument; readonly keptMs: number; readonly now: number};

/** A column of the status. `of` null = there is nothing to say of this region. */
type Field = Column & {readonly title: string; of(region: StatusRegion, picture: Picture): Said | null};

/** What is old by itself says so: colours alone would not, and how old a kept picture is stands above it. */
function aged(said: Said | null, ageMs: number | null, {stale, keptMs}: {readonly stale: number; readonly keptMs: number}): Said | null {
  if (said === null || ageMs === null || ageMs - keptMs <= stale) return said;
  return {text: `${said.text} (${wholeAge(ageMs)} old)`, meaning: 'muted'};
}

const oldest = (ages: readonly (number | null)[]): number | null =>
  ages.reduce<number | null>((most, age) => (age === null || (most !== null && most >= age) ? most : age), null);

/** How much of what each route sends it sends to a region, in percent; null = it is not known. */
function sharesOf({weightByRoute}: StatusRegion, {regions}: StatusDocument): readonly (number | null)[] {
  return Object.entries(weightByRoute).map(([route, weight]) => {
    const all = regions.reduce((sum, each) => sum + (each.weightByRoute[route] ?? 0), 0);
    // A route that sends nothing anywhere sends nothing here.
    return weight === null ? null : all > 0 ? (100 * weight) / all : 0;
  });
}

const NAME: Field = {title: 'region', shrink: false, of: ({region}) => ({text: region, meaning: 'strong'})};
const LAW: Field = {title: 'law', shrink: false, drop: 10, of: ({jurisdiction}) => ({text: jurisdiction, meaning: 'plain'})};
const VERDICT: Field = {
  title: 'verdict',
  shrink: false,
  of: ({verdict}) => {
    const {symbol, text, meaning} = verdictSaid(verdict);
    return {text: `${symbol} ${text}`, meaning};
  },
};
const SINCE: Field = {
  title: 'for',
  align: 'right',
  shrink: false,
  drop: 1,
  of: ({since}, {now}) => ({text: wholeAge(Math.max(0, now - Date.parse(since))), meaning: 'plain'}),
};
const TRAFFIC: Field = {
  title: 'traffic',
  align: 'right',
  shrink: false,
  drop: 2,
  of: (region, {document, keptMs}) =>
    aged(trafficSaid(sharesOf(region, document)), oldest(Object.values(region.ageMsByRoute)), {stale: STALE.traffic, keptMs}),
};
const STORES: Field = {
  title: 'stores',
  shrink: false,
  drop: 8,
  of: ({roles}, {keptMs}) => {
    if (roles.length === 0) return null;
    const meaning = roles.some(({role}) => role === 'unknown')
      ? 'unknown'
      : roles.some(({role}) => role === 'primary')
        ? 'strong'
        : 'plain';
    return aged({text: rolesText(roles), meaning}, oldest(roles.map(({ageMs}) => ageMs)), {stale: STALE.roles, keptMs});
  },
};
const LAG: Field = {
  title: 'lag',
  align: 'right',
  shrink: false,
  drop: 3,
  of: ({lagWorst}, {keptMs}) =>
    lagWorst === null ? null : aged(lagSaid(lagWorst, lagWorst.breaker?.state ?? 'closed'), lagWorst.ageMs, {stale: STALE_LAG_MS, keptMs}),
};
const BREAKER: Field = {
  title: 'breaker',
  align: 'right',
  shrink: false,
  drop: 9,
  of: ({lagWorst}) => (lagWorst?.breaker === undefined ? null : breakerSaid(lagWorst.breaker.state)),
};
const LOSS: Field = {
  title: 'loss',
  align: 'right',
  shrink: false,
  drop: 4,
  of: ({loss}, {keptMs}) =>
    loss === null || loss.length === 0 ? null : aged(lossSaid(loss), oldest(loss.map(({ageMs}) => ageMs)), {stale: STALE.loss, keptMs}),
};
const READY: Field = {
  title: 'ready',
  align: 'right',
  shrink: false,
  drop: 5,
  of: ({ready}, {keptMs}) => aged(readySaid(ready), oldest(ready.map(({ageMs}) => ageMs)), {stale: STALE.ready, keptMs}),
};
const ROOM: Field = {
  title: 'room',
  align: 'right',
  shrink: false,
  drop: 7,
  of: ({headroom}, {keptMs}) => {
    if (headroom === null) return null;
    if (headroom.left === null) return {text: '?', meaning: 'unknown'};
    return aged(roomSaid(headroom.left, headroom.unread), headroom.ageMs, {stale: STALE.headroom, keptMs});
  },
};
const AGE: Field = {
  title: 'age',
  align: 'right',
  shrink: false,
  drop: 6,
  of: ({ageMs}, {keptMs}) =>
    ageMs === null ? null : {text: wholeAge(ageMs), meaning: ageMs - keptMs > STALE.verdict ? 'warning' : 'muted'},
};

/** The columns that this fleet has something to say in. */
function fieldsFor({document, keptMs}: Picture): readonly Field[] {
  const {regions} = document;
  const some = (has: (region: StatusRegion) => boolean, field: Field): readonly Field[] => (regions.some(has) ? [field] : []);
  return [
    NAME,
    LAW,
    VERDICT,
    SINCE,
    ...some(({weightByRoute}) => Object.keys(weightByRoute).length > 0, TRAFFIC),
    ...some(({roles}) => roles.length > 0, STORES),
    ...some(({lagWorst}) => lagWorst !== null, LAG),
    ...some(({lagWorst}) => lagWorst?.breaker !== undefined && lagWorst.breaker.state !== 'closed', BREAKER),
    ...some(({roles}) => roles.some(({role}) => isPromotable(role)), LOSS),
    ...some(({ready}) => ready.length > 0, READY),
    ...some(({headroom}) => headroom !== null, ROOM),
    // Of a picture that was taken just now it would be next to nothing everywhere.
    ...(document.cached === true ? [AGE] : some(({ageMs}) => ageMs !== null && ageMs - keptMs > STALE.verdict, AGE)),
  ];
}

/** A line for each region, under titles, no wider than `columns`. `hasRoles` false = there was no room for the stores. */
export function regionTable(
  picture: Picture,
  {columns, paint}: {readonly columns: number; readonly paint: Paint},
): {readonly lines: readonly string[]; readonly hasRoles: boolean} {
  const all = fieldsFor(picture);
  const cellOf = (said: Said | null): Cell => {
    if (said === null) return {text: NOT_MEASURED, paint: paint.muted};
    return said.meaning === 'plain' ? said.text : {text: said.text, paint: paint[said.meaning]};
  };
  const rows = picture.document.regions.map((region) => all.map((field) => cellOf(field.of(region, picture))));
  const kept = fitting(all, rows, columns);
  const fields = kept.map((index) => all[index] as Field);
  const [titles = '', ...lines] = table(
    fields,
    rows.map((row) => kept.map((index) => row[index] as Cell)),
    columns,
  );
  return {lines: [paint.muted(titles), ...lines], hasRoles: fields.includes(STORES) || !all.includes(STORES)};
}

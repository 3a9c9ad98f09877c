import type {DashboardRegion, DashboardView} from '../operate/dashboard-view.ts';
import {isOldReading, staleAfterMs} from '../operate/lag-verdict.ts';
import type {LinkNow} from '../operate/lag-watch.ts';
import {
  breakerSaid,
  lagSaid,
  lossSaid,
  readySaid,
  rolesMarks,
  rolesText,
  roomSaid,
  type Said,
  STALE,
  trafficSaid,
  verdictSaid,
  verdictStaleMs,
  wholeAge,
} from '../output/region-cells.ts';
import {cut} from '../output/table.ts';
import {padRight, textWidth} from '../output/text-width.ts';
import {NOT_MEASURED} from '../output/units.ts';
import {isPromotable} from '../snapshot/snapshot.ts';
import type {Line, Part} from './line-view.tsx';
import type {Meaning} from './meaning.ts';
import {sparkline} from './sparkline.ts';

/** A column of regions. `of` may answer with a shorter text: it is padded. */
type Field = {
  readonly title: string;
  readonly width: number;
  readonly right?: true;
  of(region: DashboardRegion, view: DashboardView, width: number): Part;
};

const none: Part = {text: NOT_MEASURED, meaning: 'muted'};

/** Dimmed and in brackets when it is old, whatever it would mean: not every terminal dims. */
function aged(text: string, meaning: Meaning, age: number | null, stale: number): Part {
  return age === null || age > stale ? {text: `(${text})`, meaning: 'muted'} : {text, meaning};
}

const ageOf = (at: number | null, now: number): number | null => (at === null ? null : Math.max(0, now - at));

/** Whether a link was not read for several of its turns: how it stands now is not known. The list of links has the same rule. */
export function isOldLink(link: LinkNow, {at, linksEveryMs}: Pick<DashboardView, 'at' | 'linksEveryMs'>): boolean {
  return isOldReading(link, at, staleAfterMs(linksEveryMs));
}

/** What is said of a link, marked where it is old. */
const unlessOld = ({text, meaning}: Said, link: LinkNow, view: DashboardView): Part =>
  isOldLink(link, view) ? aged(text, meaning, null, 0) : {text, meaning};

const SINCE: Field = {
  title: 'for',
  width: 7,
  right: true,
  of: ({since}, {at}) => ({text: since === null ? NOT_MEASURED : wholeAge(at - since), meaning: 'plain'}),
};

const AGE: Field = {
  title: 'age',
  width: 7,
  right: true,
  of: ({seenAt, askedEveryMs}, {at}) => {
    const age = ageOf(seenAt, at);
    const isOld = age === null || age > verdictStaleMs(askedEveryMs);
    return {text: age === null ? NOT_MEASURED : wholeAge(age), meaning: isOld ? 'warning' : 'muted'};
  },
};

/** Of one route; of several the one that sends most there, with a + for the others. */
const TRAFFIC: Field = {
  title: 'traffic',
  width: 9,
  right: true,
  of: ({traffic}, {at}) => {
    const [most] = traffic.toSorted((a, b) => (b.share ?? -1) - (a.share ?? -1));
    const said = trafficSaid(traffic.map(({share}) => share));
    if (most === undefined || said === null) return none;
    if (most.share === null) return {text: said.text, meaning: most.why === 'asking' ? 'muted' : said.meaning};
    return aged(said.text, said.meaning, ageOf(most.at, at), STALE.traffic);
  },
};

/** `names` false = only a sign for each store. */
const rolesField = (width: number, names: boolean): Field => ({
  title: names ? '  stores' : MARKS_TITLE,
  width,
  of: ({roles}, {at}, room) => {
    if (roles.length === 0) return {text: `  ${NOT_MEASURED}`, meaning: 'muted'};
    const oldest = roles.reduce<number | null>(
      (least, {at: read}) => (read === null || (least !== null && least < read) ? least : read),
      null,
    );
    const isLost = roles.some(({role, why}) => role === null && why !== 'asking');
    const isPrimary = roles.some(({role}) => role === 'primary');
    const text = names ? cut(rolesText(roles), room - 2) : rolesMarks(roles, room - 2);
    const meaning = isLost ? 'unknown' : isPrimary ? 'strong' : 'plain';
    const {meaning: shown} = aged(text, meaning, ageOf(oldest, at), STALE.roles);
    return {text: `  ${text}`, meaning: roles.every(({role}) => role === null) && !isLost ? 'muted' : shown};
  },
});

const LAG: Field = {
  title: 'lag',
  width: 11,
  right: true,
  of: ({lag}, view) => {
    if (lag === null) return none;
    return unlessOld(lagSaid(lag.row, lag.breaker.state), lag, view);
  },
};

const BREAKER: Field = {
  title: 'breaker',
  width: 8,
  right: true,
  of: ({lag}, view) => {
    if (lag === null) return none;
    return unlessOld(breakerSaid(lag.breaker.state), lag, view);
  },
};

const sparkField = (width: number): Field => ({
  title: 'last looks',
  width: width + 2,
  right: true,
  of: ({lag}) => ({text: lag === null ? '' : sparkline(lag.history, width, 1000), meaning: 'plain'}),
});

/** Where there is little room, `✗~9.3K` for `✗ ~9.3 KiB`: a figure that is cut off, or touches the next one, tells nothing. */
function fitted(text: string, width: number): string {
  return textWidth(text) < width ? text : text.replace('✗ ', '✗').replace(/ ([KMGTPE])iB/, '$1');
}

/** The narrow width, and the one in which every figure is told whole. */
const [LOSS_WIDTH, WIDE_LOSS] = [9, 12];

const lossField = (width: number): Field => ({
  title: 'loss',
  width,
  right: true,
  of: ({loss, roles}, {at}) => {
    const promotable = new Set(roles.filter(({role}) => isPromotable(role)).map(({store}) => store));
    const rows = (loss.value ?? []).filter(({store}) => promotable.has(store));
    if (loss.value === null) return {text: loss.why === null || loss.why === 'asking' ? NOT_MEASURED : '?', meaning: 'muted'};
    if (rows.length === 0) return none;
    const {text, meaning} = lossSaid(rows);
    const said = aged(text, meaning, ageOf(loss.at, at), STALE.loss);
    // What is old is marked as that.
    return {...said, text: fitted(said.meaning === 'critical' ? `✗ ${text}` : said.text, width)};
  },
});

const LOSS = lossField(LOSS_WIDTH);

/** Whether it could take over from each that could be left. */
const READY: Field = {
  title: 'ready',
  width: 7,
  right: true,
  of: ({ready}, {at}) => {
    if (ready.value === null) return {text: ready.why === 'asking' ? '…' : '?', meaning: ready.why === 'asking' ? 'muted' : 'unknown'};
    const said = readySaid(ready.value);
    return said === null ? none : aged(said.text, said.meaning, ageOf(ready.at, at), STALE.ready);
  },
};

const ROOM: Field = {
  title: 'room',
  width: 7,
  right: true,
  of: ({headroom: {value, why}}, {at}) => {
    if (value === null) return why === null || why === 'asking' ? none : {text: '?', meaning: 'unknown'};
    const {text, meaning} = roomSaid(value.left, value.unread);
    return aged(text, meaning, ageOf(value.at, at), STALE.headroom);
  },
};

/** How each column of a screen is. */
export type RegionLayout = {readonly name: number; readonly fields: readonly Field[]; readonly why: number};

/** The mark of the chosen row, the sign, the verdict with a blank. */
const SIGNED = 3;
const VERDICT = 11;
/** Narrower ones say nothing. */
const LEAST_ROLES = 12;
const [LEAST_SPARK, MOST_SPARK] = [12, 30];
const LEAST_WHY = 26;
const MARKS_TITLE = '  P/s';
/** Signs of more stores than that are not told apart. */
const MOST_MARKS = 6;

/** Gives columns their width, the most important first: name and verdict, since, traffic, signs of stores, lag, loss, ready, age, room, names of stores, breaker, history, why. */
export function regionLayout(view: DashboardView, columns: number): RegionLayout {
  const longest = Math.max(6, ...view.regions.map(({region}) => textWidth(region)));
  const name = Math.min(longest, Math.max(10, Math.floor(columns * 0.25)));
  let left = columns - SIGNED - name - 1 - VERDICT;
  const take = (width: number): number => {
    const taken = width <= left ? width : 0;
    left -= taken;
    return taken;
  };
  const shown = new Set(wantedFields(view).filter(({width}) => take(width) > 0));
  const marks = [...shown].find(({title}) => title === MARKS_TITLE);
  const wanted = Math.max(0, ...view.regions.map(({roles}) => textWidth(rolesText(roles)))) + 2;
  const isWide = shown.has(LOSS) && take(WIDE_LOSS - LOSS_WIDTH) > 0;
  // With their names where there is room.
  const room = left + (marks?.width ?? 0);
  if (marks !== undefined && room >= LEAST_ROLES && wanted > 2) left = room;
  const roles = left === room && room >= LEAST_ROLES && wanted > 2 ? take(Math.min(wanted, left)) : 0;
  const isOpen = shown.has(LAG) && view.links.some(({breaker: {state}}) => state !== 'closed');
  const breaker = isOpen ? take(BREAKER.width) : 0;
  const spark = shown.has(LAG) && left >= LEAST_SPARK + 2 ? take(Math.min(MOST_SPARK + 2, left)) : 0;
  const optional = (field: Field, width: number): readonly Field[] => (width > 0 ? [field] : []);
  const fields = [
    ...[SINCE, TRAFFIC].filter((field) => shown.has(field)),
    ...(roles > 0 ? [rolesField(roles, true)] : marks === undefined ? [] : [marks]),
    ...[LAG].filter((field) => shown.has(field)),
    ...optional(BREAKER, breaker),
    ...optional(sparkField(spark - 2), spark),
    ...[LOSS, READY, ROOM, AGE]
      .filter((field) => shown.has(field))
      .map((field) => (field === LOSS && isWide ? lossField(WIDE_LOSS) : field)),
  ];
  return {name, fields, why: left >= LEAST_WHY ? left : 0};
}

/** The columns of fixed width that this fleet has something to say in, the most important first. */
function wantedFields({regions, links}: DashboardView): readonly Field[] {
  const stores = Math.max(0, ...regions.map(({roles}) => roles.length));
  const hasRoom = regions.some(({headroom: {value, why}}) => value !== null || why !== null);
  return [
    SINCE,
    ...(regions.some(({traffic}) => traffic.length > 0) ? [TRAFFIC] : []),
    ...(stores > 0 ? [rolesField(2 + Math.min(MOST_MARKS, Math.max(3, stores)), false)] : []),
    ...(links.length > 0 ? [LAG] : []),
    ...(regions.some(({roles}) => roles.length > 0) ? [LOSS, READY] : []),
    AGE,
    ...(hasRoom ? [ROOM] : []),
  ];
}

/** The titles of the columns. */
export function regionTitles({name, fields, why}: RegionLayout): string {
  const cells = fields.map(({title, width, right}) => (right === true ? title.padStart(width) : padRight(title, width)));
  return `   ${padRight('region', name)} ${padRight('verdict', VERDICT)}${cells.join('')}${why === 0 ? '' : '  why'}`;
}

/** One region. */
export function regionLine(region: DashboardRegion, view: DashboardView, {name, fields, why}: RegionLayout): Line {
  const {symbol, text: verdict, meaning} = verdictSaid(region.verdict);
  const cells = fields.map((field): Part => {
    const part = field.of(region, view, field.width);
    const text = cut(part.text, field.width);
    const blanks = ' '.repeat(Math.max(0, field.width - textWidth(text)));
    return {text: field.right === true ? `${blanks}${text}` : `${text}${blanks}`, meaning: part.meaning};
  });
  const reason = why === 0 || region.verdict === null || region.verdict === 'healthy' ? '' : `  ${cut(region.reason, why - 2)}`;
  return [
    {text: `${symbol} `, meaning},
    {text: `${padRight(cut(region.region, name), name)} `, meaning: 'strong'},
    {text: padRight(verdict, VERDICT), meaning},
    ...cells,
    {text: reason, meaning: 'muted'},
  ];
}

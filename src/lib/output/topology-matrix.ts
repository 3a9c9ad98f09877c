import type {StoreTopology, TopologyLink, TopologyMember} from '../replication/topology-model.ts';
import type {Paint} from './paint.ts';
import {LINK_MEANING} from './signs.ts';
import {type Cell, type Column, table} from './table.ts';
import {textWidth} from './text-width.ts';
import {behindOf, furtherLinks, placeOf, roleCell} from './topology-cells.ts';
import {NOT_MEASURED} from './units.ts';
import {indented} from './verdict-cell.ts';

/** A sign for each state that needs no colour, the worst first. */
const SIGNS: Readonly<Record<TopologyLink['state'], string>> = {
  broken: 'x',
  unknown: '?',
  stalled: '!',
  'catching-up': '~',
  streaming: '+',
  idle: '=',
};
const WORST_FIRST = Object.keys(SIGNS) as readonly TopologyLink['state'][];
const LEGEND = `+ streaming, = idle, ~ catching up, ! stalled, x broken, ? unknown, ${NOT_MEASURED} no link`;
/** With more members than this the links that need an eye are easier found in a list. */
const LARGEST = 12;

/** A mesh: a row for each member that sends, a column for each that receives; of a large one its members, and the links that are not well. */
export function meshLines(store: StoreTopology, columns: number, paint: Paint): readonly string[] {
  return store.members.length > LARGEST ? listLines(store, columns, paint) : matrixLines(store, columns, paint);
}

type Drawing = {readonly titles: readonly Column[]; readonly rows: readonly Cell[][]};

/** The richest of three drawings that fits: names and lag, names, numbers. */
function matrixLines(store: StoreTopology, columns: number, paint: Paint): readonly string[] {
  const names = store.members.map(({member}) => member);
  const numbers = names.map((_, index) => String(index + 1));
  const drawings = [matrix(store, {heads: names, lag: true, paint}), matrix(store, {heads: names, lag: false, paint})];
  const fitting =
    drawings.find((drawing) => widthOf(drawing) <= columns) ?? matrix(store, {heads: numbers, lag: false, paint, numbered: true});
  const [titles = '', ...lines] = table(fitting.titles, fitting.rows, columns);
  const legend = indented(`rows send, columns receive: ${LEGEND}`, columns).map((line) => paint.muted(line));
  return [paint.muted(titles), ...lines, ...legend];
}

type Look = {readonly heads: readonly string[]; readonly lag: boolean; readonly paint: Paint; readonly numbered?: true};

function matrix({members, links}: StoreTopology, {heads, lag, paint, numbered}: Look): Drawing {
  const own: readonly Column[] = numbered ? [{title: '', align: 'right', shrink: false}] : [];
  return {
    titles: [
      ...own,
      {title: 'from'},
      {title: 'place'},
      {title: 'role', shrink: false},
      ...heads.map((title): Column => ({title, shrink: false})),
    ],
    rows: members.map((from, index) => [
      ...(numbered ? [String(index + 1)] : []),
      from.member,
      placeOf(from),
      roleCell(from, paint),
      ...members.map((to) => (to === from ? '' : linkCell(between(from, to, links), lag, paint))),
    ]),
  };
}

function between(from: TopologyMember, to: TopologyMember, links: readonly TopologyLink[]): readonly TopologyLink[] {
  return links.filter((link) => link.from === from.member && link.to === to.member);
}

/** Of several links from one member to another, the worst. */
function linkCell(links: readonly TopologyLink[], lag: boolean, paint: Paint): Cell {
  const [worst] = links.toSorted((a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state));
  if (worst === undefined) return {text: NOT_MEASURED, paint: paint.muted};
  const behind = lag && worst.live ? ` ${behindOf(worst)}` : '';
  return {text: `${SIGNS[worst.state]}${behind}`, paint: paint[LINK_MEANING[worst.state]]};
}

/** What `table` would take if nothing had to give way. */
function widthOf({titles, rows}: Drawing): number {
  const lengthOf = (cell: Cell | undefined): number => textWidth(typeof cell === 'object' ? cell.text : (cell ?? ''));
  const widths = titles.map(({title = ''}, index) => Math.max(textWidth(title), ...rows.map((row) => lengthOf(row[index]))));
  return widths.reduce((sum, each) => sum + each + 2, -2);
}

function listLines({members, links}: StoreTopology, columns: number, paint: Paint): readonly string[] {
  const right = {align: 'right', shrink: false} as const;
  const titles: readonly Column[] = [
    {title: 'member'},
    {title: 'place'},
    {title: 'role', shrink: false},
    {title: 'links', ...right},
    {title: 'live', ...right},
  ];
  const rows = members.map((each): Cell[] => [
    each.member,
    placeOf(each),
    roleCell(each, paint),
    String(each.links),
    String(each.liveLinks),
  ]);
  const [head = '', ...lines] = table(titles, rows, columns);
  const unwell = links.filter(({state}) => LINK_MEANING[state] !== 'good');
  const good = indented(`${links.length - unwell.length} of ${links.length} links are well.`, columns);
  return [paint.muted(head), ...lines, ...good, ...furtherLinks(unwell, columns, paint)];
}

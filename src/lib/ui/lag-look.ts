import {isOldReading} from '../operate/lag-verdict.ts';
import type {LagWatchView, LinkNow} from '../operate/lag-watch.ts';
import {drainSays, heldSays} from '../output/drain-lines.ts';
import {linkName, unreadSays} from '../output/lag-text.ts';
import {cut, wrap} from '../output/table.ts';
import {formatMs} from '../output/units.ts';
import {isGood, layoutOf, lineOf, titlesOf} from './lag-columns.ts';
import {lagDetail} from './lag-detail.ts';
import {type LagSort, LINKS, worstState} from './lag-list.ts';
import type {Line, Part, Space} from './line-view.tsx';
import {listKeys} from './list-keys.ts';
import type {ListLook} from './list-view.tsx';
import {breakerMeaning, linkSign, type Meaning} from './meaning.ts';

/** `staleMs`: a reading that is older is dimmed. `windowMs`: how far back percentiles go. */
export type LagLookOptions = {readonly staleMs: number; readonly windowMs: number};

/** Every key of the live view of links. */
export const LAG_KEYS = listKeys({
  row: 'link',
  holds: 'store, link, state, breaker, reason',
  orders: 'as in the file, or worst, furthest behind, oldest first',
  goesOn: 'reading',
});

/** The live view of links: one row for each, above them the stores that cannot be read, below them what is wrong. */
export function lagLook({staleMs, windowMs}: LagLookOptions): ListLook<LagWatchView, LinkNow, LagSort> {
  return {
    list: LINKS,
    keys: LAG_KEYS,
    title: (view) => titleOf(view, {staleMs, windowMs}),
    head: (view, space) => {
      const unread = unreadLines(view, space);
      return [...unread, ...drainLines(view, {...space, most: space.most - unread.length})];
    },
    foot: reasonLines,
    table: (rows, view, columns) => {
      const layout = layoutOf(rows, columns);
      return {titles: titlesOf(layout), line: (row) => lineOf(row, view, layout, staleMs)};
    },
    detail: (row, view, columns) => lagDetail(row, view, {columns, windowMs}),
    empty: ({waiting, unread}) => (waiting.length > 0 ? 'asking' : unread.length > 0 ? 'no link is known' : 'no replication link'),
  };
}

function titleOf(view: LagWatchView, {staleMs, windowMs}: LagLookOptions): {name: string; stands: Part; figures: Part} {
  const {fleet, links, unread, waiting} = view;
  const isAsking = links.length + unread.length === 0 && waiting.length > 0;
  const old = links.filter((link) => isOldReading(link, view.at, staleMs)).length;
  const open = links.filter(({breaker}) => breaker.state === 'open').length;
  // What cannot be read, or was not for long, may be in any state by now.
  const worst = worstState(links);
  const state = unread.length + old > 0 && worst !== 'broken' ? 'unknown' : worst;
  const {symbol, meaning} = linkSign(state);
  const more = [...(open === 0 ? [] : [`${counted(open, 'breaker')} open`]), ...(old === 0 ? [] : [`${counted(old, 'reading')} old`])];
  return {
    name: fleet,
    stands: isAsking ? {text: 'asking', meaning: 'muted'} : {text: `${symbol} ${state}`, meaning},
    figures: {
      text: [counted(links.length, 'link'), ...more, `percentiles of ${formatMs(windowMs)}`].join(', '),
      meaning: open > 0 ? breakerMeaning('open') : old > 0 ? 'warning' : 'muted',
    },
  };
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

function unreadLines({unread}: LagWatchView, {most, columns}: Space): readonly Line[] {
  const shown = unread.slice(0, unread.length <= most ? most : most - 1);
  const hidden = unread.length - shown.length;
  return [
    ...shown.map(
      ({store, reason}): Line => [
        {text: '? ', meaning: 'unknown'},
        {text: cut(unreadSays(store, reason), columns - 2), meaning: 'plain'},
      ],
    ),
    ...(hidden === 0
      ? []
      : [
          [
            {
              text: cut(`? ${counted(hidden, shown.length === 0 ? 'store' : 'more store')} could not be read`, columns),
              meaning: 'unknown',
            } as const,
          ],
        ]),
  ];
}

/** What is held off routes, and what could not be. */
function drainLines({drains}: LagWatchView, {most, columns}: Space): readonly Line[] {
  if (drains === undefined) return [];
  const all: readonly (readonly [string, Meaning])[] = [
    ...(drains.trouble === null ? [] : [[`✗ not drained: ${drains.trouble}`, 'critical'] as const]),
    ...drains.held.map((row) => [`⊘ ${heldSays(row)}`, 'warning'] as const),
    ...drains.stays.map((event) => [`! ${event.route}: ${drainSays(event)}`, 'warning'] as const),
  ];
  const shown = all.length <= most ? all : all.slice(0, Math.max(0, most - 1));
  const hidden = all.length - shown.length;
  return [
    ...shown.map(([text, meaning]): Line => [{text: cut(text, columns), meaning}]),
    ...(hidden === 0 || most < 1 ? [] : [[{text: cut(`⊘ ${hidden} more of what is held off`, columns), meaning: 'warning'}] as Line]),
  ];
}

/** Why links are not well, the chosen one first, unless their rows have room for all of it. */
function reasonLines(_: LagWatchView, rows: readonly LinkNow[], chosen: LinkNow | undefined, {most, columns}: Space): readonly Line[] {
  const first = chosen === undefined ? rows : [chosen, ...rows.filter((each) => each !== chosen)];
  const {why} = layoutOf(rows, columns);
  const isTold = ({row}: LinkNow) => isGood(row.state) || [...row.reason].length <= why - 2;
  const bad = first.filter((link) => !isTold(link) || link.breaker.state !== 'closed');
  const lines: Line[] = [];
  for (const [index, link] of bad.entries()) {
    const more = reasonOf(link, columns);
    const isLast = index === bad.length - 1;
    if (lines.length > 0 && lines.length + more.length > most - (isLast ? 0 : 1)) {
      const left = bad.length - index;
      return [...lines.slice(0, most - 1), [{text: cut(`  and ${left} more: Enter tells about one`, columns), meaning: 'muted'}]];
    }
    lines.push(...more.slice(0, most));
  }
  return lines;
}

function reasonOf(link: LinkNow, columns: number): readonly Line[] {
  const {row, breaker} = link;
  const {symbol, meaning} = linkSign(row.state);
  const limit = breaker.state === 'closed' ? '' : ` Breaker ${breaker.reason}.`;
  const [first = '', ...others] = wrap(`${linkName(row)}: ${row.reason}${limit}`, Math.max(1, columns - 2));
  return [
    [
      {text: `${symbol} `, meaning},
      {text: first, meaning: 'plain'},
    ],
    ...others.map((text): Line => [{text: `  ${text}`, meaning: 'plain'}]),
  ];
}

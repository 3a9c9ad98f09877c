import type {TopologyLink, TopologyMember} from '../replication/topology-model.ts';
import type {Paint} from './paint.ts';
import {LINK_MEANING} from './signs.ts';
import {type Cell, table} from './table.ts';
import {formatBytes, formatMs} from './units.ts';
import {indented} from './verdict-cell.ts';

/** Region and site; the region alone where there is none. */
export function placeOf({region, site}: TopologyMember): string {
  return site === null ? region : `${region}/${site}`;
}

/** The role as a cell: who takes writes stands out, and so does what is not known. */
export function roleCell({role}: TopologyMember, paint: Paint): Cell {
  return role === 'unknown' ? {text: role, paint: paint.unknown} : role === 'primary' ? {text: role, paint: paint.strong} : role;
}

/** How far behind, in one figure: the time, else the bytes. */
export function behindOf({seconds, replayBytes}: Pick<TopologyLink, 'seconds' | 'replayBytes'>): string {
  return seconds !== null ? formatMs(seconds * 1000) : formatBytes(replayBytes);
}

/** A link's state, how far behind it is and how old that is. `up`: it leads from the member that it is shown with, and not to it. */
export function linkCells(link: TopologyLink | null, up: boolean, paint: Paint): Cell[] {
  if (link === null) return ['', '', ''];
  const name = link.link === null ? '' : ` (${link.link})`;
  return [{text: `${up ? '← ' : ''}${link.state}${name}`, paint: paint[LINK_MEANING[link.state]]}, behindOf(link), formatMs(link.ageMs)];
}

/** Links that a drawing has no place for, a line each. */
export function furtherLinks(links: readonly TopologyLink[], columns: number, paint: Paint): readonly string[] {
  if (links.length === 0) return [];
  const rows = links.map((link): Cell[] => [`${link.from} → ${link.to}`, ...linkCells(link, false, paint)]);
  const right = {align: 'right', shrink: false} as const;
  const lines = table([{}, {}, right, right], rows, Math.max(1, columns - 2));
  return [...indented('further links:', columns), ...lines.map((line) => `  ${line}`)];
}

import type {DashboardEvent} from '../operate/dashboard-view.ts';
import {cut} from '../output/table.ts';
import {formatTime} from '../output/units.ts';
import type {Line} from './line-view.tsx';

/** One event: when, and what. */
export function eventLine({at, text, bad}: DashboardEvent, columns: number): Line {
  const time = formatTime(at).slice(11, 19);
  return [
    {text: `${time}  `, meaning: 'muted'},
    {text: cut(text, Math.max(0, columns - time.length - 2)), meaning: bad ? 'warning' : 'plain'},
  ];
}

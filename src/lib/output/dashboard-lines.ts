import type {DashboardEvent, DashboardView} from '../operate/dashboard-view.ts';
import {oneLine} from './table.ts';
import {formatTime} from './units.ts';

/** How each region stands that was judged: its name, and its line. */
export function regionLines({fleet, at, regions}: DashboardView, format: 'text' | 'ndjson'): readonly (readonly [string, string])[] {
  return regions.flatMap(({region, verdict, since, reason}) => {
    if (verdict === null) return [];
    const sinceAt = since === null ? null : new Date(since).toISOString();
    const event = {type: 'region', fleet, at: new Date(at).toISOString(), region, verdict, since: sinceAt, reason};
    const line = format === 'ndjson' ? JSON.stringify(event) : oneLine(`${formatTime(at)}  ${region} ${verdict}: ${reason}`);
    return [[region, line] as const];
  });
}

/** One event as a line. */
export function dashboardLine(fleet: string, {at, kind, text, bad}: DashboardEvent, format: 'text' | 'ndjson'): string {
  const time = new Date(at).toISOString();
  return format === 'ndjson' ? JSON.stringify({type: 'change', fleet, at: time, kind, bad, text}) : oneLine(`${formatTime(at)}  ${text}`);
}

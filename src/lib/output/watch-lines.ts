import type {MonitorView, SeenChange} from '../health/monitor.ts';
import {oneLine, table} from './table.ts';
import {formatAge, formatTime} from './units.ts';
import {indented, joined, type TextOptions, verdictCell} from './verdict-cell.ts';

/** One change of a region as a line: a sentence, or JSON with `type` change. */
export function changeLine(change: SeenChange, format: 'text' | 'ndjson'): string {
  if (format === 'ndjson') return JSON.stringify({type: 'change', ...change});
  const {at, region, from, to, reason} = change;
  return oneLine(`${formatTime(at)}  ${region}  ${from === null ? '' : `${from} → `}${to}: ${reason}`);
}

/** How each region that was judged stands: its name, and the line that says it (JSON with `type` region). */
export function firstLines({fleet, at, regions}: MonitorView, format: 'text' | 'ndjson'): readonly (readonly [string, string])[] {
  return regions.flatMap((now) => {
    if (now.verdict === null) return [];
    const {region, verdict, code, reason, since, flappingSince, agree, asked, endpoints} = now;
    const when = new Date(at).toISOString();
    const line =
      format === 'ndjson'
        ? JSON.stringify({
            ...{type: 'region', fleet, at: when, region, verdict, code, reason, since: new Date(since).toISOString()},
            ...{
              flappingSince: flappingSince === null ? null : new Date(flappingSince).toISOString(),
              agree,
              asked,
              endpoints: endpoints.length,
            },
          })
        : changeLine({at: when, region, from: null, to: verdict, code, reason}, format);
    return [[region, line] as const];
  });
}

/** How each region stood when the watch ended: what is left on the terminal. */
export function watchSummary({regions}: MonitorView, options: TextOptions): string {
  const {columns, paint, now} = options;
  const lines = regions.flatMap((region) => {
    if (region.verdict === null) return [`${region.region}  not asked yet`];
    const head = [{text: region.region, paint: paint.strong}, verdictCell(region.verdict, paint), `since ${formatAge(region.since, now)}`];
    const line = table([{}, {shrink: false}, {}], [head], columns);
    return region.verdict === 'healthy' ? line : [...line, ...indented(region.reason, columns)];
  });
  return joined(lines);
}

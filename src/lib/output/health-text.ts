import type {HealthDocument, HealthEndpoint, HealthRegion} from '../health/document.ts';
import {type Cell, type Column, table} from './table.ts';
import {formatAge, formatMs, formatTime} from './units.ts';
import {indented, joined, type TextOptions, verdictCell} from './verdict-cell.ts';

const COLUMNS: readonly Column[] = [
  {title: 'endpoint', shrink: false},
  {title: 'probe', shrink: false},
  {title: 'verdict', shrink: false},
  {title: 'latency', align: 'right', shrink: false},
  {title: 'age', align: 'right', shrink: false},
  {title: 'detail'},
];

/** `health check` for people: the fleet's verdict, then each region with its reason and its endpoints. */
export function healthText(document: HealthDocument, options: TextOptions): string {
  const {columns, paint} = options;
  const rows = document.regions.flatMap(({endpoints}) => endpoints.map((endpoint) => endpointRow(endpoint, options)));
  const [titles = '', ...lines] = table(COLUMNS, rows, columns - 2);
  const head: Cell[] = [{text: document.fleet, paint: paint.strong}, verdictCell(document.verdict, paint), formatTime(document.at)];
  const parts = [...table([{}, {shrink: false}, {}], [head], columns)];
  // Otherwise the regions give the same reason in their own place.
  if (document.code === 'cut-off' || document.regions.length === 0) parts.push(...indented(document.reason, columns));
  if (rows.length > 0) parts.push('', `  ${paint.muted(titles)}`);
  let used = 0;
  for (const region of document.regions) {
    parts.push(...regionHead(region, options));
    for (const line of lines.slice(used, used + region.endpoints.length)) parts.push(`  ${line}`);
    used += region.endpoints.length;
  }
  parts.push(...document.notes.flatMap((note) => indented(`- ${note}`, columns, 0)));
  return joined(parts);
}

/** A healthy region needs no reason. */
function regionHead({region, verdict, since, reason}: HealthRegion, {columns, paint, now}: TextOptions): string[] {
  const age = `since ${formatTime(since)}, ${formatAge(Date.parse(since), now)}`;
  const head: Cell[] = [{text: region, paint: paint.strong}, verdictCell(verdict, paint), {text: age, paint: paint.muted}];
  const line = table([{}, {shrink: false}, {}], [head], columns);
  return verdict === 'healthy' ? [...line] : [...line, ...indented(reason, columns)];
}

function endpointRow({endpoint, probe, verdict, latencyMs, ageMs, detail}: HealthEndpoint, {paint}: TextOptions): Cell[] {
  return [endpoint, probe, verdictCell(verdict, paint), formatMs(latencyMs), formatMs(ageMs), {text: detail, paint: paint.muted}];
}

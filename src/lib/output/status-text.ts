import type {StatusDocument, StatusLink, StatusRegion, StatusRole} from '../observe/status-document.ts';
import {type Cell, type Column, table} from './table.ts';
import {formatAge, formatBytes, formatMs, formatTime, NOT_MEASURED} from './units.ts';
import {indented, joined, listItem, type TextOptions, verdictCell} from './verdict-cell.ts';

/** Which stores and routes have a column. */
type Shown = {readonly stores: readonly string[]; readonly routes: readonly string[]};

const BAD: ReadonlySet<string> = new Set(['broken', 'stalled', 'unknown']);
/** Below this width the lag is given in bytes alone. */
const WIDE = 100;

/** `status` for people: one line per region, then why anything is not healthy, the run that is going on, and what needs an eye. */
export function statusText(document: StatusDocument, options: TextOptions): string {
  const {columns, paint, now} = options;
  const {regions, activeRun, notes} = document;
  const routes = [...new Set(regions.flatMap(({weightByRoute}) => Object.keys(weightByRoute)))];
  const stores = [...new Set(regions.flatMap(({roles}) => roles.map(({store}) => store)))];
  const shown = {stores, routes};
  const taken =
    document.cached === true
      ? `${formatTime(document.at)}, ${formatAge(Date.parse(document.at), now)}: nobody was asked since`
      : formatTime(document.at);
  const head: Cell[] = [{text: document.fleet, paint: paint.strong}, verdictCell(document.verdict, paint), taken];
  const rows = regions.map((region) => regionRow(region, shown, options));
  const [titles = '', ...lines] = table(columnsFor(stores, routes), rows, columns);
  const parts = [...table([{}, {shrink: false}, {}], [head], columns), '', paint.muted(titles), ...lines];
  const reasons = regions.filter(({verdict}) => verdict !== 'healthy');
  if (reasons.length > 0) parts.push('', ...reasons.flatMap(({region, reason}) => indented(`${region}: ${reason}`, columns)));
  if (activeRun !== null) {
    const {kind, runId, outcome, from, to, startedAt} = activeRun;
    const way = [from, to].filter((place) => place !== null).join(' → ');
    parts.push(
      '',
      ...indented(`${kind} ${way} ${outcome}: ${runId}, started ${formatAge(Date.parse(startedAt), now)}`, columns, 0).map((line) =>
        paint.strong(line),
      ),
    );
  }
  if (notes.length > 0) parts.push('', ...notes.flatMap((note) => listItem(note, columns)));
  return joined(parts);
}

function columnsFor(stores: readonly string[], routes: readonly string[]): readonly Column[] {
  return [
    {title: 'region', shrink: false},
    {title: 'law', shrink: false},
    {title: 'verdict', shrink: false},
    {title: 'for', align: 'right', shrink: false},
    ...stores.map((store): Column => ({title: store})),
    ...routes.map((route): Column => ({title: `${route} %`, align: 'right'})),
    {title: 'worst lag'},
  ];
}

function regionRow(region: StatusRegion, {stores, routes}: Shown, {paint, now, columns}: TextOptions): Cell[] {
  const {verdict, since, jurisdiction, roles, weightByRoute, lagWorst} = region;
  return [
    {text: region.region, paint: paint.strong},
    jurisdiction,
    verdictCell(verdict, paint),
    formatMs(Math.max(0, now - Date.parse(since))),
    ...stores.map((store) => rolesOf(store, roles)),
    ...routes.map((route) => String(weightByRoute[route] ?? NOT_MEASURED)),
    lagWorst === null ? NOT_MEASURED : lagWords(lagWorst, columns >= WIDE),
  ];
}

function rolesOf(store: string, roles: readonly StatusRole[]): string {
  const own = roles.filter((role) => role.store === store);
  return own.length === 0 ? NOT_MEASURED : own.map(roleWords).join(', ');
}

/** A primary that refuses writes, or anything else that takes them, is worth a word. */
function roleWords({role, writable}: StatusRole): string {
  const expected = role === 'primary' || role === 'peer';
  if (writable === null || writable === expected) return role;
  return `${role} (${writable ? 'writable' : 'read-only'})`;
}

/** Never a figure without the age of its sample. */
function lagWords({state, breaker, replayBytes, seconds, ageMs, messages}: StatusLink, wide: boolean): string {
  const depth = messages?.depth ?? null;
  // Little that is missing says nothing of a link that is cut, or too late to be relied on.
  const limit = breaker === undefined || breaker.state === 'closed' ? [] : [`breaker ${breaker.state}`];
  const bad = [...(BAD.has(state) ? [state] : []), ...limit];
  if (replayBytes === null && depth === null && seconds === null) return [state, ...limit].join(', ');
  const time = seconds === null ? [] : [formatMs(seconds * 1000)];
  const size = replayBytes === null ? (depth === null ? [] : [`${depth} waiting`]) : [formatBytes(replayBytes)];
  const figures = [...bad, ...(wide || size.length === 0 ? [...size, ...time] : size)];
  return [...figures, ageMs === null ? 'age unknown' : `${formatMs(ageMs)} old`].join(', ');
}

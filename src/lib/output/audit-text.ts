import type {Meaning, Paint} from './paint.ts';
import {type Cell, table} from './table.ts';
import {formatBytes, formatMs, formatTime, NOT_MEASURED} from './units.ts';
import {indented, joined, type TextOptions} from './verdict-cell.ts';

type Verdict = 'equal' | 'diverged' | 'truncated' | 'unknown';

/** What this text needs of a table in the `consistency audit` document. */
export type AuditTableRow = {
  readonly table: string;
  readonly verdict: Verdict;
  readonly rows: number;
  readonly covered: number;
  readonly accuracy: number | null;
  readonly divergent: readonly AuditKeyRow[];
  readonly late: number;
  readonly unsettled: number;
  readonly unexamined: number;
  readonly bytesMoved: number;
  readonly elapsedMs: number;
  readonly snapshots: Readonly<Record<string, number>>;
  readonly hashed: {readonly chunks: number; readonly of: number} | null;
  readonly reason: string | null;
};

/** A key that is not the same everywhere. */
export type AuditKeyRow = {
  readonly key: string;
  readonly class: string;
  readonly regions: readonly string[];
  readonly why: string;
  readonly differs: readonly string[];
  readonly suspects: readonly string[];
};

/** The `consistency audit` document. */
export type AuditView = {
  readonly audit: string;
  readonly store: string;
  readonly engine: string;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly mode: 'full' | 'quick';
  readonly full: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly resumed: boolean;
  readonly coverage: {
    readonly share: number;
    readonly regions: readonly string[];
    readonly lost: readonly {readonly region: string; readonly reason: string}[];
    readonly skipped: readonly {readonly table: string; readonly reason: string}[];
  };
  readonly accuracy: number | null;
  readonly asOf: Readonly<Record<string, string>>;
  readonly tables: readonly AuditTableRow[];
};

const MEANINGS: Readonly<Record<Verdict, Meaning>> = {equal: 'good', diverged: 'warning', truncated: 'critical', unknown: 'unknown'};

/** Keys that are shown for each table: a terminal is no place for thousands. */
const SHOWN = 20;

/** `consistency audit` for people: the verdict and what it is worth, each table, and the first keys that differ with the reason. */
export function auditText(document: AuditView, options: TextOptions): string {
  const {columns, paint} = options;
  const {store, verdict, reason, endedAt, startedAt, coverage} = document;
  const tookMs = Date.parse(endedAt) - Date.parse(startedAt);
  return joined([
    `consistency audit of ${store} at ${formatTime(startedAt)}: ${paint[MEANINGS[verdict]](verdict)}`,
    ...indented(reason, columns),
    ...(document.tables.length === 0 ? [] : ['', ...tableLines(document, columns, paint)]),
    ...document.tables.flatMap((each) => keyLines(each, options)),
    '',
    ...indented(`covered: ${percent(coverage.share)} of the rows in ${coverage.regions.join(', ')}; ${worthSays(document)}`, columns, 0),
    ...coverage.lost.flatMap(({region, reason: why}) =>
      indented(`${region} could not be read to the end: ${why}`, columns).map(paint.unknown),
    ),
    ...coverage.skipped.flatMap(({table: name, reason: why}) => indented(`not compared: ${name}, ${why}`, columns)),
    ...positionLines(document, columns),
    ...indented(`audit ${document.audit}${document.resumed ? ', resumed' : ''}, ${formatMs(tookMs)}`, columns, 0).map(paint.muted),
  ]);
}

function worthSays({mode, full, accuracy}: AuditView): string {
  const equal = accuracy === null ? 'no row was compared' : `${percent(accuracy)} of them are the same`;
  const quick = `only what was written since the last audit was read, which goes back to a full one of ${formatTime(full)}; damage below the transactions is not seen`;
  return mode === 'full' ? `${equal}; every row was read` : `${equal}; ${quick}`;
}

function tableLines({tables, mode}: AuditView, columns: number, paint: Paint): readonly string[] {
  const right = {align: 'right', shrink: false} as const;
  const hashed = mode === 'quick' ? [{title: 'hashed', ...right}] : [];
  const [titles = '', ...lines] = table(
    [
      {title: 'table'},
      {title: 'verdict', shrink: false},
      ...['rows', 'equal', 'differ', 'late'].map((title) => ({title, ...right})),
      ...hashed,
      ...['moved', 'time'].map((title) => ({title, ...right})),
    ],
    tables.map((row): Cell[] => [
      row.table,
      {text: row.verdict, paint: paint[MEANINGS[row.verdict]]},
      grouped(row.rows),
      row.accuracy === null ? NOT_MEASURED : percent(row.accuracy),
      `${row.verdict === 'truncated' ? '>' : ''}${grouped(row.divergent.length)}`,
      grouped(row.late),
      ...(mode === 'quick' ? [row.hashed === null ? 'all' : percent(row.hashed.chunks / Math.max(1, row.hashed.of))] : []),
      formatBytes(row.bytesMoved),
      formatMs(row.elapsedMs),
    ]),
    columns,
  );
  return [paint.muted(titles), ...lines];
}

function keyLines(row: AuditTableRow, {columns, paint}: TextOptions): readonly string[] {
  const {divergent, unexamined, unsettled, reason, covered} = row;
  const remarks = [
    ...(reason === null ? [] : [`${reason}${covered < 1 ? ` ${percent(covered)} of it was compared in every region.` : ''}`]),
    ...(row.verdict === 'truncated'
      ? [`The list is full: ${grouped(unexamined)} more rows lie in parts that differ and were not looked into.`]
      : []),
    ...(unsettled > 0 && reason === null ? [`${grouped(unsettled)} rows changed at every look.`] : []),
  ];
  if (divergent.length + remarks.length === 0) return [];
  const shown = divergent.slice(0, SHOWN);
  const more = divergent.length - shown.length;
  return [
    '',
    paint.strong(row.table),
    ...remarks.flatMap((text) => indented(text, columns).map(paint.warning)),
    ...shown.flatMap((key) => indented(keySays(key), columns)),
    ...(more > 0 ? indented(`… and ${grouped(more)} more; --json has all of them`, columns).map(paint.muted) : []),
  ];
}

function keySays({key, class: kind, regions, why, differs, suspects}: AuditKeyRow): string {
  const where = regions.length === 0 ? '' : ` in ${regions.join(', ')}`;
  const columns = differs.length === 0 ? '' : `; differs: ${differs.slice(0, 8).join(', ')}${differs.length > 8 ? ', …' : ''}`;
  const suspected = suspects.length === 0 ? '' : `; suspect: ${suspects.join(', ')}`;
  return `${key}  ${kind}${where}: ${why.replace(/\.$/, '')}${columns}${suspected}`;
}

function positionLines({asOf, engine}: AuditView, columns: number): readonly string[] {
  const places = Object.entries(asOf).map(([region, at]) => `${region} ${positionText(engine, at)}`);
  return places.length === 0 ? [] : indented(`as of ${places.join(', ')}`, columns, 0);
}

/** As the engine's own tools print it. */
function positionText(engine: string, at: string): string {
  if (!['postgres', 'patroni'].includes(engine)) return at;
  const lsn = BigInt(at);
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;
}

/** A share as people read it, never rounded up to the whole: 99.9999 % is not 100 %. */
export function percent(share: number): string {
  if (share >= 1) return '100 %';
  const digits = share > 0.999 ? 4 : share > 0.99 ? 2 : 1;
  const scale = 10 ** digits;
  return `${Math.min(Math.floor(share * 100 * scale) / scale, 100 - 1 / scale).toFixed(digits)} %`;
}

/** A count with its thousands told apart. */
export const grouped = (count: number): string => count.toLocaleString('en-US');

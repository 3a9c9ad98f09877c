import type {VantageView} from '../health/document.ts';
import type {MatrixDocument, MatrixRow} from '../health/matrix.ts';
import {type Cell, type Column, table} from './table.ts';
import {formatMs, formatTime, NOT_MEASURED} from './units.ts';
import {indented, joined, type TextOptions, verdictCell} from './verdict-cell.ts';

/** `health matrix` for people: a row for each endpoint, a column for each vantage point. */
export function matrixText(document: MatrixDocument, options: TextOptions): string {
  const {columns, paint} = options;
  const head: Cell[] = [{text: document.fleet, paint: paint.strong}, verdictCell(document.verdict, paint), formatTime(document.at)];
  const titles: Column[] = [
    {title: 'endpoint', shrink: false},
    {title: 'verdict', shrink: false},
    ...document.vantages.map(({vantage, region}): Column => ({title: region === null ? vantage : `${vantage} (${region})`})),
  ];
  const rows = document.endpoints.map((row) => rowOf(row, document, options));
  const [title = '', ...lines] = table(titles, rows, columns);
  const known = `${document.vantages.length} vantage point${document.vantages.length === 1 ? ' (this machine): name others in the fleet file under vantages' : 's'}`;
  return joined([
    ...table([{}, {shrink: false}, {}], [head], columns),
    '',
    paint.muted(title),
    ...lines,
    '',
    ...indented(`${known}; – = does not look at it`, columns, 0).map(paint.muted),
    ...document.notes.flatMap((note) => indented(`- ${note}`, columns, 0)),
  ]);
}

function rowOf({region, endpoint, verdict, views}: MatrixRow, {vantages}: MatrixDocument, {paint}: TextOptions): Cell[] {
  const cells = vantages.map(({vantage}) =>
    viewCell(
      views.find((view) => view.vantage === vantage),
      paint,
    ),
  );
  return [`${region}/${endpoint}`, verdictCell(verdict, paint), ...cells];
}

/** A word, a code or a time: colour only adds to it. */
function viewCell(view: VantageView | undefined, paint: TextOptions['paint']): Cell {
  if (view === undefined) return {text: NOT_MEASURED, paint: paint.muted};
  const {ok, latencyMs, code} = view;
  if (ok === true) return {text: `ok ${formatMs(latencyMs)}`, paint: paint.good};
  return ok === false ? {text: code, paint: paint.critical} : {text: `? ${code}`, paint: paint.unknown};
}

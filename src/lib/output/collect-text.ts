import type {CollectDocument, CollectRow} from '../operate/collect.ts';
import {counted} from './forecast-words.ts';
import type {Cell} from './table.ts';
import {titledTable} from './titled-table.ts';
import {formatTime, NOT_MEASURED} from './units.ts';
import {indented, joined, type TextOptions} from './verdict-cell.ts';

const DAY_MS = 86_400_000;

/** `capacity collect` for people: what was kept, and what could not be read. */
export function collectText(document: CollectDocument, {columns, paint}: TextOptions): string {
  const lines = titledTable(
    [
      {title: 'series'},
      {title: 'region'},
      {title: 'value', align: 'right', shrink: false},
      {title: 'unit', drop: 1},
      {title: 'source', drop: 2},
    ],
    document.series.map((row): Cell[] => [
      row.series,
      row.region ?? 'all',
      row.value === null ? {text: NOT_MEASURED, paint: paint.unknown} : numberText(row.value),
      row.unit,
      row.source,
    ]),
    {columns, paint},
  );
  const remarks = document.series.filter(({reason}) => reason !== '');
  return joined([
    ...indented(`${keptText(document)} at ${formatTime(document.at)}, for ${Math.round(document.keepMs / DAY_MS)} d`, columns, 0),
    ...lines,
    ...remarks.flatMap((row) => indented(`${placeText(row)}: ${row.reason}`, columns)),
  ]);
}

/** One line for each round of `capacity collect --every`. */
export function collectLine(document: CollectDocument, format: 'text' | 'ndjson'): string {
  if (format === 'ndjson') return JSON.stringify(document);
  const missing = document.series.filter(({value}) => value === null).map((row) => `${placeText(row)}: ${row.reason}`);
  return [`${document.at} ${keptText(document)}`, ...missing].join('; ');
}

function keptText({kept, missing}: CollectDocument): string {
  const all = kept + missing;
  return missing === 0 ? `kept ${counted(kept, 'value')}` : `kept ${kept} of ${counted(all, 'value')}`;
}

function placeText({series, region}: CollectRow): string {
  return region === null ? series : `${series} in ${region}`;
}

/** Six digits are enough to recognise a value by. */
function numberText(value: number): string {
  return String(Number(value.toPrecision(6)));
}

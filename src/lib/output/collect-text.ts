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
    ...heldText(document).flatMap((text) => indented(text, columns).map(paint.warning)),
  ]);
}

/** One line for each round of `capacity collect --every`. */
export function collectLine(document: CollectDocument, format: 'text' | 'ndjson'): string {
  if (format === 'ndjson') return JSON.stringify(document);
  const missing = document.series.filter(({value}) => value === null).map((row) => `${placeText(row)}: ${row.reason}`);
  return [`${document.at} ${keptText(document)}`, ...missing, ...heldText(document)].join('; ');
}

function keptText({kept, missing}: CollectDocument): string {
  const all = kept + missing;
  return missing === 0 ? `kept ${counted(kept, 'value')}` : `kept ${kept} of ${counted(all, 'value')}`;
}

/** Time may have passed while nothing was collected, or a clock is wrong: nobody can tell. */
function heldText({heldBack, keepMs}: CollectDocument): readonly string[] {
  if (heldBack === null) return [];
  const {count, from, to} = heldBack;
  const silence = `nothing was kept from ${formatTime(from)} to ${formatTime(to)}, which may be a clock that jumped`;
  return [
    `${count.toLocaleString('en-US')} ${count === 1 ? 'value' : 'values'} older than ${Math.round(keepMs / DAY_MS)} d ${count === 1 ? 'stays' : 'stay'}: ${silence}`,
  ];
}

function placeText({series, region}: CollectRow): string {
  return region === null ? series : `${series} in ${region}`;
}

/** Six digits are enough to recognise a value by. */
function numberText(value: number): string {
  return String(Number(value.toPrecision(6)));
}

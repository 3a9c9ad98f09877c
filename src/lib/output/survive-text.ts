import type {SurviveCombination, SurviveDocument, SurviveRow} from '../capacity/survive/document.ts';
import {figure} from '../capacity/survive/figures.ts';
import type {LoadVerdict} from '../capacity/survive/judge-load.ts';
import type {Meaning, Paint} from './paint.ts';
import type {Cell, Column} from './table.ts';
import {titledTable} from './titled-table.ts';
import {formatMs, formatTime, NOT_MEASURED} from './units.ts';
import {indented, joined, listItem, type TextOptions} from './verdict-cell.ts';

const MEANINGS: Readonly<Record<LoadVerdict, Meaning>> = {survives: 'good', tight: 'warning', breaks: 'critical', unknown: 'unknown'};
const DAY_MS = 86_400_000;
const RIGHT = {align: 'right', shrink: false} as const;

/** `capacity survive` for people: one combination with all that it moves, or a table of many with what decides each. */
export function surviveText(document: SurviveDocument, options: TextOptions): string {
  const {columns, paint} = options;
  const {combinations, missing, assumed, notes} = document;
  const [only, ...others] = combinations;
  const head = `capacity survive at ${formatTime(document.at)}: the next ${formatMs(document.windowMs)}, p90 of the forecast sums against the limits`;
  return joined([
    ...indented(head, columns, 0),
    ...(only !== undefined && others.length === 0 ? oneCombination(only, isLong(document), options) : manyCombinations(document, options)),
    ...missing.flatMap(({name, region, reason}) =>
      listItem(`${name}${region === null ? '' : ` of ${region}`} could not be read: ${reason}`, columns),
    ),
    ...assumed.flatMap((each) => listItem(each, columns)),
    ...notes.flatMap((note) => indented(note, columns).map(paint.muted)),
  ]);
}

const isLong = ({windowMs}: SurviveDocument): boolean => windowMs >= DAY_MS;

function oneCombination(
  {lose, verdict, reason, rows, stranded, notes}: SurviveCombination,
  withDay: boolean,
  {columns, paint}: TextOptions,
): readonly string[] {
  const heads: readonly Column[] = [
    {title: 'series', drop: 1},
    {title: 'region'},
    {title: 'takes', drop: 5},
    ...FIGURE_COLUMNS,
    {title: 'verdict', shrink: false},
  ];
  const lines = rows.map((row): Cell[] => [
    row.series,
    row.region,
    takesText(row),
    ...figureCells(row, withDay),
    verdictCell(row.verdict, paint),
  ]);
  const body = titledTable(heads, lines, {columns, paint});
  return [
    ...indented(`without ${lose.join(' and ')}: ${reason}`, columns, 0).map((line) => paint[MEANINGS[verdict]](line)),
    ...body,
    ...rows.filter((row) => row.verdict === 'unknown').flatMap((row) => listItem(row.reason, columns)),
    ...stranded.flatMap((each) => listItem(strandedText(each), columns)),
    ...notes.flatMap((note) => listItem(note, columns)),
  ];
}

function manyCombinations(document: SurviveDocument, {columns, paint}: TextOptions): readonly string[] {
  const {combinations} = document;
  const heads: readonly Column[] = [
    {title: 'lost'},
    {title: 'verdict', shrink: false},
    {title: 'series', drop: 1},
    {title: 'region'},
    ...FIGURE_COLUMNS,
  ];
  const lines = combinations.map(({lose, verdict, first}): Cell[] => [
    ...[lose.join(' + '), verdictCell(verdict, paint), first?.series ?? NOT_MEASURED, first?.region ?? NOT_MEASURED],
    ...(first === null ? [NOT_MEASURED, NOT_MEASURED, NOT_MEASURED, NOT_MEASURED] : figureCells(first, isLong(document))),
  ]);
  const body = titledTable(heads, lines, {columns, paint});
  // Of two lost regions it is said what neither of them does by itself; a row without a limit (nobody is left to take it) says nothing by itself.
  const isNews = ({lose, verdict, first}: Pick<SurviveCombination, 'lose' | 'verdict' | 'first'>): boolean =>
    lose.length === 1 ||
    !combinations.some(
      (each) =>
        each.lose.length === 1 && lose.includes(each.lose[0] ?? '') && each.verdict === verdict && (first !== null || each.first === null),
    );
  const says = combinations.flatMap(({lose, verdict, first, reason, stranded}) => [
    ...(verdict === 'survives' || !isNews({lose, verdict, first}) ? [] : listItem(`without ${lose.join(' and ')}: ${reason}`, columns)),
    // Of two lost regions each by itself has said it already.
    ...(lose.length > 1 ? [] : stranded.filter(({law}) => law).flatMap((each) => listItem(strandedText(each), columns))),
  ]);
  return [...body, ...says, ...unique(combinations.flatMap(({notes}) => notes)).flatMap((note) => listItem(note, columns))];
}

const FIGURE_COLUMNS: readonly Column[] = [
  {title: 'p90', ...RIGHT, drop: 3},
  {title: 'limit', ...RIGHT, drop: 4},
  {title: 'left', ...RIGHT},
  {title: 'at', ...RIGHT, drop: 2},
];

function figureCells({p90, limit, headroom, peakAt, breaksAt, unit}: SurviveRow, withDay: boolean): Cell[] {
  const shown = (value: number | null): string => (value === null ? NOT_MEASURED : figure(value));
  return [
    shown(p90),
    limit === null ? NOT_MEASURED : `${figure(limit)}${unit === '' ? '' : ` ${unit}`}`,
    headroom === null ? NOT_MEASURED : `${figure(headroom)} %`,
    hourOf(breaksAt ?? peakAt, withDay),
  ];
}

/** Time of day in UTC; with the day where the window is a day or longer, so that the time alone does not tell. */
function hourOf(at: string | null, withDay: boolean): string {
  return at === null ? NOT_MEASURED : `${withDay ? `${at.slice(5, 10)} ` : ''}${at.slice(11, 16)}Z`;
}

const verdictCell = (verdict: LoadVerdict, paint: Paint): Cell => ({text: verdict, paint: paint[MEANINGS[verdict]]});

const takesText = ({takes}: SurviveRow): string =>
  takes.map(({from, share, factor}) => `${figure(share * 100)} % of ${from}${factor === 1 ? '' : ` × ${figure(factor)}`}`).join(', ');

function strandedText({series, region, share, law, reason}: SurviveCombination['stranded'][number]): string {
  return `${law ? 'stays down' : 'nobody takes'}: ${series} of ${region}${share === 1 ? '' : ` (${figure(share * 100)} %)`}, since ${reason}`;
}

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

import type {CapacityBacktestDocument, SeriesBacktest} from '../operate/capacity-backtest.ts';
import {formatFigure, formatPercent} from './figures.ts';
import {seriesName} from './forecast-words.ts';
import {type Cell, type Column, table} from './table.ts';
import {formatTime} from './units.ts';
import {indented, joined, type TextOptions} from './verdict-cell.ts';

const RIGHT = {align: 'right', shrink: false} as const;
const SCORES: readonly Column[] = ['MAPE', 'wMAPE', 'MASE', 'sMAPE', 'in 95 %'].map((title) => ({title, ...RIGHT}));

/** `rows` = most series that are listed. */
export type BacktestTextOptions = TextOptions & {readonly rows: number};

/** `capacity backtest` for people: a row for each model, then one for each series, the worst first. */
export function capacityBacktestText(document: CapacityBacktestDocument, options: BacktestTextOptions): string {
  const {columns, paint, rows} = options;
  const {series, models, basis} = document;
  const what = basis === 'stored' ? 'forecasts that were kept, against what came' : 'what would have been forecast at earlier origins';
  const lost = document.missing.flatMap((one) => indented(`${seriesName(one)} is not known: ${one.reason}`, columns, 0).map(paint.unknown));
  const head = [...indented(`capacity backtest at ${formatTime(document.at)}: ${series.length} series, ${what}`, columns, 0), ...lost];
  const tested = series.filter(({origins}) => origins > 0);
  const untested = series.length - tested.length;
  const why = basis === 'stored' ? 'have no kept forecast of which anything has come yet' : 'are too short for a backtest';
  const short = untested === 0 ? [] : indented(`${untested} of ${series.length} series ${why}.`, columns, 0);
  if (tested.length === 0) return joined([...head, ...short]);
  const [titles = '', ...lines] = table(
    [{title: 'model'}, {title: 'series', ...RIGHT}, ...SCORES],
    models.map((row) => [row.model, `${row.measured}`, ...scoreCells(row)]),
    columns,
  );
  const worst = [...tested].sort((a, b) => (b.mase ?? 0) - (a.mase ?? 0)).slice(0, rows);
  const [seriesTitles = '', ...seriesLines] = table(
    [{title: 'series'}, {title: 'ahead', ...RIGHT}, {title: basis === 'stored' ? 'forecasts' : 'origins', ...RIGHT}, ...SCORES],
    worst.map((one) => seriesCells(one, options)),
    columns,
  );
  const more = tested.length - worst.length;
  return joined([
    ...head,
    ...(models.length === 0
      ? []
      : [
          ...indented('Means over all series. forecast = the whole procedure, made anew at each origin.', columns, 0),
          paint.muted(titles),
          ...lines,
        ]),
    ...short,
    '',
    ...indented('Worst series first:', columns, 0),
    paint.muted(seriesTitles),
    ...seriesLines,
    ...(more > 0 ? indented(`${more} more series: --rows ${tested.length}`, columns, 0) : []),
  ]);
}

type Row = Pick<SeriesBacktest, 'mape' | 'wmape' | 'mase' | 'smape' | 'coverage'>;

const scoreCells = ({mape, wmape, mase, smape, coverage}: Row): string[] => [
  formatPercent(mape),
  formatPercent(wmape),
  formatFigure(mase, 3),
  formatPercent(smape),
  formatPercent(coverage),
];

function seriesCells(series: SeriesBacktest, {paint}: TextOptions): Cell[] {
  const ahead = `${series.horizon} ${{hourly: 'h', daily: 'd', weekly: 'w'}[series.grain]}`;
  const [mape = '', ...others] = scoreCells(series);
  const judged: Cell = series.withinObjective === null ? mape : {text: mape, paint: series.withinObjective ? paint.good : paint.warning};
  return [seriesName(series), ahead, `${series.origins}`, judged, ...others];
}

import type {CapacityBacktestDocument, SeriesBacktest} from '../operate/capacity-backtest.ts';
import {formatFigure, formatPercent} from './figures.ts';
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
  const {series, models, grain, horizon} = document;
  const head = indented(
    `capacity backtest at ${formatTime(document.at)}: ${series.length} series, ${horizon} ${grain} steps ahead`,
    columns,
    0,
  );
  const tested = series.filter(({origins}) => origins > 0);
  const untested = series.length - tested.length;
  const short = untested === 0 ? [] : indented(`${untested} of ${series.length} series are too short for a backtest.`, columns, 0);
  if (tested.length === 0) return joined([...head, ...short]);
  const [titles = '', ...lines] = table(
    [{title: 'model'}, {title: 'series', ...RIGHT}, ...SCORES],
    models.map((row) => [row.model, `${row.measured}`, ...scoreCells(row)]),
    columns,
  );
  const worst = [...tested].sort((a, b) => (b.mase ?? 0) - (a.mase ?? 0)).slice(0, rows);
  const [seriesTitles = '', ...seriesLines] = table(
    [{title: 'series'}, {title: 'origins', ...RIGHT}, ...SCORES],
    worst.map((one) => seriesCells(one, options)),
    columns,
  );
  const more = tested.length - worst.length;
  return joined([
    ...head,
    ...indented('Means over all series. forecast = the whole procedure, made anew at each origin.', columns, 0),
    paint.muted(titles),
    ...lines,
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
  const name = series.region === null ? series.name : `${series.name} in ${series.region}`;
  const [mape = '', ...others] = scoreCells(series);
  const judged: Cell = series.withinObjective === null ? mape : {text: mape, paint: series.withinObjective ? paint.good : paint.warning};
  return [name, `${series.origins}`, judged, ...others];
}

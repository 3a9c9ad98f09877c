import type {CapacityBacktestDocument, SeriesBacktest} from '../operate/capacity-backtest.ts';
import {formatFigure, formatPercent} from './figures.ts';
import {seriesName} from './forecast-words.ts';
import type {Cell, Column} from './table.ts';
import {titledTable} from './titled-table.ts';
import {formatTime} from './units.ts';
import {indented, joined, type TextOptions} from './verdict-cell.ts';

const RIGHT = {align: 'right', shrink: false} as const;
const SCORES: readonly Column[] = [
  {title: 'MAPE', ...RIGHT},
  {title: 'wMAPE', ...RIGHT, drop: 4},
  {title: 'MASE', ...RIGHT},
  {title: 'sMAPE', ...RIGHT, drop: 5},
  {title: 'in 95 %', ...RIGHT, drop: 2},
];

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
  const why =
    basis === 'stored'
      ? `${untested === 1 ? 'has' : 'have'} no kept forecast of which anything has come yet`
      : `${untested === 1 ? 'is' : 'are'} too short for a backtest`;
  const short = untested === 0 ? [] : indented(`${untested} of ${series.length} series ${why}.`, columns, 0);
  if (tested.length === 0) return joined([...head, ...short]);
  const worst = [...tested].sort((a, b) => (b.mase ?? 0) - (a.mase ?? 0)).slice(0, rows);
  const seriesLines = titledTable(
    [
      {title: 'series'},
      {title: 'ahead', ...RIGHT, drop: 1},
      {title: basis === 'stored' ? 'forecasts' : 'origins', ...RIGHT, drop: 3},
      ...SCORES,
    ],
    worst.map((one) => seriesCells(one, options)),
    options,
  );
  const more = tested.length - worst.length;
  return joined([
    ...head,
    ...modelLines(models, tested.length, options),
    ...short,
    '',
    ...indented('Worst series first:', columns, 0),
    ...seriesLines,
    ...(more > 0 ? indented(`${more} more series: --rows ${tested.length}`, columns, 0) : []),
  ]);
}

/** Means over different series compare nothing: where a model was not run on all of them, the procedure's MASE on the same ones stands beside its own. */
function modelLines(models: CapacityBacktestDocument['models'], tested: number, options: TextOptions): string[] {
  if (models.length === 0) return [];
  const isPartial = models.some(({measured}) => measured < tested);
  const says = isPartial
    ? 'Means over the series that each was run on; beside its MASE that of forecast on the same ones. forecast = the whole procedure, made anew at each origin.'
    : 'Means over all series. forecast = the whole procedure, made anew at each origin.';
  const beside: readonly Column[] = isPartial ? [{title: 'forecast’s', ...RIGHT}] : [];
  return [
    ...indented(says, options.columns, 0),
    ...titledTable(
      [{title: 'model'}, {title: 'series', ...RIGHT, drop: isPartial ? 3 : 1}, ...SCORES.slice(0, 3), ...beside, ...SCORES.slice(3)],
      models.map((row) => {
        const [mape = '', wmape = '', mase = '', ...others] = scoreCells(row);
        const there = isPartial ? [formatFigure(row.forecastMase, 3)] : [];
        return [row.model, `${row.measured}`, mape, wmape, mase, ...there, ...others];
      }),
      options,
    ),
  ];
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

import type {BacktestDocument, ForecastDocument, ForecastStep, SeriesForecast} from '../operate/forecast.ts';
import {formatFigure, formatPercent} from './figures.ts';
import type {Paint} from './paint.ts';
import {type Cell, type Column, table} from './table.ts';
import {formatTime} from './units.ts';
import {indented, joined, type TextOptions} from './verdict-cell.ts';

/** `rows` = most steps that are printed of a series. */
export type ForecastTextOptions = TextOptions & {readonly rows: number};

/** What the chosen model is compared with. */
const YARDSTICKS: ReadonlySet<string> = new Set(['seasonal-naive', 'last-value']);
const RIGHT = {align: 'right', shrink: false} as const;
const INDENT = 2;

/** `capacity forecast` for people: for each series the model, its backtest beside the yardsticks, and the path with its intervals. */
export function forecastText(document: ForecastDocument, options: ForecastTextOptions): string {
  const {grain, horizon, series} = document;
  const head = `capacity forecast at ${formatTime(document.at)}: ${series.length} series, ${horizon} ${grain} steps ahead`;
  return joined([...indented(head, options.columns, 0), ...series.flatMap((one) => ['', ...seriesLines(one, document, options)])]);
}

function seriesLines(series: SeriesForecast, document: ForecastDocument, options: ForecastTextOptions): string[] {
  const {columns, paint, rows} = options;
  const place = series.region === null ? '' : ` in ${series.region}`;
  const title = indented(`${series.name}${place}: ${series.model ?? 'not forecast'}`, columns, 0).map((line) => paint.strong(line));
  const notes = series.notes.flatMap((note) => indented(note, columns));
  if (series.model === null) return [...title, ...notes];
  const more = series.forecast.length - rows;
  return [
    ...title,
    ...backtestLines(series, document, options),
    ...notes,
    ...pathLines(series.forecast.slice(0, rows), options),
    ...(more > 0 ? indented(`${more} more steps: --rows ${series.forecast.length}`, columns) : []),
  ];
}

function backtestLines(
  {model, backtest, withinObjective}: SeriesForecast,
  {objectiveMape}: ForecastDocument,
  {columns, paint}: TextOptions,
): string[] {
  if (backtest === null) return indented('No backtest: the history is too short or does not vary.', columns);
  const {origins, horizon, models} = backtest;
  const best = scoreCells(model ?? '', backtest);
  const others = models
    .filter((one) => YARDSTICKS.has(one.model) && one.model !== model)
    .map((one) => scoreCells(one.model, {...one, coverage: null}));
  const [titles = '', ...lines] = table(SCORE_COLUMNS, [best, ...others], columns - INDENT);
  return [
    ...indented(
      `backtest on ${origins} ${origins === 1 ? 'origin' : 'origins'} of ${horizon} ${horizon === 1 ? 'step' : 'steps'}:`,
      columns,
    ),
    `  ${paint.muted(titles)}`,
    ...lines.map((line) => `  ${line}`),
    ...objectiveLines(withinObjective, objectiveMape, {columns, paint}),
  ];
}

function objectiveLines(within: boolean | null, objective: number | null, {columns, paint}: {columns: number; paint: Paint}): string[] {
  if (objective === null) return [];
  const says = within === null ? 'no MAPE could be measured against' : within ? 'MAPE is within' : 'MAPE is above';
  const meaning = within === null ? 'unknown' : within ? 'good' : 'warning';
  return indented(`${says} the objective of ${formatPercent(objective)}`, columns).map((line) => paint[meaning](line));
}

const SCORE_COLUMNS: readonly Column[] = [
  {title: 'model'},
  {title: 'MAPE', ...RIGHT},
  {title: 'wMAPE', ...RIGHT},
  {title: 'MASE', ...RIGHT},
  {title: 'sMAPE', ...RIGHT},
  {title: 'in 95 %', ...RIGHT},
];

function scoreCells(model: string, {mape, wmape, mase, smape, coverage}: Omit<BacktestDocument, 'origins' | 'horizon' | 'models'>): Cell[] {
  return [model, formatPercent(mape), formatPercent(wmape), formatFigure(mase, 3), formatPercent(smape), formatPercent(coverage)];
}

function pathLines(steps: readonly ForecastStep[], {columns, paint}: TextOptions): string[] {
  const timed = steps.some(({at}) => at !== null);
  const rows = steps.map((step, index) => [
    timed && step.at !== null ? formatTime(step.at) : `+${index + 1}`,
    ...[step.mean, step.p10, step.p90, step.lower95, step.upper95].map((value) => formatFigure(value)),
  ]);
  const [titles = '', ...lines] = table(PATH_COLUMNS, rows, columns - INDENT);
  return [`  ${paint.muted(titles)}`, ...lines.map((line) => `  ${line}`)];
}

const PATH_COLUMNS: readonly Column[] = [
  {title: 'step', shrink: false},
  {title: 'mean', ...RIGHT},
  {title: 'p10', ...RIGHT},
  {title: 'p90', ...RIGHT},
  {title: 'lower 95 %', ...RIGHT},
  {title: 'upper 95 %', ...RIGHT},
];

import type {BacktestDocument, ForecastDocument, ForecastStep, SeriesForecast} from '../operate/forecast.ts';
import {formatFigure, formatPercent} from './figures.ts';
import {breakSaid, counted, crossingSaid, dayOf, highestSaid, seriesName, spanSaid} from './forecast-words.ts';
import type {Paint} from './paint.ts';
import {forecastPlot, type Plotted} from './plot/forecast-plot.ts';
import type {Cell, Column} from './table.ts';
import {titledTable} from './titled-table.ts';
import {formatTime, NOT_MEASURED} from './units.ts';
import {indented, joined, type TextOptions} from './verdict-cell.ts';

/** `rows` = most steps that are printed of a series. `plot`: whether each is drawn; default: of few series. `pictures`: one for each series, null = there is nothing to draw. */
export type ForecastTextOptions = TextOptions & {
  readonly rows: number;
  readonly plot?: boolean | undefined;
  readonly pictures?: readonly (Plotted | null)[];
};

/** What the chosen model is compared with. */
const YARDSTICKS: ReadonlySet<string> = new Set(['seasonal-naive', 'last-value']);
const RIGHT = {align: 'right', shrink: false} as const;
const INDENT = 2;

/** More series than these are a table with a row for each; each by itself is asked for by --rows or --plot. */
const FEW = 3;
const PLOT_HEIGHT = 14;
/** A picture needs some room to say anything. */
const LEAST_COLUMNS = 50;

/**
 * `capacity forecast` for people: a row for each series; of few series the model, its backtest beside the yardsticks, what that means for the limit, a picture, and as many steps
 * as were asked for.
 */
export function forecastText(document: ForecastDocument, options: ForecastTextOptions): string {
  const {series, missing, growth} = document;
  const under = growth === null ? '' : `, at a growth of ${growth.text}`;
  const head = `capacity forecast at ${formatTime(document.at)}: ${series.length} series${under}`;
  const each = series.length <= FEW || options.rows > 0 || options.plot === true;
  const lost = missing.flatMap((one) =>
    indented(`${seriesName(one)} is not known: ${one.reason}`, options.columns, 0).map(options.paint.unknown),
  );
  const body = each
    ? series.flatMap((one, i) => ['', ...seriesLines(one, i, document, options)])
    : ['', ...summaryLines(document, options)];
  return joined([...indented(head, options.columns, 0), ...lost, ...body]);
}

function seriesLines(series: SeriesForecast, index: number, document: ForecastDocument, options: ForecastTextOptions): string[] {
  const {columns, paint, rows} = options;
  const title = indented(`${seriesName(series)}: ${series.model ?? 'not forecast'}`, columns, 0).map((line) => paint.strong(line));
  const notes = series.notes.flatMap((note) => indented(note, columns).map((line) => paint.muted(line)));
  if (series.model === null) return [...title, ...notes];
  const more = series.forecast.length - rows;
  return [
    ...title,
    ...indented(`${spanSaid(series)} ahead; ${highestSaid(series)}`, columns),
    ...limitLines(series, document, options),
    ...backtestLines(series, document, options),
    ...notes,
    ...pictureLines(index, options),
    ...(rows === 0 ? [] : pathLines(series.forecast.slice(0, rows), options)),
    ...(rows > 0 && more > 0 ? indented(`${counted(more, 'more step')}: --rows ${series.forecast.length}`, columns) : []),
  ];
}

function limitLines(series: SeriesForecast, document: ForecastDocument, {columns, paint}: TextOptions): string[] {
  const crossing = crossingSaid(series, document);
  const tone = (series.crossing?.p90At ?? null) === null ? paint.good : paint.warning;
  const grown = document.growth === null ? (series.exhaustion?.says ?? '') : '';
  return [
    ...(crossing === '' ? [] : indented(crossing, columns).map(tone)),
    ...(grown === '' ? [] : indented(`by its growth: ${grown}`, columns)),
    ...(breakSaid(series) === '' ? [] : indented(breakSaid(series), columns)),
  ];
}

function pictureLines(index: number, {columns, paint, plot, pictures}: ForecastTextOptions): string[] {
  const plotted = pictures?.[index] ?? null;
  if (plotted === null || plot === false || columns < LEAST_COLUMNS) return [];
  return ['', ...forecastPlot(plotted, {width: columns - INDENT, height: PLOT_HEIGHT}, paint).map((line) => `  ${line}`)];
}

/** A row for each series, in the order of the fleet file. */
function summaryLines(document: ForecastDocument, {columns, paint}: TextOptions): string[] {
  const rows = document.series.map((series): Cell[] => {
    const {backtest, limit, forecast, crossing, exhaustion} = series;
    const most = Math.max(...forecast.map(({p90}) => p90));
    const met = crossing?.p90At ?? exhaustion?.p90At ?? null;
    return [
      seriesName(series),
      series.model ?? 'not forecast',
      formatPercent(backtest?.wmape ?? null),
      Number.isFinite(most) ? `${formatFigure(most)} ${series.unit}`.trimEnd() : NOT_MEASURED,
      limit === null ? NOT_MEASURED : formatFigure(limit),
      met === null
        ? {text: limit === null || series.model === null ? '' : 'no', paint: paint.good}
        : {text: dayOf(met, series.timeZone), paint: paint.warning},
    ];
  });
  return [
    ...titledTable(SUMMARY_COLUMNS, rows, {columns, paint}),
    '',
    ...indented('One by one, with pictures: --plot. As figures: --rows 24.', columns, 0),
  ];
}

const SUMMARY_COLUMNS: readonly Column[] = [
  {title: 'series'},
  {title: 'model', drop: 4},
  {title: 'wMAPE', ...RIGHT, drop: 2},
  {title: 'highest p90', ...RIGHT, drop: 1},
  {title: 'limit', ...RIGHT, drop: 3},
  {title: 'met', shrink: false},
];

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
  return [
    ...indented(`backtest on ${counted(origins, 'origin')} of ${counted(horizon, 'step')}:`, columns),
    ...titledTable(SCORE_COLUMNS, [best, ...others], {columns, paint}, INDENT),
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
  {title: 'wMAPE', ...RIGHT, drop: 2},
  {title: 'MASE', ...RIGHT},
  {title: 'sMAPE', ...RIGHT, drop: 3},
  {title: 'in 95 %', ...RIGHT, drop: 1},
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
  return titledTable(PATH_COLUMNS, rows, {columns, paint}, INDENT);
}

const PATH_COLUMNS: readonly Column[] = [
  {title: 'step', shrink: false},
  {title: 'mean', ...RIGHT, drop: 1},
  {title: 'p10', ...RIGHT, drop: 2},
  {title: 'p90', ...RIGHT},
  {title: 'lower 95 %', ...RIGHT, drop: 4},
  {title: 'upper 95 %', ...RIGHT, drop: 3},
];

import type {ForecastDocument, Forecasts, MadeForecast, SeriesForecast} from '../operate/forecast.ts';
import {formatFigure, formatPercent} from './figures.ts';
import {plottedOf} from './forecast-picture.ts';
import {breakSaid, counted, crossingSaid, highestSaid, seriesName, spanSaid} from './forecast-words.ts';
import {type Html, html, NONE} from './html.ts';
import {htmlPage} from './html-page.ts';
import {forecastSvg} from './plot/forecast-svg.ts';
import {formatTime} from './units.ts';

const KICKER = 'Capacity forecast';

/** Whether a file begins as a report of a forecast does. */
export function isForecastReport(head: string): boolean {
  return (
    head.startsWith('<!DOCTYPE html>') && head.includes('<meta name="generator" content="regionctl">') && head.includes(`<title>${KICKER}`)
  );
}

/** The forecast as one HTML page: what each series comes to, and a picture of each with its intervals, its limit and its backtest. */
export function forecastHtml({document, made}: Pick<Forecasts, 'document' | 'made'>): string {
  const {series, missing, growth} = document;
  const under = growth === null ? '' : ` at a growth of ${growth.text}`;
  const sections = series.map((one, i) => ({
    id: `series-${i + 1}`,
    title: seriesName(one),
    short: seriesName(one),
    body: seriesBody(one, made[i] ?? null, i, document),
  }));
  return htmlPage({
    title: `${KICKER} of ${formatTime(document.at)}`,
    kicker: KICKER,
    heading: `${series.length} series${under}`,
    lead: '',
    top:
      missing.length === 0
        ? NONE
        : html`<ul class="list">${missing.map((one) => html`<li>${seriesName(one)} is not known: ${one.reason}</li>`)}</ul>`,
    sections,
    footer: `Made by regionctl at ${formatTime(document.at)}.`,
  });
}

function seriesBody(series: SeriesForecast, made: MadeForecast | null, index: number, document: ForecastDocument): Html {
  const notes = series.notes.length === 0 ? NONE : html`<ul class="list">${series.notes.map((note) => html`<li>${note}</li>`)}</ul>`;
  if (made === null) return notes;
  const crossing = crossingSaid(series, document);
  const says = [`${spanSaid(series)} ahead; ${highestSaid(series)}.`, crossing === '' ? '' : `It ${crossing}.`, exhaustionSaid(series)];
  const title = `${seriesName(series)}, seen and forecast, in ${series.unit === '' ? 'its own unit' : series.unit}`;
  return html`<figure>${forecastSvg(plottedOf(made), `picture-${index + 1}`, title)}<figcaption>${title}. Dark: 80 %, light: 95 % of what may come.</figcaption></figure>
${says.filter((text) => text !== '').map((text) => html`<p>${text}</p>`)}${backtest(series)}${notes}`;
}

/** What the growth of the history says by itself, whatever growth was asked for. */
function exhaustionSaid(series: SeriesForecast): string {
  const {exhaustion} = series;
  if (exhaustion === null) return '';
  const found = breakSaid(series);
  return `By the growth of the history alone: ${exhaustion.says}.${found === '' ? '' : ` There is a ${found}.`}`;
}

function backtest({backtest: found, model}: SeriesForecast): Html {
  if (found === null) return html`<p>No backtest: the history is too short or does not vary.</p>`;
  const heads = ['Model', 'MAPE', 'wMAPE', 'MASE', 'sMAPE', 'In 95 %'];
  const rows = found.models.map((one) => {
    const coverage = one.model === model ? found.coverage : null;
    return [
      one.model,
      formatPercent(one.mape),
      formatPercent(one.wmape),
      formatFigure(one.mase, 3),
      formatPercent(one.smape),
      formatPercent(coverage),
    ];
  });
  return html`<p>Backtest on ${counted(found.origins, 'earlier origin')} of ${counted(found.horizon, 'step')}; ${model ?? ''} was taken.</p>
<table role="table" aria-label="Backtest"><thead role="rowgroup"><tr role="row">${heads.map((head) => html`<th scope="col" role="columnheader">${head}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map((row) => html`<tr role="row">${row.map((cell, i) => (i === 0 ? html`<th scope="row" role="rowheader">${cell}</th>` : html`<td role="cell" data-head="${heads[i] ?? ''}">${cell}</td>`))}</tr>`)}</tbody></table>`;
}

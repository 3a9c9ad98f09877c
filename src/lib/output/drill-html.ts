import type {DrillDocument} from '../drill/report.ts';
import {drillBlocks} from './drill-blocks.ts';
import {drillFacts, drillFigures, originText} from './drill-facts.ts';
import {gapTrend, objectiveBar, plainBar} from './drill-html-bars.ts';
import {timelinePicture} from './drill-html-timeline.ts';
import {type Block, type BlockCell, cellSaid, type Head, objectivesSaid, type Said, verdictSaid} from './drill-words.ts';
import {type Html, html, NONE, ownMarkup} from './html.ts';
import {htmlPage} from './html-page.ts';
import {formatMs} from './units.ts';

/**
 * The report as one HTML file that needs nothing beside it: no script, no font, no picture from elsewhere, which its own policy forbids as well. Light
 * or dark by what the reader prefers, and for A4.
 */
export function drillHtml(report: DrillDocument): string {
  const verdict = verdictSaid(report);
  const name = report.drill ?? report.runId;
  const blocks = drillBlocks(report);
  const line = timelinePicture(report);
  const parts = blocks.map((block) => ({id: block.id, title: block.title, body: blockBody(block, report)}));
  const pictured = line === NONE ? [] : [{id: 'time-line', title: 'Time line', body: line}];
  const [objectives, ...rest] = parts;
  const what = {id: 'what', title: 'What was drilled', body: facts(report)};
  const all = [...(objectives === undefined ? [] : [objectives]), what, ...pictured, ...rest];
  return htmlPage({
    title: `${verdict.text}: drill ${name}`,
    kicker: `Report of a disaster recovery drill${report.fleet === null ? '' : ` · fleet ${report.fleet}`}`,
    heading: name,
    lead: report.description,
    top: html`${verdictBox(report, verdict)}
${tiles(report)}`,
    sections: all.map((part) => ({...part, short: SHORT_TITLES[part.id] ?? part.title})),
    footer: originText(report),
  });
}

const SHORT_TITLES: Readonly<Record<string, string>> = {
  objectives: 'Objectives',
  what: 'What',
  surprises: 'Surprises',
  faults: 'Faults',
  witness: 'Witness',
  stores: 'Stores',
  load: 'Load',
  earlier: 'Earlier drills',
  steps: 'Steps',
  gates: 'Gates',
  beside: 'Runs beside',
  evidence: 'Evidence',
};

const ICONS: Readonly<Record<string, string>> = {
  good: 'M13 23l7 7l12 -14',
  bad: 'M15 15l14 14M29 15l-14 14',
  warning: 'M22 12v13M22 31v1',
  unknown: 'M16 17q0 -6 6 -6t6 6q0 4 -4 6q-2 1 -2 4M22 32v1',
};

function verdictBox({verdictReason}: DrillDocument, {text, tone}: Said): Html {
  const icon = html`<svg viewBox="0 0 44 44" aria-hidden="true"><circle cx="22" cy="22" r="20" fill="none" stroke="currentColor" stroke-width="3"/><path d="${ICONS[tone] ?? ''}" fill="none" stroke="currentColor" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/></svg>`;
  return html`<div class="verdict ${tone}" role="group" aria-label="Verdict">${icon}<div><p class="word">${text}</p><p>${verdictReason}</p></div></div>`;
}

function tiles(report: DrillDocument): Html {
  return html`<ul class="tiles">${drillFigures(report).map(({name, value, beside, tone}) => {
    return html`<li class="tile"><span class="name">${name}</span> <span class="value ${tone}">${value}</span> <span class="beside">${beside}</span></li>`;
  })}</ul>`;
}

function facts(report: DrillDocument): Html {
  return html`<dl>${drillFacts(report).map(({name, value}) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function blockBody(block: Block, report: DrillDocument): Html {
  const {says, list, table} = block;
  const bars = barsOf(block, report);
  return html`${block.id === 'earlier' ? gapTrend(report) : NONE}${says.map((text) => html`<p>${text}</p>`)}${
    list.length === 0 ? NONE : html`<ul class="list">${list.map((item) => html`<li>${item}</li>`)}</ul>`
  }${table === null || table.rows.length === 0 ? NONE : tableOf(block.title, table, bars)}`;
}

type Bars = {readonly head: string; readonly bars: readonly Html[]};

/** A picture of the figures of each row, as a column of its own. */
function barsOf({id}: Block, report: DrillDocument): Bars | null {
  if (id === 'objectives') return {head: 'Against the target', bars: objectivesSaid(report).map(objectiveBar)};
  const {load} = report;
  if (id !== 'load' || load === null) return null;
  const p95 = [load.before, load.during, load.after].map(({p95Ms}) => p95Ms);
  const most = Math.max(...p95.map((ms) => ms ?? 0));
  return {head: 'p95', bars: p95.map((ms) => plainBar(ms, most, `p95 ${formatMs(ms)}`))};
}

function tableOf(title: string, {heads, rows}: NonNullable<Block['table']>, bars: Bars | null): Html {
  const all: readonly Head[] = bars === null ? heads : [...heads, {text: bars.head}];
  // Display by a style sheet takes the meaning of a table away in some browsers: its roles are said.
  return html`<table role="table" aria-label="${title}"><thead role="rowgroup"><tr role="row">${all.map(headCell)}</tr></thead>
<tbody role="rowgroup">
${rows.map((row, i) => {
  const bar = bars === null ? NONE : html`<td role="cell" data-head="${bars.head}">${bars.bars[i] ?? NONE}</td>`;
  return html`<tr role="row">${row.map((cell, column) => bodyCell(cell, heads[column], column))}${bar}</tr>
`;
})}</tbody></table>`;
}

function headCell({text, end}: Head): Html {
  return html`<th scope="col" role="columnheader"${end ? ownMarkup(' class="end"') : NONE}>${text}</th>`;
}

/** A longer cell needs room, a shorter one is not broken. */
const LONG = 40;
const SHORT = 20;

function bodyCell(cell: BlockCell, head: Head | undefined, column: number): Html {
  const content = cellContent(cell, head?.end === true);
  const {length} = [...cellSaid(cell).text];
  const room = length > LONG ? 'long' : length <= SHORT ? 'short' : '';
  const names = [head?.end ? 'end' : '', room, length === 0 ? 'empty' : ''].filter((name) => name !== '').join(' ');
  const kind = names === '' ? NONE : html` class="${names}"`;
  return column === 0
    ? html`<th scope="row" role="rowheader"${kind}>${content}</th>`
    : html`<td role="cell" data-head="${head?.text ?? ''}"${kind}>${content}</td>`;
}

/** The meaning of a word is in its words too: colour only helps. */
function cellContent(cell: BlockCell, end: boolean): Html {
  const {text, tone} = cellSaid(cell);
  if (typeof cell === 'object' && 'code' in cell) return html`<code>${text}</code>`;
  if (tone === 'plain') return html`<span>${text}</span>`;
  return [...text].length > LONG || end ? html`<span class="${tone}">${text}</span>` : html`<span class="pill ${tone}">${text}</span>`;
}

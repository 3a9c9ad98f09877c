import type {DrillDocument} from '../drill/report.ts';
import {cleanText} from './clean.ts';
import {drillBlocks} from './drill-blocks.ts';
import {drillFacts, originText} from './drill-facts.ts';
import {timelineText} from './drill-timeline-text.ts';
import {type Block, type BlockCell, cellSaid, type Tone, verdictSaid} from './drill-words.ts';
import {plainPaint} from './paint.ts';

const MARKS: Readonly<Record<Tone, string>> = {good: '✅', warning: '⚠️', bad: '❌', unknown: '❔', plain: '', muted: ''};
/** A fenced block is not wrapped, and narrow columns of a pull request scroll it. */
const COLUMNS = 90;

/** The report as Markdown (with the tables of GitHub, GitLab and most wikis). Foreign text is escaped: it is no markup, mentions nobody, and breaks no table. */
export function drillMarkdown(report: DrillDocument): string {
  const verdict = verdictSaid(report);
  return [
    `# Drill ${markdownText(report.drill ?? report.runId)}: ${MARKS[verdict.tone]} ${verdict.text}`,
    markdownText(report.verdictReason),
    ...(report.description === '' ? [] : [markdownText(report.description)]),
    tableOf(
      [{text: 'What'}, {text: 'Value'}],
      drillFacts(report).map(({name, value}) => [name, value]),
    ),
    ...timeline(report),
    ...drillBlocks(report).map(blockText),
    markdownText(originText(report)),
  ].join('\n\n');
}

function timeline(report: DrillDocument): string[] {
  const lines = timelineText(report, COLUMNS, plainPaint()).map((line) => cleanText(line).trimEnd());
  if (lines.length === 0) return [];
  const longest = Math.max(2, ...[...lines.join('\n').matchAll(/`+/gu)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return ['## Time line', [`${fence}text`, ...lines, fence].join('\n')];
}

function blockText({title, says, list, table}: Block): string {
  return [
    `## ${markdownText(title)}`,
    ...says.map(markdownText),
    ...(list.length === 0 ? [] : [list.map((item) => `- ${markdownText(item)}`).join('\n')]),
    ...(table === null || table.rows.length === 0 ? [] : [tableOf(table.heads, table.rows)]),
  ].join('\n\n');
}

function tableOf(heads: NonNullable<Block['table']>['heads'], rows: readonly (readonly BlockCell[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(heads.map(({text}) => text)),
    line(heads.map(({end}) => (end ? '---:' : '---'))),
    ...rows.map((row) => line(row.map(cellText))),
  ].join('\n');
}

function cellText(cell: BlockCell): string {
  const {text, tone} = cellSaid(cell);
  if (typeof cell === 'object' && 'code' in cell && text !== '') return code(text);
  const words = markdownText(text);
  return MARKS[tone] === '' ? words : `${MARKS[tone]} ${words}`.trim();
}

/** One line of text that Markdown shows as it is. */
export function markdownText(text: string): string {
  return (
    cleanText(text)
      .trim()
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll(/[\\`*_[\]|~$!]/gu, '\\$&')
      .replace(/^([#+=-]|\d+[.)](?=\s|$))/u, (start) => (/^\d/u.test(start) ? start.replace(/[.)]/u, '\\$&') : `\\${start}`))
      // A word joiner: nobody is called by a report, and no issue is linked.
      .replaceAll(/(?<![\p{L}\p{N}_/])([@#])(?=[\p{L}\p{N}])/gu, '$1\u2060')
  );
}

/** A code span. A bar would end the cell of a table also within one. */
function code(text: string): string {
  const clean = cleanText(text).trim().replaceAll('|', '\\|');
  const longest = Math.max(0, ...[...clean.matchAll(/`+/gu)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return longest > 0 ? `${fence} ${clean} ${fence}` : `${fence}${clean}${fence}`;
}

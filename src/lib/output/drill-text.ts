import type {DrillDocument, LoadPart} from '../drill/report.ts';
import {drillRows} from './drill-text-rows.ts';
import {timelineText} from './drill-timeline-text.ts';
import {formatCount, formatShare, objectivesSaid, type Tone, verdictSaid} from './drill-words.ts';
import type {Meaning, Paint} from './paint.ts';
import {type Layout, runText} from './run-text.ts';
import {type Cell, cut, table, wrap} from './table.ts';
import {formatAge, formatMs} from './units.ts';

/** The most earlier drills that a terminal shows. */
const MOST_EARLIER = 5;

/** What a tone is on a terminal. */
export const TONE_MEANING: Readonly<Record<Tone, Meaning>> = {
  good: 'good',
  warning: 'warning',
  bad: 'critical',
  unknown: 'unknown',
  plain: 'strong',
  muted: 'muted',
};

/** The report of a drill for people: the run, the time line, what was measured from outside, and the verdict last, where the eye ends. */
export function drillText(report: DrillDocument, layout: Layout): string {
  const {columns, paint} = layout;
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['Time line', timelineText(report, columns, paint)],
    ['Drill', table([{shrink: false}, {shrink: false}, {}], drillRows(report, paint), columns)],
    ['Load', loadLines(report, columns, paint)],
    ['What surprised', report.surprises.flatMap((one) => bullet(one, columns, paint.warning))],
    ['Earlier drills', earlierLines(report, layout)],
    ['Evidence', evidenceLines(report, columns)],
  ];
  return [
    runText(report, layout),
    ...sections.filter(([, lines]) => lines.length > 0).map(([title, lines]) => [paint.strong(title), ...lines].join('\n')),
    verdictLines(report, layout),
  ].join('\n\n');
}

function verdictLines(report: DrillDocument, {columns, paint}: Layout): string {
  const {verdict, drill, expected, verdictReason} = report;
  const said = verdictSaid(report);
  // The word of the document, for who greps; what it comes down to in words where they say more.
  const more = said.text.toLowerCase() === verdict ? '' : ` (${said.text.toLowerCase()})`;
  return [
    `${paint.strong(cut(`drill ${drill ?? ''}`, columns - verdict.length - more.length - 2))}  ${paint[TONE_MEANING[said.tone]](`${verdict}${more}`)}`,
    ...(expected === null ? [] : wrap(`expected: ${expected}`, columns).map(paint.muted)),
    ...wrap(verdictReason, columns),
  ].join('\n');
}

function loadLines(report: DrillDocument, columns: number, paint: Paint): readonly string[] {
  const {load, loadObjectives} = report;
  const part = (name: string, of: LoadPart): Cell[] => [
    `  ${name}`,
    `${formatCount(of.requests)} requests`,
    `${formatShare(of.errorRate)} errors`,
    `p50 ${formatMs(of.p50Ms)}`,
    `p95 ${formatMs(of.p95Ms)}`,
    `max ${formatMs(of.maxMs)}`,
  ];
  const parts = load === null ? [] : [part('before', load.before), part('during', load.during), part('after', load.after)];
  const objectives = objectivesSaid({...report, objectives: []}).map(({name, target, measured, result}): Cell[] => [
    `  ${name}`,
    target,
    measured,
    {text: result.text, paint: paint[TONE_MEANING[result.tone]]},
  ]);
  return [
    ...table([{shrink: false}, {}, {}, {}, {}, {}], parts, columns),
    ...(loadObjectives.length === 0 ? [] : table([{}, {}, {}, {shrink: false}], objectives, columns)),
  ];
}

function earlierLines({earlier, measured}: DrillDocument, {columns, paint, now}: Layout): readonly string[] {
  if (earlier.length === 0) return [];
  const rows = earlier.slice(0, MOST_EARLIER).map((one): Cell[] => {
    const said = verdictSaid({verdictCode: one.verdictCode, verdict: one.verdict as DrillDocument['verdict'], outcome: 'succeeded'});
    return [
      `  ${formatAge(Date.parse(one.at), now)}`,
      {text: said.text.toLowerCase(), paint: paint[TONE_MEANING[said.tone]]},
      `gap ${formatMs(one.writeGapMs)}${changeText(one.writeGapMs, measured.writeGapMs)}`,
      `${formatCount(one.lostWrites)} lost`,
      one.runId,
    ];
  });
  const left = earlier.length - rows.length;
  return [
    ...table([{shrink: false}, {shrink: false}, {}, {shrink: false}, {}], rows, columns),
    ...(left > 0 ? [paint.muted(`  and ${left} more`)] : []),
  ];
}

/** How this drill compares with that one. */
function changeText(before: number | null, now: number | null): string {
  if (before === null || now === null || Math.round(before) === Math.round(now)) return '';
  return now > before ? ` (now +${formatMs(now - before)})` : ` (now -${formatMs(before - now)})`;
}

/** The files by their folders: a path that is cut off leads nowhere. */
function evidenceLines({evidence}: DrillDocument, columns: number): string[] {
  const folders = new Map<string, string[]>();
  for (const {file} of evidence) {
    const [dir, name] = [file.slice(0, file.lastIndexOf('/') + 1), file.slice(file.lastIndexOf('/') + 1)];
    folders.set(dir, [...(folders.get(dir) ?? []), name]);
  }
  return [...folders].flatMap(([dir, names]) => [
    ...wrap(dir, columns - 2).map((line) => `  ${line}`),
    ...wrap(names.join(', '), columns - 4).map((line) => `    ${line}`),
  ]);
}

function bullet(text: string, columns: number, paint: (text: string) => string): string[] {
  return wrap(text, columns - 4).map((line, i) => `  ${i === 0 ? '!' : ' '} ${paint(line)}`);
}

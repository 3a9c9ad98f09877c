import type {DrillDocument} from '../drill/report.ts';
import type {Meaning, Paint} from './paint.ts';
import {type Layout, runText} from './run-text.ts';
import {type Cell, table, wrap} from './table.ts';
import {formatMs, formatTime} from './units.ts';

const VERDICT: Readonly<Record<DrillDocument['verdict'], Meaning>> = {passed: 'good', failed: 'critical', unknown: 'unknown'};

/** The report of a drill for people: the run, what was measured from outside, and the verdict last, where the eye ends. */
export function drillText(report: DrillDocument, layout: Layout): string {
  const {columns, paint} = layout;
  const rows: Cell[][] = [...steadyRows(report, paint), ...faultRows(report, paint), ...witnessRows(report, paint)];
  const lines = table([{shrink: false}, {shrink: false}, {}], rows, columns);
  const verdict = paint[VERDICT[report.verdict]](report.verdict);
  return [
    runText(report, layout),
    '',
    paint.strong('Drill'),
    ...lines,
    '',
    `${paint.strong(`drill ${report.drill ?? ''}`)}  ${verdict}`,
    ...wrap(report.verdictReason, columns),
  ].join('\n');
}

function steadyRows({steadyState}: DrillDocument, paint: Paint): Cell[][] {
  return (['before', 'after'] as const).flatMap((when) => {
    const row = steadyState[when];
    if (row === null) return [];
    const cell: Cell = row.met ? {text: 'met', paint: paint.good} : {text: 'not met', paint: paint.critical};
    const telling = row.met ? row.checks : row.checks.filter(({holds}) => holds !== true);
    return [[`  steady state ${when}`, cell, telling.map(({says}) => says).join('; ')]];
  });
}

function faultRows({faults}: DrillDocument, paint: Paint): Cell[][] {
  return faults.map(({fault, region, injectedAt, healedAt, provenHealed}) => {
    const cell: Cell = provenHealed ? {text: 'proven healed', paint: paint.good} : {text: 'not proven healed', paint: paint.critical};
    return [
      `  fault ${fault} on ${region}`,
      cell,
      `injected ${formatTime(injectedAt)}, ${healedAt === null ? 'not healed' : `healed ${formatTime(healedAt)}`}`,
    ];
  });
}

function witnessRows({witness, measured}: DrillDocument, paint: Paint): Cell[][] {
  if (witness === null) return [];
  const {lostWrites, duplicatedWrites} = measured;
  const bad = (lostWrites ?? 0) + (duplicatedWrites ?? 0) > 0;
  const cell: Cell = {
    text: `${lostWrites ?? 'unknown'} lost`,
    paint: lostWrites === null ? paint.unknown : bad ? paint.critical : paint.good,
  };
  const counts = `${witness.acknowledged ?? 'unknown'} writes acknowledged, ${witness.unknown ?? 'unknown'} of unknown outcome, ${duplicatedWrites ?? 'unknown'} duplicated`;
  const gap = witness.longestGapMs === null ? 'the longest gap was not measured' : `longest gap ${formatMs(witness.longestGapMs)}`;
  return [['  witness', cell, `${gap}; ${counts}`]];
}

import type {DrillDocument} from '../drill/report.ts';
import type {Paint} from './paint.ts';
import type {Cell} from './table.ts';
import {formatMs, formatTime} from './units.ts';

/** What a drill saw from outside, one row each: what, how it stands, and a sentence. */
export function drillRows(report: DrillDocument, paint: Paint): Cell[][] {
  return [
    ...steadyRows(report, paint),
    ...faultRows(report, paint),
    ...witnessRows(report, paint),
    ...storeRows(report, paint),
    ...besideRows(report, paint),
  ];
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
  return faults.map(({fault, region, injectedAt, healedAt, provenHealed, endBasis, endedBy}) => {
    const cell: Cell = provenHealed ? {text: 'proven healed', paint: paint.good} : {text: 'not proven healed', paint: paint.critical};
    const isOver = endBasis === 'recorded' || endBasis === 'estimated';
    const verb = isOver ? (endBasis === 'estimated' ? 'ended about' : 'ended') : 'healed';
    const end =
      healedAt === null ? 'not healed' : `${verb} ${formatTime(healedAt)}${isOver && endedBy === 'lease' ? ' with its lease' : ''}`;
    return [`  fault ${fault} on ${region}`, cell, `injected ${formatTime(injectedAt)}, ${end}`];
  });
}

function witnessRows({witness, measured}: DrillDocument, paint: Paint): Cell[][] {
  if (witness === null) return [];
  const {lostWrites, duplicatedWrites} = measured;
  const bad = (lostWrites ?? 0) + (duplicatedWrites ?? 0) > 0;
  const counts = `${witness.acknowledged ?? 'unknown'} writes acknowledged, ${witness.unknown ?? 'unknown'} of unknown outcome, ${duplicatedWrites ?? 'unknown'} duplicated`;
  const gap = witness.longestGapMs === null ? 'the longest gap was not measured' : `longest gap ${formatMs(witness.longestGapMs)}`;
  return [['  witness', lostCell(lostWrites, bad, paint), `${gap}; ${counts}`]];
}

function storeRows({stores}: DrillDocument, paint: Paint): Cell[][] {
  return stores.map(({store, all, twoWriters: two, trouble}) => {
    const lost = all.lostWrites ?? all.lost?.length ?? null;
    const split = two === null ? 'never two writers' : `two writers for ${formatMs(two.ms)}: ${two.members.join(' and ')}`;
    const gap = all.longestGapMs === null ? 'the longest gap was not measured' : `longest gap ${formatMs(all.longestGapMs)}`;
    return [
      `  witness of ${store}`,
      lostCell(lost, (lost ?? 0) > 0 || two !== null, paint),
      [split, gap, ...(trouble === null ? [] : [trouble])].join('; '),
    ];
  });
}

function lostCell(lost: number | null, bad: boolean, paint: Paint): Cell {
  return {text: `${lost ?? 'unknown'} lost`, paint: lost === null ? paint.unknown : bad ? paint.critical : paint.good};
}

function besideRows({beside}: DrillDocument, paint: Paint): Cell[][] {
  return beside.map(({when, kind, outcome, says}) => [
    `  ${kind} ${when}`,
    {text: outcome, paint: outcome === 'succeeded' ? paint.good : paint.critical},
    says,
  ]);
}

import type {DrillDocument, LoadPart} from '../drill/report.ts';
import type {StepStatus} from '../plan/plan-document.ts';
import {approvalBlock, besideBlock, evidenceBlock, gatesBlock} from './drill-records.ts';
import {storesBlock, witnessBlock} from './drill-witness.ts';
import {
  type Block,
  type BlockCell,
  formatCount,
  formatMeasured,
  formatShare,
  objectivesSaid,
  type Said,
  type Tone,
  tookMs,
  verdictSaid,
} from './drill-words.ts';
import {formatMs, formatTime, NOT_MEASURED} from './units.ts';

const EMPTY = {says: [], list: [], table: null};

/** The parts of a report, in the order in which they are read. A part that has nothing to say is left out. */
export function drillBlocks(report: DrillDocument): Block[] {
  const all = [
    objectivesBlock(report),
    surprisesBlock(report),
    faultsBlock(report),
    witnessBlock(report),
    storesBlock(report),
    loadBlock(report),
    steadyBlock(report),
    earlierBlock(report),
    stepsBlock(report),
    gatesBlock(report),
    approvalBlock(report),
    besideBlock(report),
    evidenceBlock(report),
  ];
  return all.filter(({says, list, table}) => says.length > 0 || list.length > 0 || (table !== null && table.rows.length > 0));
}

function objectivesBlock(report: DrillDocument): Block {
  const rows = objectivesSaid(report).map(({name, target, measured, result}): BlockCell[] => [name, target, measured, result]);
  const says = rows.length === 0 ? ['This drill has no objective: neither its file nor the fleet file sets a target.'] : [];
  return {
    ...EMPTY,
    id: 'objectives',
    title: 'Objectives and what was measured',
    says,
    table: {heads: [{text: 'Objective'}, {text: 'Target', end: true}, {text: 'Measured', end: true}, {text: 'Result'}], rows},
  };
}

function surprisesBlock({surprises, verdictCode}: DrillDocument): Block {
  const over = verdictCode !== 'not-started' && verdictCode !== 'not-ended';
  const says = surprises.length === 0 && over ? ['Nothing: it went as planned.'] : [];
  return {...EMPTY, id: 'surprises', title: 'What surprised', says, list: surprises};
}

function faultsBlock({faults}: DrillDocument): Block {
  const rows = faults.map(({fault, region, injectedAt, healedAt, provenHealed, leaseMs, says, proof, endBasis, endSays}): BlockCell[] => {
    const lasted = healedAt === null ? null : tookMs({startedAt: injectedAt, endedAt: healedAt});
    const end: Said = provenHealed ? {text: 'proven healed', tone: 'good'} : {text: 'not proven healed', tone: 'bad'};
    return [
      `${fault} on ${region}`,
      formatTime(injectedAt),
      endBasis === 'estimated' ? `about ${formatMs(lasted)}` : formatMs(lasted),
      formatMs(leaseMs ?? null),
      end,
      // What was said when it was injected tells nothing of its end.
      [endSays ?? null, proof ?? (provenHealed ? null : says) ?? NOT_MEASURED].filter((part) => part !== null).join('; '),
    ];
  });
  const heads = [
    {text: 'Fault'},
    {text: 'Injected'},
    {text: 'Lasted', end: true as const},
    {text: 'Lease', end: true as const},
    {text: 'Its end'},
    {text: 'By what it is known'},
  ];
  return {...EMPTY, id: 'faults', title: 'Faults and the proof of their end', table: {heads, rows}};
}

function loadBlock({load}: DrillDocument): Block {
  const parts: readonly [string, LoadPart | undefined][] = [
    ['before the fault', load?.before],
    ['from the fault to the recovery', load?.during],
    ['after it', load?.after],
  ];
  const rows = parts.flatMap(([name, part]): BlockCell[][] => {
    if (part === undefined) return [];
    const {requests, errors, errorRate, p50Ms, p95Ms, maxMs} = part;
    return [[name, formatCount(requests), formatCount(errors), formatShare(errorRate), formatMs(p50Ms), formatMs(p95Ms), formatMs(maxMs)]];
  });
  const figures = ['Requests', 'Errors', 'Error rate', 'p50', 'p95', 'Longest'].map((text) => ({text, end: true as const}));
  const says = load === null || load.says === '' ? [] : [load.says];
  return {...EMPTY, id: 'load', title: 'What clients felt', says, table: {heads: [{text: 'Load'}, ...figures], rows}};
}

function steadyBlock({steadyState}: DrillDocument): Block {
  const rows = (['before', 'after'] as const).flatMap((when) =>
    (steadyState[when]?.checks ?? []).map(({check, holds, says}): BlockCell[] => [
      check,
      when,
      holds === null ? {text: 'unknown', tone: 'unknown'} : holds ? {text: 'holds', tone: 'good'} : {text: 'does not hold', tone: 'bad'},
      says,
    ]),
  );
  return {
    ...EMPTY,
    id: 'steady',
    title: 'Steady state',
    table: {heads: [{text: 'Check'}, {text: 'When'}, {text: 'Result'}, {text: 'Seen'}], rows},
  };
}

function earlierBlock(report: DrillDocument): Block {
  const {earlier, drill} = report;
  const measured = ({phases, writeGapMs, lostWrites}: Pick<DrillDocument['earlier'][number], 'phases' | 'writeGapMs' | 'lostWrites'>) => [
    formatMeasured(writeGapMs),
    formatCount(lostWrites),
    ...[phases.detectMs, phases.fenceMs, phases.promoteMs, phases.rerouteMs].map(formatMs),
  ];
  const now: BlockCell[] = ['this one', verdictSaid(report), ...measured({...report.measured, phases: report.phases})];
  const rows = earlier.map((one): BlockCell[] => [
    formatTime(one.at),
    verdictSaid({...one, verdict: one.verdict as DrillDocument['verdict'], outcome: 'succeeded'}),
    ...measured(one),
  ]);
  const heads = ['Write gap', 'Lost', 'Detect', 'Fence', 'Promote', 'Reroute'].map((text) => ({text, end: true as const}));
  return {
    ...EMPTY,
    id: 'earlier',
    title: `Compared with earlier drills of the name ${drill ?? ''}`.trimEnd(),
    table: {heads: [{text: 'Drill'}, {text: 'Verdict'}, ...heads], rows: rows.length === 0 ? [] : [now, ...rows]},
  };
}

const STATUS: Readonly<Record<StepStatus, Tone>> = {
  pending: 'muted',
  running: 'unknown',
  done: 'good',
  skipped: 'muted',
  failed: 'bad',
  undone: 'warning',
};

function stepsBlock({steps}: DrillDocument): Block {
  const rows = steps.map(({title, phase, status, detail, ...times}): BlockCell[] => [
    title,
    phase,
    {text: status, tone: STATUS[status]},
    formatMs(tookMs(times)),
    detail ?? '',
  ]);
  const heads = [{text: 'Step'}, {text: 'Phase'}, {text: 'Result'}, {text: 'Took', end: true as const}, {text: 'Detail'}];
  return {...EMPTY, id: 'steps', title: 'Every step', table: {heads, rows}};
}

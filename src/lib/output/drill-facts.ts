import type {DrillDocument} from '../drill/report.ts';
import {formatCount, formatMeasured, type Said, tookMs} from './drill-words.ts';
import {formatMs, formatTime} from './units.ts';

/** One thing to know of a drill. */
export type Fact = {readonly name: string; readonly value: string};

/** What the drill was, in one line each. What is not known is left out. */
export function drillFacts(report: DrillDocument): Fact[] {
  const {fleet, runId, scenario, expected, from, to, startedAt, endedAt} = report;
  const facts: readonly (readonly [string, string | null])[] = [
    ['Fleet', fleet],
    ['Scenario', scenario],
    ['Expected', expected],
    ['Way', from === null && to === null ? null : `${from ?? 'any'} → ${to ?? 'any'}`],
    ['Started', startedAt === null ? null : formatTime(startedAt)],
    ['Ended', endedAt === null ? null : formatTime(endedAt)],
    ['Took', endedAt === null ? null : formatMs(tookMs({startedAt, endedAt}))],
    ['Phases', phaseText(report)],
    ['Run', runId],
  ];
  return facts.flatMap(([name, value]) => (value === null || value === '' ? [] : [{name, value}]));
}

function phaseText({phases}: DrillDocument): string {
  return Object.entries(phases)
    .flatMap(([name, ms]) => (ms === null ? [] : [`${name.replace(/Ms$/, '')} ${formatMs(ms)}`]))
    .join(', ');
}

/** A figure that is read first, with what it is measured against. */
export type Figure = {readonly name: string; readonly value: string; readonly beside: string; readonly tone: Said['tone']};

/** The few figures that a reader asks for first. */
export function drillFigures(report: DrillDocument): Figure[] {
  return [gapFigure(report), lossFigure(report), faultFigure(report), timeFigure(report)];
}

function gapFigure({measured: {writeGapMs}, objectives, witness}: DrillDocument): Figure {
  const rtos = objectives.filter(({kind}) => kind === 'rto');
  const strictest = rtos.length === 0 ? null : Math.min(...rtos.map(({targetMs}) => targetMs));
  const beside =
    writeGapMs === null ? (witness?.writeGapReason ?? 'not measured') : strictest === null ? 'no target' : `target ${formatMs(strictest)}`;
  const tone = writeGapMs === null ? 'unknown' : strictest === null ? 'plain' : writeGapMs <= strictest ? 'good' : 'bad';
  return {name: 'Write gap', value: formatMeasured(writeGapMs), beside, tone};
}

function lossFigure({measured: {lostWrites}, objectives, witness}: DrillDocument): Figure {
  const missed = objectives.some(({kind, met}) => kind === 'rpo' && met === false);
  const acknowledged = witness?.acknowledged ?? null;
  const tone = lostWrites === null ? 'unknown' : lostWrites === 0 ? 'good' : missed ? 'bad' : 'warning';
  return {
    name: 'Lost writes',
    value: formatCount(lostWrites),
    beside: acknowledged === null ? (lostWrites === null ? 'not read back' : '') : `of ${formatCount(acknowledged)} acknowledged`,
    tone,
  };
}

function faultFigure({faults}: DrillDocument): Figure {
  const healed = faults.filter(({provenHealed}) => provenHealed).length;
  if (faults.length === 0) return {name: 'Faults', value: 'none', beside: 'nothing was injected', tone: 'plain'};
  return {
    name: faults.length === 1 ? 'Fault' : 'Faults',
    value: healed === faults.length ? 'healed' : `${faults.length - healed} left`,
    beside: healed === faults.length ? 'proven from outside' : 'its end is not proven',
    tone: healed === faults.length ? 'good' : 'bad',
  };
}

function timeFigure(report: DrillDocument): Figure {
  const took = tookMs(report);
  return {
    name: 'Whole drill',
    value: formatMs(took),
    beside: report.startedAt === null ? 'it did not begin' : formatTime(report.startedAt),
    tone: took === null && report.startedAt === null ? 'unknown' : 'plain',
  };
}

/** Where the report comes from, and how it is to be read. */
export function originText({runId, startedAt}: DrillDocument): string {
  const origin =
    startedAt === null ? 'Made by regionctl; nothing was recorded.' : `Made by regionctl from the journal of the run ${runId}.`;
  return `${origin} What was not measured is a dash, never 0. Times are in UTC.`;
}

import type {DrillDocument, LoadObjectiveRow} from '../drill/report.ts';
import type {ObjectiveRow} from '../plan/plan-document.ts';
import {formatMs, NOT_MEASURED} from './units.ts';

/** What a word or a figure means: colour, and what JUnit makes of it. `unknown` is neither good nor bad. */
export type Tone = 'good' | 'warning' | 'bad' | 'unknown' | 'plain' | 'muted';

/** A few words with what they mean. */
export type Said = {readonly text: string; readonly tone: Tone};

/** A cell of a table: text, or text with a meaning. `code` = a name of machines: a digest, a reference. */
export type BlockCell = string | (Said & {readonly code?: true}) | {readonly text: string; readonly code: true; readonly tone?: Tone};

/** A column of a table. `end` = figures. */
export type Head = {readonly text: string; readonly end?: true};

/** One part of a report, the same in every format that is read by people. The first column of a table names its row. */
export type Block = {
  readonly id: string;
  readonly title: string;
  readonly says: readonly string[];
  readonly list: readonly string[];
  readonly table: {readonly heads: readonly Head[]; readonly rows: readonly (readonly BlockCell[])[]} | null;
};

/** The words of a cell, and what they mean. */
export function cellSaid(cell: BlockCell): Said {
  return typeof cell === 'string' ? {text: cell, tone: 'plain'} : {tone: 'plain', ...cell};
}

const VERDICTS: Readonly<Record<string, Said>> = {
  passed: {text: 'Passed', tone: 'good'},
  'objective-missed': {text: 'Objective missed', tone: 'bad'},
  'not-started': {text: 'Not started', tone: 'warning'},
  'not-measured': {text: 'Could not be measured', tone: 'unknown'},
};

/** The verdict in two or three words. */
export function verdictSaid({verdict, verdictCode, outcome}: Pick<DrillDocument, 'verdict' | 'verdictCode' | 'outcome'>): Said {
  if (verdictCode === 'not-ended') {
    if (outcome === 'running') return {text: 'Still running', tone: 'unknown'};
    return outcome === 'paused' ? {text: 'Waits for approval', tone: 'unknown'} : {text: 'Interrupted', tone: 'warning'};
  }
  return VERDICTS[verdictCode] ?? (verdict === 'failed' ? {text: 'Failed', tone: 'bad'} : {text: 'Could not be judged', tone: 'unknown'});
}

/** One objective of any kind. `share` is what was measured as a part of the target; null = not measured, or the target is 0. */
export type ObjectiveSaid = {
  readonly name: string;
  readonly target: string;
  readonly measured: string;
  readonly result: Said;
  readonly met: boolean | null;
  readonly measuredValue: number | null;
  readonly targetValue: number;
};

/** Every objective of a drill: of service classes, data classes and the load. */
export function objectivesSaid({objectives, loadObjectives, measured}: DrillDocument): ObjectiveSaid[] {
  return [...objectives.map((row) => classObjective(row, measured.lostWrites)), ...loadObjectives.map(loadObjective)];
}

function classObjective({kind, class: name, targetMs, measuredMs, met}: ObjectiveRow, lost: number | null): ObjectiveSaid {
  const writes = kind === 'rpo' && lost !== null ? `${count(lost, 'write')} lost` : '';
  const figure = measuredMs === null ? writes : [formatMeasured(measuredMs), ...(writes === '' ? [] : [`(${writes})`])].join(' ');
  return {
    name: `${kind.toUpperCase()} of ${name}`,
    target: `at most ${formatMs(targetMs)}`,
    measured: figure === '' ? NOT_MEASURED : figure,
    result: metSaid(met),
    met,
    measuredValue: measuredMs,
    targetValue: targetMs,
  };
}

function loadObjective({kind, phase, target, measured, met}: LoadObjectiveRow): ObjectiveSaid {
  const text = (value: number | null) => (kind === 'p95' ? formatMs(value) : formatShare(value));
  return {
    name: `${kind === 'p95' ? 'p95' : 'Error rate'} ${phase === 'during' ? 'during' : phase} the fault`,
    target: `at most ${text(target)}`,
    measured: kind === 'p95' ? formatMeasured(measured) : formatShare(measured),
    result: metSaid(met),
    met,
    measuredValue: measured,
    targetValue: target,
  };
}

/** Whether something was met; null = it could not be told. */
export function metSaid(met: boolean | null): Said {
  if (met === null) return {text: 'not measured', tone: 'unknown'};
  return met ? {text: 'met', tone: 'good'} : {text: 'missed', tone: 'bad'};
}

/** A measured duration in ms, more finely than `formatMs` below a minute, since it is compared: `412 ms`, `5.97 s`. */
export function formatMeasured(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms) || Math.round(ms) < 1000 || ms >= 59_995) return formatMs(ms);
  return `${(ms / 1000).toFixed(2)} s`;
}

/** A share from 0 to 1 for people: `0 %`, `0.4 %`, `12 %`. What is not 0 is never shown as 0. */
export function formatShare(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return NOT_MEASURED;
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '< 0.1 %';
  return `${percent >= 10 ? Math.round(percent) : Math.round(percent * 10) / 10} %`;
}

/** A count for people; not measured = a dash. */
export function formatCount(value: number | null | undefined): string {
  return value === null || value === undefined ? NOT_MEASURED : value.toLocaleString('en-US');
}

/** `1 write`, `3 writes`. */
export function count(many: number, what: string): string {
  return `${formatCount(many)} ${what}${many === 1 ? '' : 's'}`;
}

/** How long something took, from its times in ISO 8601; null as long as it has not ended. */
export function tookMs({startedAt, endedAt}: {readonly startedAt: string | null; readonly endedAt: string | null}): number | null {
  return startedAt === null || endedAt === null ? null : Math.max(0, Date.parse(endedAt) - Date.parse(startedAt));
}

import {cut} from '../output/table.ts';
import {padRight, textWidth} from '../output/text-width.ts';
import {formatMs} from '../output/units.ts';
import type {StepStatus} from '../plan/plan-document.ts';
import type {Line} from './line-view.tsx';
import {type Meaning, statusSign} from './meaning.ts';

/** What a line says of a step: of a run that this process drives, or of a run's document. Times are epoch ms, or ISO 8601. */
export type SteppedOn = {
  readonly phase: string;
  readonly title: string;
  readonly status: StepStatus;
  readonly startedAt: number | string | null;
  readonly endedAt: number | string | null;
  readonly detail: string | null;
};

/** `at`: now, epoch ms. `grainMs`: in which steps the time of a running one goes on, so that a line is drawn no more often. */
export type StepPlace = {readonly at: number; readonly grainMs: number; readonly columns: number};

const PHASE = 10;
/** The longest is `59 min 59 s`. */
const TOOK = 12;

/** A step as a line, the same wherever steps are shown: sign, phase, title, what is known of it, and how long it took or has been running. */
export function stepLine(step: SteppedOn, {at, grainMs, columns}: StepPlace): Line {
  const {symbol, meaning} = statusSign(step.status);
  const ms = tookMs(step, at, grainMs);
  const room = Math.max(0, columns - 2 - PHASE - TOOK);
  const title = cut(step.title, room - 1);
  const detail = step.detail === null ? '' : cut(`: ${step.detail}`, room - 1 - textWidth(title));
  const failed: Meaning | null = step.status === 'failed' ? 'critical' : null;
  return [
    {text: `${symbol} `, meaning},
    {text: padRight(cut(step.phase, PHASE - 1), PHASE), meaning: 'muted'},
    {text: title, meaning: failed ?? (step.status === 'pending' ? 'muted' : 'plain')},
    {text: padRight(detail, room - textWidth(title)), meaning: failed ?? 'muted'},
    {text: (ms === null ? '' : formatMs(ms)).padStart(TOOK), meaning: 'muted'},
  ];
}

/** A line as text, for where there is no colour. */
export function textOf(line: Line): string {
  return line
    .map(({text}) => text)
    .join('')
    .trimEnd();
}

/** How long a step took, or has been running; null = neither. */
function tookMs({status, startedAt, endedAt}: SteppedOn, at: number, grainMs: number): number | null {
  if (startedAt === null) return null;
  const started = epochOf(startedAt);
  if (endedAt !== null) return Math.max(0, epochOf(endedAt) - started);
  return status === 'running' ? Math.floor(Math.max(0, at - started) / grainMs) * grainMs : null;
}

const epochOf = (time: number | string): number => (typeof time === 'number' ? time : Date.parse(time));

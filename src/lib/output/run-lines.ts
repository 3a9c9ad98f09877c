import type {Plan} from '../plan/plan.ts';
import type {JournalEvent} from '../ports/state.ts';
import type {Meaning, Paint} from './paint.ts';
import {spoken} from './spoken.ts';
import {cut} from './table.ts';

/** `startedAt` (epoch ms) is what times are counted from. No line is wider than `columns`. */
export type RunLineOptions = {readonly plan: Plan; readonly startedAt: number; readonly paint: Paint; readonly columns: number};

type Words = {readonly symbol: string; readonly meaning: Meaning; readonly text: string};

/** One line for an event of a run: the time since its start, what it is, the step, and its sentence. Null = nothing that a reader waits for. */
export function runLine(event: JournalEvent, options: RunLineOptions): string | null {
  const words = wordsOf(event, options.plan);
  if (words === null) return null;
  const time = `${(Math.max(0, event.at - options.startedAt) / 1000).toFixed(1)} s`.padStart(8);
  const text = cut(words.text, Math.max(1, options.columns - time.length - words.symbol.length - 3));
  return `${options.paint.muted(time)}  ${options.paint[words.meaning](words.symbol)} ${text}`;
}

/* The sign alone says these. */
const SPOKEN: Readonly<Record<string, string>> = {
  'step-started': 'started: ',
  result: 'done: ',
  'step-skipped': 'skipped: ',
  'step-failed': 'failed: ',
  'step-blocked': 'blocked: ',
  'step-lost': 'lost: ',
  'approval-asked': 'waits for approval: ',
  'approval-expired': 'approval expired: ',
  'run-ended': 'ended: ',
};

/** The same for a screen reader: words for signs, and all of it: nobody can follow half of an instruction. */
export function spokenRunLine(event: JournalEvent, {plan, startedAt}: Pick<RunLineOptions, 'plan' | 'startedAt'>): string | null {
  const words = wordsOf(event, plan);
  if (words === null) return null;
  const time = `${(Math.max(0, event.at - startedAt) / 1000).toFixed(1)} s`;
  return spoken(`${time}  ${SPOKEN[event.type] ?? ''}${words.text}`);
}

function wordsOf(event: JournalEvent, plan: Plan): Words | null {
  const says = field(event, 'says');
  const step = [...plan.steps, ...plan.always].find(({id}) => id === event.step);
  const line = (symbol: string, meaning: Meaning, ...parts: readonly (string | null | undefined)[]): Words => ({
    symbol,
    meaning,
    text: parts.filter((part) => part !== null && part !== undefined && part !== '').join(': '),
  });
  switch (event.type) {
    case 'gate':
      return gateWords(event, line);
    case 'step-started':
      return line('▶', 'muted', step?.title);
    case 'result':
      return line('✓', 'good', step?.title, says);
    case 'step-skipped':
      return line('–', 'muted', step?.title, says);
    case 'step-failed':
      return line('✗', 'critical', step?.title, says);
    case 'step-blocked':
    case 'step-lost':
      return line('·', 'warning', step?.title, says);
    case 'undo-result':
      return line('↩', 'warning', `undone: ${step?.title ?? ''}`, field(event, 'undone'));
    case 'undo-failed':
      return line('✗', 'critical', `not undone: ${step?.title ?? ''}`, says);
    case 'approval-asked':
      return line('?', 'warning', step?.title, says);
    case 'approved':
    case 'rejected':
      return line(
        event.type === 'approved' ? '✓' : '✗',
        event.type === 'approved' ? 'good' : 'critical',
        `${event.type} by ${field(event, 'by') ?? ''}`,
        field(event, 'reason'),
      );
    case 'approval-expired':
      return line('✗', 'critical', step?.title, says);
    case 'abort-asked':
      return line('!', 'warning', `${field(event, 'by') ?? 'somebody'} told it to stop`, field(event, 'reason'));
    case 'note':
      return line('·', 'warning', says);
    case 'interrupted':
      return line('!', 'warning', says ?? 'interrupted');
    case 'resumed':
      return line('▶', 'strong', 'resumed');
    case 'run-ended':
      return endWords(event, line);
    default:
      return null;
  }
}

type Line = (symbol: string, meaning: Meaning, ...parts: readonly (string | null)[]) => Words;

/** Gates that passed are in the document; only those that a reader should know of are told while it runs. */
function gateWords(event: JournalEvent, line: Line): Words | null {
  const verdict = field(event, 'verdict');
  if (verdict === 'pass') return null;
  const overridden = typeof event.data === 'object' && event.data !== null && 'overridden' in event.data && event.data.overridden === true;
  return line(
    '!',
    overridden ? 'warning' : 'critical',
    `gate ${field(event, 'gate') ?? ''}${overridden ? ' (overridden)' : ''}`,
    field(event, 'says'),
  );
}

function endWords(event: JournalEvent, line: Line): Words {
  const outcome = field(event, 'outcome') ?? 'ended';
  const good = outcome === 'succeeded';
  return line(good ? '✓' : '✗', good ? 'good' : 'critical', outcome, field(event, 'reason'));
}

function field(event: JournalEvent, name: string): string | null {
  const data: Readonly<Record<string, unknown>> = typeof event.data === 'object' && event.data !== null ? {...event.data} : {};
  const value = data[name];
  return typeof value === 'string' ? value : null;
}

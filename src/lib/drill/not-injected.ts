import {EXIT, type ExitCode} from '../exit-codes.ts';
import {isRecord} from '../plan/json.ts';
import type {JournalEvent} from '../ports/state.ts';

/** The codes by which an injection fails before anything is touched, each with the exit code of a drill that had begun nothing else. */
const CODES: ReadonlyMap<string, ExitCode> = new Map([
  ['reaper-failed', EXIT.unavailable],
  ['fault-unrecorded', EXIT.state],
]);

/** The exit code of a run that ended for want of a reaper or a record; null = it ended for something else. */
export function notInjectedExit(code: string | null): ExitCode | null {
  return (code === null ? undefined : CODES.get(code)) ?? null;
}

/** Whether every injection that a step began failed before it touched anything. One without a word may have injected. Pure. */
export function neverInjected(events: readonly JournalEvent[], step: string): boolean {
  const ours = events.filter((event) => event.step === step);
  return ours.every(({type}, index) => type !== 'intent' || isRefusal(ours.slice(index + 1).find((event) => ENDS.has(event.type))));
}

const ENDS: ReadonlySet<string> = new Set(['intent', 'result', 'step-failed', 'step-skipped']);

function isRefusal(event: JournalEvent | undefined): boolean {
  return event?.type === 'step-failed' && isRecord(event.data) && CODES.has(String(event.data.code));
}

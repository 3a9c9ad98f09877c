import type {JournalEvent} from '../../../src/lib/ports/state.ts';

/**
 * Where a regionctl is killed: at a journal line (`step-started`, `intent`, `result`, …), or within an effect: `sent` = right after its first
 * statement or request that changes anything was sent, before the answer; `inside` = some ms after it began; `applied` = when it is done and
 * nothing is on record of it yet.
 */
export type Point = {readonly moment: string; readonly step: string};

/** What every effect of a run goes through. Nothing is sent by effects that only look: those die at their end. */
export const MOMENTS = ['step-started', 'intent', 'sent', 'inside', 'applied', 'result'] as const;
const LINES_OF_RUN = ['created', 'run-started', 'always-started', 'run-ended'] as const;

/** Every point of a run, told from the journal of one that nobody disturbed. `inside` is left out: it is asked for with its delay. */
export function pointsOf(events: readonly JournalEvent[]): readonly Point[] {
  const [created, started, always, ended] = LINES_OF_RUN.map((moment) => ({moment, step: ''}));
  const steps = events.flatMap(({type, step}): readonly Point[] => {
    if (step === null) return [];
    if (type === 'result') return MOMENTS.map((moment) => ({moment, step}));
    return type === 'step-skipped' ? ['step-started', 'step-skipped'].map((moment) => ({moment, step})) : [];
  });
  return [created, started, ...steps, always, ended].filter((point) => point !== undefined);
}

/** `moment:step`, or only the moment where there is no step. */
export const pointText = ({moment, step}: Point): string => (step === '' ? moment : `${moment}:${step}`);

/** Reads what `pointText` writes. */
export function pointFrom(text: string): Point {
  const at = text.indexOf(':');
  return at < 0 ? {moment: text, step: ''} : {moment: text.slice(0, at), step: text.slice(at + 1)};
}

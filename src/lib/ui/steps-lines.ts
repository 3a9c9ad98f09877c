import type {Line} from './line-view.tsx';
import type {StepView} from './run-store.ts';
import {stepLine} from './step-line.ts';
import {windowOn} from './step-window.ts';

/** `looked`: the step in the middle. */
export type StepsPlace = {readonly looked: number; readonly rows: number; readonly now: number; readonly columns: number};

/** A row is drawn ten times a second at most. */
const GRAIN_MS = 100;

/** The steps, as many as there is room for. */
export function stepLines(steps: readonly StepView[], {looked, rows, now, columns}: StepsPlace): readonly Line[] {
  const {from, to, earlier, later} = windowOn(steps.length, looked, rows);
  const hidden = (sign: string, count: number): readonly Line[] =>
    count === 0 ? [] : [[{text: `  ${sign} ${count} more`, meaning: 'muted'}]];
  return [
    ...hidden('↑', earlier),
    ...steps.slice(from, to).map((step) => stepLine(step, {at: now, grainMs: GRAIN_MS, columns})),
    ...hidden('↓', later),
  ];
}

/** The step that runs, else the one after the last that ended. */
export function currentOf(steps: readonly StepView[]): number {
  const running = steps.findIndex(({status}) => status === 'running');
  return running >= 0 ? running : steps.findLastIndex(({status}) => status !== 'pending') + 1;
}

import {isMove, type KeyAction, keyAction, keyLines, keysOf, MOVES, type Pressed} from './keys.ts';
import {centreWithin} from './step-window.ts';

/** What the reader of a run looks at. `at`: the step in the middle of the window; null = the one that runs. `offset`: lines of the help that are scrolled away. */
export type RunLook = {readonly at: number | null; readonly help: boolean; readonly offset: number};

/** The steps around the one that runs. */
export const FOLLOWING: RunLook = {at: null, help: false, offset: 0};

/** What there is to look at: the steps, which of them is at work, and the lines that they have. */
export type RunRoom = {readonly steps: number; readonly current: number; readonly rows: number};

/** The page of keys. */
export const RUN_HELP = keyLines(keysOf('run'));

/**
 * What is looked at after a key press; 'interrupt' = the run is told to stop. Several characters at once, as over a slow line, are as many presses, but
 * a run is only stopped by a key that came alone: a text that is pasted by mistake stops nothing.
 */
export function afterRunPress(
  look: RunLook,
  {input, key}: {readonly input: string; readonly key: Pressed},
  room: RunRoom,
): RunLook | 'interrupt' {
  const alone = key.ctrl === true || [...input].length <= 1;
  if (alone) {
    const action = keyAction('run', input, key);
    return action === 'quit' ? 'interrupt' : afterAction(look, action, room);
  }
  return [...input].reduce((next, press) => afterAction(next, keyAction('run', press, {escape: press === '\u001B'}), room), look);
}

function afterAction(look: RunLook, action: KeyAction | null, {steps, current, rows}: RunRoom): RunLook {
  if (action === null || action === 'quit') return look;
  if (isMove(action)) {
    if (look.help) {
      const most = Math.max(0, RUN_HELP.length - helpRows(rows));
      return {...look, offset: Math.min(most, Math.max(0, look.offset + MOVES[action](helpRows(rows))))};
    }
    // Where every step is seen, there is nowhere to go: the view goes on following.
    if (steps <= rows) return look;
    const from = centreWithin(steps, look.at ?? current, rows);
    return {...look, at: centreWithin(steps, from + MOVES[action](Math.max(1, rows - 2)), rows)};
  }
  if (look.help) return {...look, help: false};
  return action === 'help' ? {...look, help: true, offset: 0} : FOLLOWING;
}

/** The lines of the help below its title, of the rows that the steps would have. */
export function helpRows(rows: number): number {
  return Math.max(1, rows - 1);
}

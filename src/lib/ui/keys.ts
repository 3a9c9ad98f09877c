/** What a key does in the live view of a run. */
export type KeyAction = 'interrupt';

/** One row of the table of keys; the footer shows it, and the view obeys it. */
export type KeyRow = {
  readonly action: KeyAction;
  readonly shown: string;
  readonly does: string;
  matches(input: string, key: {readonly ctrl: boolean}): boolean;
};

/** Every key of the live view. */
export const RUN_KEYS: readonly KeyRow[] = [
  {
    action: 'interrupt',
    shown: 'q or Ctrl+C',
    does: 'stop: undo before the point of no return, finish after it',
    matches: (input, {ctrl}) => (input === 'q' && !ctrl) || (input === 'c' && ctrl),
  },
];

/** The action of a key press, or null. */
export function keyAction(input: string, key: {readonly ctrl: boolean}): KeyAction | null {
  return RUN_KEYS.find((row) => row.matches(input, key))?.action ?? null;
}

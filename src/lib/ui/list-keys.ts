import {type KeyAction, type KeyRow, type KeyWords, keyAction, keysOf, type Pressed} from './keys.ts';

/** Every key of a live view of a list, in the words of that view. */
export function listKeys(words: KeyWords): readonly KeyRow[] {
  return keysOf('list', words);
}

/** Which list a key press chooses; null = none. */
export function tabAfter(
  input: string,
  {tab, shift, ctrl}: Pressed,
  {count, current}: {readonly count: number; readonly current: number},
): number | null {
  if (tab === true) return (current + (shift === true ? count - 1 : 1)) % count;
  const chosen = ctrl === true ? 0 : '123456789'.slice(0, count).indexOf(input) + 1;
  return chosen === 0 || input.length !== 1 ? null : chosen - 1;
}

/** The action of a key press in a list, or null. */
export function listAction(input: string, key: Pressed): KeyAction | null {
  return keyAction('list', input, key);
}

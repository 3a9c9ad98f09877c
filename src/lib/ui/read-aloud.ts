import {spoken} from '../output/spoken.ts';
import {isRead} from './can-draw.ts';

/** Where lines go: data, and what is not data. */
type Out = {readonly print: (line: string) => void; readonly tell: (line: string) => void};

const NOTE = 'For a screen reader (INK_SCREEN_READER): a line for each change, and no keys. Ctrl+C ends it.';

/** The same lines in the words of a screen reader, where somebody has one on. What goes into a file, a pipe or a program stays as it is. */
export function readAloud(format: 'text' | 'ndjson', {print, tell}: Out): Out {
  if (format !== 'text' || !process.stdout.isTTY || !isRead()) return {print, tell};
  tell(NOTE);
  return {print: (line) => print(spoken(line)), tell: (line) => tell(spoken(line))};
}

import type {Key} from 'ink';

/** What a key does in the live view of health. */
export type WatchAction =
  | 'up'
  | 'down'
  | 'page-up'
  | 'page-down'
  | 'first'
  | 'last'
  | 'open'
  | 'back'
  | 'filter'
  | 'sort'
  | 'pause'
  | 'help'
  | 'quit';

/** The parts of Ink's key that are looked at. */
export type Pressed = Partial<
  Pick<Key, 'upArrow' | 'downArrow' | 'pageUp' | 'pageDown' | 'home' | 'end' | 'return' | 'escape' | 'backspace' | 'delete' | 'ctrl'>
>;

/** One row of the table of keys: the footer and the help show it, and the view obeys it. `short` null = only the help shows it. */
export type WatchKey = {
  readonly action: WatchAction;
  readonly shown: string;
  readonly does: string;
  readonly short: string | null;
  matches(input: string, key: Pressed): boolean;
};

const letter = (wanted: string) => (input: string, key: Pressed) => input === wanted && key.ctrl !== true;

/** Every key of the live view of health. */
export const WATCH_KEYS: readonly WatchKey[] = [
  {action: 'up', shown: '↑ or k', does: 'one up', short: null, matches: (input, key) => key.upArrow === true || letter('k')(input, key)},
  {
    action: 'down',
    shown: '↓ or j',
    does: 'one down',
    short: '↑↓ move',
    matches: (input, key) => key.downArrow === true || letter('j')(input, key),
  },
  {action: 'page-up', shown: 'PgUp', does: 'one screen up', short: null, matches: (_, key) => key.pageUp === true},
  {action: 'page-down', shown: 'PgDn', does: 'one screen down', short: null, matches: (_, key) => key.pageDown === true},
  {
    action: 'first',
    shown: 'Home or g',
    does: 'to the first',
    short: null,
    matches: (input, key) => key.home === true || letter('g')(input, key),
  },
  {
    action: 'last',
    shown: 'End or G',
    does: 'to the last',
    short: null,
    matches: (input, key) => key.end === true || letter('G')(input, key),
  },
  {action: 'open', shown: 'Enter', does: 'all about the chosen endpoint', short: 'Enter open', matches: (_, key) => key.return === true},
  {action: 'back', shown: 'Esc', does: 'back; in the list: show all again', short: null, matches: (_, key) => key.escape === true},
  {
    action: 'filter',
    shown: '/',
    does: 'show only what holds a text (region, endpoint, probe, verdict, reason)',
    short: '/ filter',
    matches: letter('/'),
  },
  {
    action: 'sort',
    shown: 's',
    does: 'sort: as in the file, worst first, slowest first, oldest first',
    short: 's sort',
    matches: letter('s'),
  },
  {
    action: 'pause',
    shown: 'Space or p',
    does: 'stop and go on changing the screen; asking goes on',
    short: 'p pause',
    matches: (input, key) => letter(' ')(input, key) || letter('p')(input, key),
  },
  {
    action: 'help',
    shown: '? or h',
    does: 'these keys',
    short: '? help',
    matches: (input, key) => letter('?')(input, key) || letter('h')(input, key),
  },
  {
    action: 'quit',
    shown: 'q or Ctrl+C',
    does: 'end',
    short: 'q quit',
    matches: (input, key) => letter('q')(input, key) || (input === 'c' && key.ctrl === true),
  },
];

/** The action of a key press, or null. */
export function watchAction(input: string, key: Pressed): WatchAction | null {
  return WATCH_KEYS.find((row) => row.matches(input, key))?.action ?? null;
}

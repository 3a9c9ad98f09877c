import type {Key} from 'ink';

/** What a key does in a live view of a list. */
export type ListAction =
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
  Pick<
    Key,
    | 'upArrow'
    | 'downArrow'
    | 'pageUp'
    | 'pageDown'
    | 'home'
    | 'end'
    | 'return'
    | 'escape'
    | 'backspace'
    | 'delete'
    | 'ctrl'
    | 'tab'
    | 'shift'
  >
>;

/** What the keys of one view are about: what a row is, what the filter looks in, the orders, and what goes on while the screen is paused. */
export type KeyWords = {readonly row: string; readonly holds: string; readonly orders: string; readonly goesOn: string};

/** One row of the table of keys: the footer and the help show it. `short` null = only the help shows it. */
export type ListKey = {readonly action: ListAction; readonly shown: string; readonly does: string; readonly short: string | null};

type Rule = Omit<ListKey, 'does'> & {readonly does: string | ((words: KeyWords) => string); matches(input: string, key: Pressed): boolean};

const letter = (wanted: string) => (input: string, key: Pressed) => input === wanted && key.ctrl !== true;

const RULES: readonly Rule[] = [
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
  {
    action: 'open',
    shown: 'Enter',
    does: ({row}) => `all about the chosen ${row}`,
    short: 'Enter open',
    matches: (_, key) => key.return === true,
  },
  {action: 'back', shown: 'Esc', does: 'back; in the list: show all again', short: null, matches: (_, key) => key.escape === true},
  {
    action: 'filter',
    shown: '/',
    does: ({holds}) => `show only what holds a text (${holds})`,
    short: '/ filter',
    matches: letter('/'),
  },
  {action: 'sort', shown: 's', does: ({orders}) => `sort: ${orders}`, short: 's sort', matches: letter('s')},
  {
    action: 'pause',
    shown: 'Space or p',
    does: ({goesOn}) => `stop and go on changing the screen; ${goesOn} goes on`,
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

/** Every key of a live view of a list, in the words of that view. */
export function listKeys(words: KeyWords): readonly ListKey[] {
  return RULES.map(({action, shown, does, short}) => ({action, shown, does: typeof does === 'string' ? does : does(words), short}));
}

/** The keys that choose one of several lists: Tab, and the number of each. */
export function tabKeys(names: readonly string[]): readonly {readonly shown: string; readonly does: string}[] {
  if (names.length === 0) return [];
  return [{shown: 'Tab', does: 'the next list'}, ...names.map((name, index) => ({shown: String(index + 1), does: `the list of ${name}`}))];
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

/** The action of a key press, or null. */
export function listAction(input: string, key: Pressed): ListAction | null {
  return RULES.find((rule) => rule.matches(input, key))?.action ?? null;
}

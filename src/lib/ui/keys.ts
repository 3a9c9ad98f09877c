import type {Key} from 'ink';

/** The live views: that of a list (health watch, replication lag --watch, the dashboard), and that of a run (a drill is one). */
export type LiveView = 'list' | 'run';

/** What a key does in a live view. */
export type KeyAction =
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
export type KeyRow = {readonly action: KeyAction; readonly shown: string; readonly does: string; readonly short: string | null};

/** What a key does in one view, and how the footer says so; without `short` only the help does. */
type Said = {readonly does: string | ((words: KeyWords) => string); readonly short?: string};

/** A key, and for each view in which it holds what it does there. */
type Rule = {
  readonly action: KeyAction;
  readonly shown: string;
  readonly views: Readonly<Partial<Record<LiveView, Said>>>;
  matches(input: string, key: Pressed): boolean;
};

const letter = (wanted: string) => (input: string, key: Pressed) => input === wanted && key.ctrl !== true;
const both = (said: Said) => ({list: said, run: said});

const RULES: readonly Rule[] = [
  {
    action: 'up',
    shown: '↑ or k',
    views: both({does: 'one up'}),
    matches: (input, key) => key.upArrow === true || letter('k')(input, key),
  },
  {
    action: 'down',
    shown: '↓ or j',
    views: {list: {does: 'one down', short: '↑↓ move'}, run: {does: 'one down: look at other steps, the run goes on'}},
    matches: (input, key) => key.downArrow === true || letter('j')(input, key),
  },
  {action: 'page-up', shown: 'PgUp', views: both({does: 'one screen up'}), matches: (_, key) => key.pageUp === true},
  {action: 'page-down', shown: 'PgDn', views: both({does: 'one screen down'}), matches: (_, key) => key.pageDown === true},
  {
    action: 'first',
    shown: 'Home or g',
    views: both({does: 'to the first'}),
    matches: (input, key) => key.home === true || letter('g')(input, key),
  },
  {
    action: 'last',
    shown: 'End or G',
    views: both({does: 'to the last'}),
    matches: (input, key) => key.end === true || letter('G')(input, key),
  },
  {
    action: 'open',
    shown: 'Enter',
    views: {list: {does: ({row}) => `all about the chosen ${row}`, short: 'Enter open'}},
    matches: (_, key) => key.return === true,
  },
  {
    action: 'back',
    shown: 'Esc',
    views: {list: {does: 'back; in the list: show all again'}, run: {does: 'back; in the steps: follow the one that runs'}},
    matches: (_, key) => key.escape === true,
  },
  {
    action: 'filter',
    shown: '/',
    views: {list: {does: ({holds}) => `show only what holds a text (${holds})`, short: '/ filter'}},
    matches: letter('/'),
  },
  {
    action: 'sort',
    shown: 's',
    views: {list: {does: ({orders}) => `sort: ${orders}`, short: 's sort'}},
    matches: letter('s'),
  },
  {
    // Not in the view of a run: whoever knows the key from a list could take a screen that stands still for a run that does.
    action: 'pause',
    shown: 'Space or p',
    views: {list: {does: ({goesOn}) => `stop and go on changing the screen; ${goesOn} goes on`, short: 'p pause'}},
    matches: (input, key) => letter(' ')(input, key) || letter('p')(input, key),
  },
  {
    action: 'help',
    shown: '? or h',
    views: both({does: 'these keys', short: '? help'}),
    matches: (input, key) => letter('?')(input, key) || letter('h')(input, key),
  },
  {
    action: 'quit',
    shown: 'q or Ctrl+C',
    views: {
      list: {does: 'end', short: 'q quit'},
      run: {
        does: 'stop: undo before the point of no return, finish after it',
        short: 'q or Ctrl+C: stop: undo before the point of no return, finish after it',
      },
    },
    matches: (input, key) => letter('q')(input, key) || (input === 'c' && key.ctrl === true),
  },
];

const NO_WORDS: KeyWords = {row: '', holds: '', orders: '', goesOn: ''};

/** Every key that holds in a view, in its words. */
export function keysOf(view: LiveView, words: KeyWords = NO_WORDS): readonly KeyRow[] {
  return RULES.flatMap(({action, shown, views}) => {
    const said = views[view];
    if (said === undefined) return [];
    const {does, short = null} = said;
    return [{action, shown, does: typeof does === 'string' ? does : does(words), short}];
  });
}

/** The action of a key press in a view, or null. */
export function keyAction(view: LiveView, input: string, key: Pressed): KeyAction | null {
  return RULES.find((rule) => rule.views[view] !== undefined && rule.matches(input, key))?.action ?? null;
}

/** What can be done from a list, where that is allowed: on what, and what happens. */
export const ACTION_KEYS = {
  S: 'on a region: switch over to it; shows the plan, and asks',
  F: 'on a region: fail over to it; shows the plan, and asks',
  A: 'on a run: tell it to stop; asks',
  R: 'on a run: go on with it; asks',
} as const;

/** A key as a page shows it. */
export type KeySays = Pick<KeyRow, 'shown' | 'does'>;

/** The keys that hold beside those of a list: of `names` lists Tab and the number of each, and, where `acts`, those that do something. */
export function keysAround(names: readonly string[], acts: boolean): readonly KeySays[] {
  const tabs = [
    {shown: 'Tab', does: 'the next list; Shift+Tab the one before'},
    {shown: `1 to ${names.length}`, does: names.join(', ')},
  ];
  const own = Object.entries(ACTION_KEYS).map(([shown, does]) => ({shown, does}));
  return [...(names.length === 0 ? [] : tabs), ...(acts ? own : [])];
}

/** Keys as a page shows them. */
export function keyLines(keys: readonly KeySays[]): readonly string[] {
  return keys.map(({shown, does}) => `${shown.padEnd(12)} ${does}`);
}

/** A way to move in a list. */
export type Move = 'up' | 'down' | 'page-up' | 'page-down' | 'first' | 'last';

/** How far each goes, where a screen has `page` lines. */
export const MOVES: Readonly<Record<Move, (page: number) => number>> = {
  up: () => -1,
  down: () => 1,
  'page-up': (page) => -page,
  'page-down': (page) => page,
  first: () => Number.NEGATIVE_INFINITY,
  last: () => Number.POSITIVE_INFINITY,
};

/** Whether an action moves. */
export const isMove = (action: KeyAction): action is Move => Object.hasOwn(MOVES, action);

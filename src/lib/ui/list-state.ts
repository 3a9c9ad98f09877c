import {isMove, type KeyAction, MOVES, type Pressed} from './keys.ts';
import {listAction} from './list-keys.ts';

/** A list that a live view shows: where its rows are, what they are known by, what a filter looks in, and how they can be sorted. */
export type List<V, R, S extends string> = {
  readonly all: (view: V) => readonly R[];
  readonly keyOf: (row: R) => string;
  readonly textOf: (row: R) => string;
  /** The orders, the first one first. One without a comparison is that of the view. */
  readonly sorts: readonly [S, ...S[]];
  /** Equals stay in the order of the view: a list whose rows jump cannot be read. */
  readonly orders: Readonly<Partial<Record<S, (a: R, b: R, view: V) => number>>>;
};

/** What the reader has chosen. `cursor`: the key of the chosen row, null = the first. `typing` = the filter is being written. */
export type ListState<V, S extends string> = {
  readonly cursor: string | null;
  readonly filter: string;
  readonly typing: boolean;
  readonly sort: S;
  readonly open: boolean;
  readonly help: boolean;
  /** How many lines of the help, or of what is open, are scrolled away. */
  readonly offset: number;
  /** What is shown while paused; null = what is now. */
  readonly frozen: V | null;
};

/** Everything, in the first order. */
export function firstState<V, R, S extends string>({sorts: [sort]}: List<V, R, S>): ListState<V, S> {
  return {cursor: null, filter: '', typing: false, sort, open: false, help: false, offset: 0, frozen: null};
}

/** The rows that are shown, in their order. */
export function shownRows<V, R, S extends string>(
  {all, textOf, orders}: List<V, R, S>,
  view: V,
  {filter, sort}: Pick<ListState<V, S>, 'filter' | 'sort'>,
): readonly R[] {
  const wanted = filter.toLowerCase();
  const rows = all(view);
  const shown = wanted === '' ? rows : rows.filter((each) => textOf(each).toLowerCase().includes(wanted));
  const order = orders[sort];
  return order === undefined ? shown : shown.toSorted((a, b) => order(a, b, view));
}

/** The index of the chosen row; one that is not shown any more leaves the first. */
export function indexOf<V, R, S extends string>(
  {keyOf}: List<V, R, S>,
  {cursor}: Pick<ListState<V, S>, 'cursor'>,
  rows: readonly R[],
): number {
  return Math.max(
    0,
    rows.findIndex((row) => keyOf(row) === cursor),
  );
}

/** How many rows there are on the screen, and how many lines the help, or what is open, would need. */
export type Room<V, S extends string> = {readonly page: number; readonly lines: (state: ListState<V, S>) => number};

/** What a key press needs to know beside the state. */
export type Pressing<V, S extends string> = {readonly view: V} & Room<V, S>;

/**
 * The state after a key press; null = the view is to end. Several characters at once are as many presses: over a slow line, and when something is
 * pasted, they come together.
 */
export function afterPress<V, R, S extends string>(
  list: List<V, R, S>,
  state: ListState<V, S>,
  {input, key}: {readonly input: string; readonly key: Pressed},
  pressing: Pressing<V, S>,
): ListState<V, S> | null {
  const presses = key.ctrl === true || [...input].length <= 1 ? [input] : [...input];
  let next = state;
  for (const press of presses) {
    const pressed: Pressed =
      presses.length === 1 ? key : {return: press === '\r', escape: press === '\u001B', backspace: press === '\u007F'};
    const action = listAction(press, pressed);
    const isEnd = pressed.ctrl === true && press === 'c';
    if (next.typing && !isEnd) next = afterTyping(next, press, pressed);
    else if (action === 'quit') return null;
    else if (action !== null) next = afterAction(list, next, action, pressing);
  }
  return next;
}

/** The state after a key while the filter is written: Enter keeps it, Esc drops it. */
function afterTyping<V, S extends string>(state: ListState<V, S>, input: string, key: Pressed): ListState<V, S> {
  if (key.return === true) return {...state, typing: false};
  if (key.escape === true) return {...state, typing: false, filter: ''};
  if (key.backspace === true || key.delete === true) return {...state, filter: state.filter.slice(0, -1)};
  if (key.ctrl === true) return input === 'u' ? {...state, filter: ''} : state;
  return {...state, filter: `${state.filter}${input.replaceAll(/[^\x20-\u{10ffff}]/gu, '')}`.slice(0, 60)};
}

function afterAction<V, R, S extends string>(
  list: List<V, R, S>,
  state: ListState<V, S>,
  action: Exclude<KeyAction, 'quit'>,
  {view, page, lines}: Pressing<V, S>,
): ListState<V, S> {
  if ((state.help || state.open) && isMove(action)) {
    const most = Math.max(0, lines(state) - page);
    return {...state, offset: Math.min(most, Math.max(0, state.offset + MOVES[action](page)))};
  }
  if (state.help) return {...state, help: false, offset: 0};
  const rows = shownRows(list, state.frozen ?? view, state);
  const cursorAt = (by: number): string | null => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, indexOf(list, state, rows) + by))];
    return row === undefined ? null : list.keyOf(row);
  };
  switch (action) {
    case 'help':
      return {...state, help: true, offset: 0};
    case 'filter':
      return {...state, typing: true, open: false};
    case 'sort':
      return {...state, sort: list.sorts[(list.sorts.indexOf(state.sort) + 1) % list.sorts.length] ?? list.sorts[0]};
    case 'pause':
      return {...state, frozen: state.frozen === null ? view : null};
    case 'open':
      return rows.length === 0 ? state : {...state, open: true, offset: 0, cursor: cursorAt(0)};
    case 'back':
      return state.open ? {...state, open: false} : {...state, filter: ''};
    default:
      return {...state, cursor: cursorAt(MOVES[action](page))};
  }
}

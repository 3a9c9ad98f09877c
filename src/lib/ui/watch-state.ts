import type {EndpointNow, MonitorView} from '../health/monitor.ts';
import {isWorse} from '../health/verdict.ts';
import {type Pressed, type WatchAction, watchAction} from './watch-keys.ts';

/** The orders of the list: as the fleet file has it, worst verdict, highest latency, oldest answer first. */
export const SORTS = ['file', 'worst', 'slowest', 'oldest'] as const;
export type Sort = (typeof SORTS)[number];

/** What the reader has chosen. `cursor`: the key of the chosen endpoint, null = the first. `typing` = the filter is being written. */
export type WatchState = {
  readonly cursor: string | null;
  readonly filter: string;
  readonly typing: boolean;
  readonly sort: Sort;
  readonly open: boolean;
  readonly help: boolean;
  /** How many lines of the help, or of what is open, are scrolled away. */
  readonly offset: number;
  /** What is shown while paused; null = what is now. */
  readonly frozen: MonitorView | null;
};

/** Everything, in the order of the file. */
export const FIRST_STATE: WatchState = {
  cursor: null,
  filter: '',
  typing: false,
  sort: 'file',
  open: false,
  help: false,
  offset: 0,
  frozen: null,
};

/** The key of an endpoint. */
export const keyOf = ({region, name}: Pick<EndpointNow, 'region' | 'name'>): string => `${region}/${name}`;

/** The endpoints that are shown, in their order. */
export function rowsOf({endpoints, at}: MonitorView, {filter, sort}: Pick<WatchState, 'filter' | 'sort'>): readonly EndpointNow[] {
  const wanted = filter.toLowerCase();
  const shown = wanted === '' ? endpoints : endpoints.filter((each) => textOf(each).includes(wanted));
  if (sort === 'file') return shown;
  const by: Readonly<Record<Exclude<Sort, 'file'>, (a: EndpointNow, b: EndpointNow) => number>> = {
    // Equals stay in the order of the file: a list whose rows jump cannot be read.
    worst: byVerdict,
    slowest: (a, b) => latencyOf(b) - latencyOf(a),
    oldest: (a, b) => ageMs(b, at) - ageMs(a, at),
  };
  return shown.toSorted(by[sort]);
}

/** How long ago it was last answered or found silent, in ms; Infinity = never asked. */
export function ageMs({judged}: EndpointNow, at: number): number {
  return judged === null ? Number.POSITIVE_INFINITY : Math.max(0, at - judged.reading.at);
}

function textOf({region, name, probe, judged}: EndpointNow): string {
  return `${region}/${name} ${probe} ${judged?.verdict ?? 'not asked'} ${judged?.code ?? ''} ${judged?.reason ?? ''}`.toLowerCase();
}

function byVerdict(a: EndpointNow, b: EndpointNow): number {
  if (a.judged === null || b.judged === null) return (a.judged === null ? 1 : 0) - (b.judged === null ? 1 : 0);
  if (a.judged.verdict === b.judged.verdict) return 0;
  return isWorse(a.judged.verdict, b.judged.verdict) ? -1 : 1;
}

const latencyOf = ({judged}: EndpointNow): number => judged?.reading.result.latencyMs ?? -1;

/** What an action needs to know: the rows that are shown, how many fit, and what is now. */
export type Around = {readonly rows: readonly EndpointNow[]; readonly now: MonitorView} & Room;

/** How many rows there are, and how many lines the help, or what is open, would need. */
export type Room = {readonly page: number; readonly lines: (state: WatchState) => number};

/** The state after an action. `quit` is not for here. */
export function afterAction(state: WatchState, action: WatchAction, around: Around): WatchState {
  if ((state.help || state.open) && isMove(action)) return scrolled(state, action, around);
  if (state.help) return {...state, help: false, offset: 0};
  switch (action) {
    case 'help':
      return {...state, help: true, offset: 0};
    case 'filter':
      return {...state, typing: true, open: false};
    case 'sort':
      return {...state, sort: SORTS[(SORTS.indexOf(state.sort) + 1) % SORTS.length] ?? 'file'};
    case 'pause':
      return {...state, frozen: state.frozen === null ? around.now : null};
    case 'open':
      return around.rows.length === 0 ? state : {...state, open: true, offset: 0, cursor: at(state, around, 0)};
    case 'back':
      return state.open ? {...state, open: false} : {...state, filter: ''};
    case 'quit':
      return state;
    default:
      return {...state, cursor: at(state, around, MOVES[action](around))};
  }
}

type Move = 'up' | 'down' | 'page-up' | 'page-down' | 'first' | 'last';

const isMove = (action: WatchAction): action is Move => Object.hasOwn(MOVES, action);

function scrolled(state: WatchState, move: Move, around: Around): WatchState {
  const most = Math.max(0, around.lines(state) - around.page);
  return {...state, offset: Math.min(most, Math.max(0, state.offset + MOVES[move](around)))};
}

const MOVES: Readonly<Record<Move, (around: Around) => number>> = {
  up: () => -1,
  down: () => 1,
  'page-up': ({page}) => -page,
  'page-down': ({page}) => page,
  first: () => Number.NEGATIVE_INFINITY,
  last: () => Number.POSITIVE_INFINITY,
};

/** The index of the chosen row; one that is not shown any more leaves the first. */
export function indexOf({cursor}: Pick<WatchState, 'cursor'>, rows: readonly EndpointNow[]): number {
  return Math.max(
    0,
    rows.findIndex((row) => keyOf(row) === cursor),
  );
}

function at(state: WatchState, {rows}: Around, by: number): string | null {
  const row = rows[Math.min(rows.length - 1, Math.max(0, indexOf(state, rows) + by))];
  return row === undefined ? null : keyOf(row);
}

/** The state after a key while the filter is written: Enter keeps it, Esc drops it. */
export function afterTyping(state: WatchState, input: string, key: Pressed): WatchState {
  if (key.return === true) return {...state, typing: false};
  if (key.escape === true) return {...state, typing: false, filter: ''};
  if (key.backspace === true || key.delete === true) return {...state, filter: state.filter.slice(0, -1)};
  if (key.ctrl === true) return input === 'u' ? {...state, filter: ''} : state;
  return {...state, filter: `${state.filter}${input.replaceAll(/[^\x20-\u{10ffff}]/gu, '')}`.slice(0, 60)};
}

/** What a key press needs to know beside the state. */
export type Pressing = {readonly view: MonitorView} & Room;

/**
 * The state after a key press; null = the view is to end. Several characters at once are as many presses: over a slow line, and when something is
 * pasted, they come together.
 */
export function afterPress(state: WatchState, input: string, key: Pressed, {view, ...room}: Pressing): WatchState | null {
  const presses = key.ctrl === true || [...input].length <= 1 ? [input] : [...input];
  let next = state;
  for (const press of presses) {
    const pressed: Pressed =
      presses.length === 1 ? key : {return: press === '\r', escape: press === '\u001B', backspace: press === '\u007F'};
    const action = watchAction(press, pressed);
    const isEnd = pressed.ctrl === true && press === 'c';
    if (next.typing && !isEnd) next = afterTyping(next, press, pressed);
    else if (action === 'quit') return null;
    else if (action !== null) next = afterAction(next, action, {rows: rowsOf(next.frozen ?? view, next), now: view, ...room});
  }
  return next;
}

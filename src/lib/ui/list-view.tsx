import {Box, Text, useAnimation, useInput, useStdin, useWindowSize} from 'ink';
import {useEffect, useRef, useState} from 'react';
import {cut} from '../output/table.ts';
import {textWidth} from '../output/text-width.ts';
import type {Pressed} from './keys.ts';
import {type ACTION_KEYS, type KeyRow, type KeySays, keyLines, keysAround} from './keys.ts';
import {type Line, Lines, OneLine, type Page, type Part, type Place, Reading, type Space, Title} from './line-view.tsx';
import {tabAfter} from './list-keys.ts';
import {afterPress, firstState, indexOf, type List, type ListState, shownRows} from './list-state.ts';
import {styleOf} from './meaning.ts';
import {windowOn} from './step-window.ts';

/** What every such view shows: when it was taken (epoch ms), and what the reader should know about it. */
export type Viewed = {readonly at: number; readonly notes: readonly string[]};

/** Something that can be done about a row: its key, and the words of the command that does it; null = not about this one. */
export type RowAction<R> = {readonly key: keyof typeof ACTION_KEYS; readonly words: (row: R) => readonly string[] | null};

/** How one list looks: everything that is not the same for every list. */
export type ListLook<V extends Viewed, R, S extends string> = {
  readonly list: List<V, R, S>;
  readonly keys: readonly KeyRow[];
  /** The first line: the name, how all of it stands, and figures. */
  readonly title: (view: V) => {readonly name: string; readonly stands: Part; readonly figures: Part};
  /** Lines above the list. */
  readonly head: (view: V, space: Space) => readonly Line[];
  /** Lines below the list; not shown while something is read. */
  readonly foot?: (view: V, rows: readonly R[], chosen: R | undefined, space: Space) => readonly Line[];
  /** What is below the list takes all the room that the rows leave. Default: a quarter of the screen at most. */
  readonly fills?: true;
  /** What the signs in the rows say, for the help. */
  readonly signs?: readonly KeySays[];
  /** The titles of the columns, and the line of a row behind the mark of the chosen one. */
  readonly table: (rows: readonly R[], view: V, columns: number) => {readonly titles: string; readonly line: (row: R) => Line};
  /** All about one row. */
  readonly detail: (row: R, view: V, columns: number) => Page;
  /** What can be done about a row, by keys of its own. */
  readonly actions?: readonly RowAction<R>[];
  /** What stands for a list without rows. */
  readonly empty: (view: V) => string;
};

/** Several lists of which one is shown. All of them stand still together: `onPause` is told of it. */
export type Tabs = {
  readonly names: readonly string[];
  readonly current: number;
  /** `typed`: what was pressed right behind it, for that list. */
  readonly onTab: (index: number, typed: string) => void;
  /** What was pressed for the list that is shown now, before it was. */
  readonly typed?: string;
  readonly onPause: (isPaused: boolean) => void;
};

/** `onQuit` is asked for, not acted on: the command ends the monitor first. `kept`: what the reader chose stays there while another list is shown. */
export type ListViewProps<V extends Viewed, R, S extends string> = {
  readonly look: ListLook<V, R, S>;
  /** `onChange` tells that something has changed, so that it is drawn before the next frame is due. */
  readonly monitor: {view(): V; onChange?(listener: () => void): () => void};
  readonly colour: boolean;
  readonly onQuit: () => void;
  /** Absent = nothing can be done from here: the keys of actions are not shown, and do nothing. */
  readonly onAction?: ((words: readonly string[]) => void) | undefined;
  readonly tabs?: Tabs;
  readonly kept?: {state?: ListState<V, S>};
  /** What stands still since another list was shown; null = nothing does. */
  readonly frozen?: V | null;
};

/** Ages are in whole seconds; a change is drawn at once. */
const FRAME_MS = 1000;
/** At first every source answers for the first time. */
const [YOUNG_MS, YOUNG_FRAME_MS] = [3000, 250];
/** Changes that come together are drawn together. */
const CHANGE_MS = 50;
/** A terminal with fewer rows has no room for two things at once. */
const LOW = 20;
/** Beside the list and what is above and below it: title, blank, titles of columns, blank, footer. */
const CHROME = 5;
/** The fewest rows of the list. */
const FEWEST = 3;

/** A live view of a list with what belongs above and below it. It fills the terminal, which has it for itself. */
export function ListView<V extends Viewed, R, S extends string>({
  look,
  monitor,
  colour,
  onQuit,
  onAction,
  tabs,
  kept,
  frozen = null,
}: ListViewProps<V, R, S>) {
  const [began] = useState(() => performance.now());
  useAnimation({interval: performance.now() - began < YOUNG_MS ? YOUNG_FRAME_MS : FRAME_MS});
  useChanges(monitor);
  const {list} = look;
  const names = tabs?.names ?? [];
  const acts = onAction !== undefined;
  const [state, setState] = useState(() => ({...(kept?.state ?? firstState(list)), frozen}));
  // Several keys may come before the next frame: each must find what the one before has done.
  const latest = useRef(state);
  const {columns, rows: height} = useWindowSize();
  const {isRawModeSupported} = useStdin();
  const now = monitor.view();
  const view = state.frozen ?? now;
  const rows = shownRows(list, view, state);
  const {head, foot, page, note} = partsOf({look, state, view, rows, columns, height: tabs === undefined ? height : height - 1});
  const choose = (input: string, key: Pressed): boolean => {
    if (latest.current.typing) return false;
    const place = {count: names.length, current: tabs?.current ?? 0};
    const chosen = names.length === 0 ? null : tabAfter(input.slice(0, 1), {...key, tab: key.tab === true || input[0] === '\t'}, place);
    if (chosen !== null) tabs?.onTab(chosen, input.slice(1));
    // The help hides the row that would be acted on.
    const mayAct = chosen === null && !latest.current.help;
    const words = mayAct && onAction !== undefined ? wordsFor(look, input, rows[indexOf(list, latest.current, rows)]) : null;
    if (words !== null) onAction?.(words);
    return chosen !== null || words !== null;
  };
  const press = (input: string, key: Pressed): unknown => {
    // What comes together over a slow line is as many presses, and a list that one of them chooses gets those after it.
    const at = names.length === 0 || key.ctrl === true ? -1 : tabAt(input, latest.current.typing);
    if (at > 0) {
      press(input.slice(0, at), {});
      return press(input.slice(at), {});
    }
    if (choose(input, key)) return null;
    const lines = (asked: ListState<V, S>) =>
      pageOf({look, state: asked, view: asked.frozen ?? now, columns, tabs: names, acts})?.lines.length ?? 0;
    const pressed = {input, key: input === '\r' ? {...key, return: true} : key};
    const next = afterPress(list, latest.current, pressed, {view: now, page, lines});
    if (next === null) return onQuit();
    if ((next.frozen === null) !== (latest.current.frozen === null)) tabs?.onPause(next.frozen !== null);
    latest.current = next;
    if (kept !== undefined) kept.state = next;
    return setState(next);
  };
  // Where a key acts on the chosen row, no other one may come in its place while it is pressed.
  const first = rows[0];
  const isHidden = !state.typing && !rows.some((row) => list.keyOf(row) === state.cursor);
  const isUnpinned = acts && look.actions !== undefined && first !== undefined && isHidden;
  useEffect(() => {
    if (!isUnpinned) return;
    latest.current = {...latest.current, cursor: list.keyOf(first)};
    setState(latest.current);
  });
  useInput(press, {isActive: isRawModeSupported});
  const typed = tabs?.typed ?? '';
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when this list is shown
  useEffect(() => {
    if (typed !== '') press(typed, {});
  }, []);
  const read = pageOf({look, state, view, columns, tabs: names, acts});
  return (
    // The last line of the terminal stays free: Ink's next frame begins on it otherwise.
    <Box flexDirection="column" width={columns} height={look.fills === true ? height - 1 : height}>
      <Title {...look.title(view)} at={view.at} paused={state.frozen !== null} columns={columns} colour={colour} />
      {tabs !== undefined && <TabBar {...tabs} columns={columns} colour={colour} />}
      <Lines lines={head} colour={colour} above />
      <Box flexDirection="column" height={page + 1} marginTop={1}>
        {read === null ? (
          <Rows look={look} view={view} state={state} rows={rows} page={page} columns={columns} colour={colour} />
        ) : (
          <Reading {...read} from={state.offset} most={page} columns={columns} colour={colour} />
        )}
      </Box>
      <Box flexDirection="column" flexGrow={look.fills === true ? 1 : 0}>
        <Lines lines={foot} colour={colour} />
      </Box>
      {note !== undefined && <Text {...styleOf('warning', colour)}>{cut(note, columns)}</Text>}
      <Footer look={look} view={view} state={state} shown={rows.length} columns={columns} colour={colour} />
    </Box>
  );
}

/** Draws soon after each change. */
function useChanges(monitor: Pick<ListViewProps<Viewed, unknown, string>['monitor'], 'onChange'>): void {
  const [, setChanges] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a monitor is the same as long as its list is shown
  useEffect(() => {
    let timer: NodeJS.Timeout | undefined;
    const end = monitor.onChange?.(() => {
      timer ??= setTimeout(() => {
        timer = undefined;
        setChanges((count) => count + 1);
      }, CHANGE_MS);
    });
    return () => {
      end?.();
      clearTimeout(timer);
    };
  }, []);
}

type Screen<V extends Viewed, R, S extends string> = {
  readonly look: ListLook<V, R, S>;
  readonly state: ListState<V, S>;
  readonly view: V;
  readonly rows: readonly R[];
  readonly columns: number;
  readonly height: number;
};

/** What is above and below the list, and how many rows are left for it. */
function partsOf<V extends Viewed, R, S extends string>({look, state, view, rows, columns, height}: Screen<V, R, S>) {
  const reads = state.open || state.help;
  // Whoever reads about one has the rows of all on a low terminal.
  const most = reads && height < LOW ? 1 : Math.max(3, Math.floor(height / 4));
  const note = view.notes[0];
  const free = height - CHROME - (note === undefined ? 0 : 1);
  // Rows come first: what has no room above them, and a blank line, is not there.
  const above = Math.min(most, free - 1 - (reads ? FEWEST : Math.min(FEWEST, Math.max(1, rows.length))));
  const head = above < 1 ? [] : look.head(view, {most: above, columns});
  const left = free - (head.length === 0 ? 0 : head.length + 1);
  const low = Math.min(most, left - Math.min(rows.length, FEWEST + 1));
  const room = look.fills === true ? Math.max(low, left - Math.max(FEWEST, rows.length)) : low;
  const chosen = rows[indexOf(look.list, state, rows)];
  const foot = reads || look.foot === undefined || room < 1 ? [] : look.foot(view, rows, chosen, {most: room, columns});
  const page = Math.max(FEWEST, left - foot.length);
  // What fills the room stands right below the rows.
  return {head, foot, note, page: look.fills === true && !reads ? Math.max(FEWEST, Math.min(rows.length, page)) : page};
}

/** Where in what was pressed a list is chosen, -1 = nowhere. Behind a key that begins a filter everything is text. */
function tabAt(input: string, typing: boolean): number {
  return typing ? -1 : input.slice(0, /[/]|$/.exec(input)?.index).search(/[\t1-9]/);
}

/** The words of the command that a key asks for about a row. */
function wordsFor<V extends Viewed, R, S extends string>(
  {actions = []}: ListLook<V, R, S>,
  input: string,
  row: R | undefined,
): readonly string[] | null {
  const action = actions.find(({key}) => key === input);
  return action === undefined || row === undefined ? null : action.words(row);
}

type Asked<V extends Viewed, R, S extends string> = Omit<Screen<V, R, S>, 'rows' | 'height'> & {
  readonly tabs: readonly string[];
  readonly acts: boolean;
};

/** What is read instead of the list: the keys, or all about the chosen row; null = the list is shown. */
function pageOf<V extends Viewed, R, S extends string>({look, state, view, columns, tabs, acts}: Asked<V, R, S>): Page | null {
  const {list, keys, detail, signs = []} = look;
  if (state.help) {
    const told = signs.length === 0 ? [] : ['', 'signs', ...keyLines(signs)];
    const lines = [...keyLines([...keys, ...keysAround(tabs, acts)]), ...told];
    return {title: 'keys', lines: lines.map((line) => cut(line, columns - 2))};
  }
  if (!state.open) return null;
  const rows = shownRows(list, view, state);
  const chosen = rows[indexOf(list, state, rows)];
  return chosen === undefined ? null : detail(chosen, view, columns - 2);
}

/** The names of the lists, the one that is shown in brackets. */
function TabBar({names, current, columns, colour}: Tabs & Place) {
  const words = names.map((name, index) => (index === current ? `[${index + 1} ${name}]` : ` ${index + 1} ${name} `));
  const fits = words.join(' ').length <= columns;
  return (
    <Text wrap="truncate">
      {(fits ? words : words.slice(current, current + 1)).map((word, index) => (
        <Text key={names[index]} {...styleOf(word.startsWith('[') ? 'strong' : 'muted', colour)}>
          {`${word} `}
        </Text>
      ))}
    </Text>
  );
}

type RowsProps<V extends Viewed, R, S extends string> = Place & Omit<Screen<V, R, S>, 'height'> & {readonly page: number};

function Rows<V extends Viewed, R, S extends string>({look, view, state, rows, page, columns, colour}: RowsProps<V, R, S>) {
  const {list} = look;
  const index = indexOf(list, state, rows);
  const muted = styleOf('muted', colour);
  if (rows.length === 0)
    return <Text {...muted}>{cut(state.filter === '' ? look.empty(view) : 'nothing matches the filter', columns)}</Text>;
  const {from, to, earlier, later} = windowOn(rows.length, index, page);
  const {titles, line} = look.table(rows, view, columns);
  return (
    <>
      <Text {...muted} wrap="truncate">
        {titles}
      </Text>
      {earlier > 0 && <Text {...muted}>{`  ↑ ${earlier} more`}</Text>}
      {rows.slice(from, to).map((row, at) => {
        const chosen = from + at === index;
        const mark: Part = {text: chosen ? '▸' : ' ', meaning: 'plain'};
        return <OneLine key={list.keyOf(row)} line={[mark, ...line(row)]} inverse={chosen} colour={colour} />;
      })}
      {later > 0 && <Text {...muted}>{`  ↓ ${later} more`}</Text>}
    </>
  );
}

type FooterProps<V extends Viewed, R, S extends string> = Place &
  Pick<Screen<V, R, S>, 'look' | 'view' | 'state'> & {readonly shown: number};

function Footer<V extends Viewed, R, S extends string>({look, view, state, shown, columns, colour}: FooterProps<V, R, S>) {
  const all = look.list.all(view).length;
  if (state.typing) return <Text>{cut(`/${state.filter}█  Enter keeps it, Esc shows all (${shown} of ${all})`, columns)}</Text>;
  const filter = state.filter === '' ? [] : [`/${state.filter}: ${shown} of ${all}`];
  const isRead = state.open || state.help;
  const hints = look.keys.flatMap(({action, short}) => (short === null || action === 'help' || action === 'quit' ? [] : [short]));
  const parts = {
    first: isRead ? [] : filter,
    hints: isRead ? ['Esc back', '↑↓ PgUp PgDn scroll'] : hints,
    last: isRead ? [] : [`sorted: ${state.sort}`],
  };
  return <Text {...styleOf('muted', colour)}>{footerText(parts, columns)}</Text>;
}

type FooterParts = Readonly<Record<'first' | 'hints' | 'last', readonly string[]>>;

/** Whoever is lost finds help and the way out, whatever else has no room: hints go first, then the order, then the end of the filter. */
function footerText({first, hints, last}: FooterParts, columns: number): string {
  const must = '? help  q quit';
  const shown = (count: number, end: readonly string[]) => [...first, ...hints.slice(0, count), must, ...end].join('  ');
  for (const end of [last, []]) {
    for (let count = hints.length; count >= 0; count--) {
      const text = shown(count, end);
      if (textWidth(text) <= columns) return text;
    }
  }
  const room = columns - must.length - 2;
  return room < 3 ? cut(must, columns) : `${cut(first.join('  '), room)}  ${must}`;
}

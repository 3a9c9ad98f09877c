import type {Monitor} from '../health/monitor.ts';
import type {LagMonitor} from '../operate/lag-watch.ts';
import {linkChangeLine, linkLines} from '../output/lag-lines.ts';
import {linkName, unreadSays} from '../output/lag-text.ts';
import {changeLine, firstLines} from '../output/watch-lines.ts';
import type {Clock} from '../ports/clock.ts';
import {canDraw} from './can-draw.ts';
import type {LagLookOptions} from './lag-look.ts';
import {loadView} from './load-view.ts';
import type {WatchMount} from './mount-watch.tsx';
import {readAloud} from './read-aloud.ts';

/** Something that shows a monitor until it is ended. */
export type Shown = {end(): Promise<void>};

/** What ends a watch. */
export type WatchEnds = {readonly interrupt: AbortSignal; readonly forMs: number | undefined; readonly clock: Pick<Clock, 'sleep'>};

/** Resolves when the reader quits, a signal comes, the time is over, or nobody can read any more. */
export function watchEnd({interrupt, forMs, clock}: WatchEnds): {readonly ended: Promise<void>; readonly quit: () => void} {
  const {promise, resolve} = Promise.withResolvers<void>();
  // A signal may have come while this was loaded.
  if (interrupt.aborted) resolve();
  interrupt.addEventListener('abort', () => resolve(), {once: true});
  process.stdout.on('error', () => resolve());
  if (forMs !== undefined) clock.sleep(forMs, interrupt).then(resolve, resolve);
  return {ended: promise, quit: resolve};
}

/** Whether a watch is drawn here: on a terminal that can, for a person who sees it and did not ask for lines. */
export function mayDraw(format: string | undefined): boolean {
  return format === undefined && canDraw();
}

/** Draws a monitor of health on a terminal. */
export async function drawWatch(monitor: Monitor, mount: WatchMount): Promise<Shown> {
  const {mountWatch} = await loadView(() => import('./mount-watch.tsx'));
  const view = mountWatch(monitor, mount);
  return {end: view.unmount};
}

/** Draws a monitor of links on a terminal. */
export async function drawLag(monitor: LagMonitor, mount: WatchMount & LagLookOptions): Promise<Shown> {
  const {mountLag} = await loadView(() => import('./mount-lag.tsx'));
  const view = mountLag(monitor, mount);
  return {end: view.unmount};
}

type PrintOptions = {
  readonly format: 'text' | 'ndjson';
  readonly print: (line: string) => void;
  /** For what is not data. */
  readonly tell: (line: string) => void;
};

/** Prints how each region stands once it is known, then each change. */
export function printWatch(monitor: Monitor, {format, ...out}: PrintOptions): Shown {
  return printLines(monitor, readAloud(format, out), {
    notes: ({notes}) => notes,
    first: (view) => firstLines(view, format),
    change: (change) => [change.region, changeLine(change, format)],
  });
}

/** Prints how each link stands once it is known, then each change of its state or breaker. Which stores cannot be read is told. */
export function printLag(monitor: LagMonitor, {format, ...out}: PrintOptions): Shown {
  return printLines(monitor, readAloud(format, out), {
    notes: ({notes}) => notes,
    lost: ({unread}) => unread.map(({store, reason}) => [store, unreadSays(store, reason)]),
    first: (view) => linkLines(view, format),
    change: (change) => [linkName(change), change.was === null ? null : linkChangeLine(change, format)],
    vanish: true,
  });
}

type Source<V, C> = {view(): V; onChange(listener: (change: C) => void): () => void};
type Out = Pick<PrintOptions, 'print' | 'tell'>;
type Lines<V, C> = {
  /** Each is told once. */
  readonly notes: (view: V) => readonly string[];
  /** What cannot be read now: its name, and why. Told each time that it begins and ends. */
  readonly lost?: (view: V) => readonly (readonly [string, string])[];
  /** Each one that is known: its name, and the line that says how it stands. */
  readonly first: (view: V) => readonly (readonly [string, string])[];
  /** The name of what has changed, and its line; null = it is known only now, or again. */
  readonly change: (change: C) => readonly [string, string | null];
  /** Whether what is known can go: that is told, and when it is back it is said again how it stands. */
  readonly vanish?: true;
};

function printLines<V, C>(source: Source<V, C>, {print, tell}: Out, lines: Lines<V, C>): Shown {
  const known = new Set<string>();
  const told = new Set<string>();
  let lost: readonly string[] = [];
  const sayLost = (view: V): void => {
    const now = lines.lost?.(view) ?? [];
    for (const [name, why] of now) if (!lost.includes(name)) tell(why);
    for (const name of lost) if (!now.some(([each]) => each === name)) tell(`${name} can be read again`);
    lost = now.map(([name]) => name);
  };
  const sayFirst = (): void => {
    const view = source.view();
    for (const note of lines.notes(view).filter((each) => !told.has(each))) tell(note);
    for (const note of lines.notes(view)) told.add(note);
    sayLost(view);
    const first = lines.first(view);
    const isGone = (name: string) => lines.vanish === true && !first.some(([each]) => each === name);
    for (const name of [...known].filter(isGone)) {
      known.delete(name);
      tell(`${name} is gone`);
    }
    for (const [name, line] of first) {
      if (known.has(name)) continue;
      known.add(name);
      print(line);
    }
  };
  const timer = setInterval(sayFirst, 100);
  const end = source.onChange((change) => {
    const [name, line] = lines.change(change);
    if (line === null) {
      known.delete(name);
      // It is in the view when the one who tells has gone on.
      return queueMicrotask(sayFirst);
    }
    // What changed before it was first printed is printed as it was.
    known.add(name);
    print(line);
  });
  return {
    end: async () => {
      sayFirst();
      clearInterval(timer);
      end();
    },
  };
}

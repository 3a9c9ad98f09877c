import type {DashboardMonitor} from '../operate/dashboard.ts';
import {staleAfterMs} from '../operate/lag-verdict.ts';
import {dashboardLine, regionLines} from '../output/dashboard-lines.ts';
import {oneLine} from '../output/table.ts';
import {loadView} from './load-view.ts';
import {readAloud} from './read-aloud.ts';
import type {Shown} from './show-watch.ts';

/** `intervalMs`: how often links are read. `onQuit` is asked for, not acted on. */
export type DashboardMount = {
  readonly stdout: NodeJS.WriteStream;
  readonly colour: boolean;
  readonly onQuit: () => void;
  /** Absent = read-only. */
  readonly onAction?: ((words: readonly string[]) => void) | undefined;
  readonly intervalMs: number;
};

const HOUR_MS = 3_600_000;

const load = () => loadView(() => import('./mount-dashboard.tsx'));

/** Loads what draws. Before a monitor begins: two hundred endpoints that are asked at once would be in its way, and it in theirs. */
export async function readyToDraw(): Promise<void> {
  await load();
}

/** Draws a dashboard on a terminal. */
export async function drawDashboard(monitor: DashboardMonitor, {intervalMs, ...mount}: DashboardMount): Promise<Shown> {
  const {mountDashboard} = await load();
  const view = mountDashboard({monitor, ...mount, staleMs: staleAfterMs(intervalMs), windowMs: HOUR_MS});
  return {end: view.unmount};
}

/** Where lines go: data, and what is not data. */
export type DashboardOut = {
  readonly format: 'text' | 'ndjson';
  readonly print: (line: string) => void;
  readonly tell: (line: string) => void;
};

/** Between changes only what stands for the first time, and notes, come: that has time. */
const LOOK_MS = 500;
/** A note that comes and goes is told once as long as it is not away for longer. */
const QUIET_MS = 10_000;

/** How many it is of changes from look to look. */
const withoutFigures = (note: string): string => note.replaceAll(/\d+/g, '#');

/** What it is about, without why. */
const headOf = (note: string): string => withoutFigures(note.split(': ')[0] ?? '');

/** Tells each note when it comes, and when it is gone for a while. */
function notesSaid(tell: (line: string) => void): (notes: readonly string[], at: number) => void {
  // When each was there last, and in which words.
  const told = new Map<string, {readonly at: number; readonly note: string}>();
  return (notes, now) => {
    for (const note of notes) {
      if (!told.has(withoutFigures(note))) tell(note);
      told.set(withoutFigures(note), {at: now, note});
    }
    for (const [key, {at, note}] of told) {
      if (now - at <= QUIET_MS) continue;
      told.delete(key);
      // It goes on for another reason.
      if (!notes.some((each) => headOf(each) === headOf(note))) tell(`no longer: ${note}`);
    }
  };
}

/** Prints how each region stands once it is known, then each event; what cannot be read is told when it begins, and when it is over. */
export function printDashboard(monitor: DashboardMonitor, {format, ...out}: DashboardOut): Shown {
  const {print, tell} = readAloud(format, out);
  const known = new Set<string>();
  const sayNotes = notesSaid(tell);
  let last = 0;
  const look = (): void => {
    const view = monitor.view();
    sayNotes(view.notes.map(oneLine), view.at);
    for (const [region, line] of regionLines(view, format)) {
      if (!known.has(region)) print(line);
      known.add(region);
    }
    for (const event of view.events.filter(({seq}) => seq > last)) print(dashboardLine(view.fleet, event, format));
    last = view.events.at(-1)?.seq ?? last;
  };
  const timer = setInterval(look, LOOK_MS);
  const unlisten = monitor.onChange(look);
  return {
    end: async () => {
      unlisten();
      clearInterval(timer);
      look();
    },
  };
}

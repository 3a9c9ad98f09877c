import type {Monitor} from '../health/monitor.ts';
import {changeLine, firstLines} from '../output/watch-lines.ts';
import {loadView} from './load-view.ts';
import type {WatchMount} from './mount-watch.tsx';

/** Something that shows a monitor until it is ended. */
export type Shown = {end(): Promise<void>};

/** Draws a monitor on a terminal. */
export async function drawWatch(monitor: Monitor, mount: WatchMount): Promise<Shown> {
  const {mountWatch} = await loadView(() => import('./mount-watch.tsx'));
  const view = mountWatch(monitor, mount);
  return {end: view.unmount};
}

type PrintOptions = {
  readonly format: 'text' | 'ndjson';
  readonly print: (line: string) => void;
  /** For what is not data. */
  readonly tell: (line: string) => void;
};

/** Prints how each region stands once it is known, then each change. */
export function printWatch(monitor: Monitor, {format, print, tell}: PrintOptions): Shown {
  const known = new Set<string>();
  const told = new Set<string>();
  const sayFirst = (): void => {
    const view = monitor.view();
    for (const note of view.notes.filter((each) => !told.has(each))) tell(note);
    for (const note of view.notes) told.add(note);
    for (const [region, line] of firstLines(view, format)) {
      if (known.has(region)) continue;
      known.add(region);
      print(line);
    }
  };
  const timer = setInterval(sayFirst, 100);
  const end = monitor.onChange((change) => {
    // A region that changed before it was first printed is printed as it was.
    known.add(change.region);
    print(changeLine(change, format));
  });
  return {
    end: async () => {
      sayFirst();
      clearInterval(timer);
      end();
    },
  };
}

import {useRef, useState} from 'react';
import type {DashboardMonitor} from '../operate/dashboard.ts';
import type {DashboardRegion, DashboardView as View} from '../operate/dashboard-view.ts';
import {REGION_LOOK} from './dashboard-look.ts';
import {EVENT_LOOK, RUN_LOOK} from './dashboard-tabs.ts';
import {type LagLookOptions, lagLook} from './lag-look.ts';
import {type ListLook, ListView, type Tabs, type Viewed} from './list-view.tsx';
import {WATCH_LOOK} from './watch-look.ts';

/** The lists of a dashboard, in the order of their numbers. */
export const TABS = ['regions', 'links', 'endpoints', 'runs', 'events'] as const;

/** `onQuit` is asked for, not acted on: the command ends the monitor first. */
export type DashboardProps = LagLookOptions & {
  readonly monitor: Pick<DashboardMonitor, 'view'> & Partial<Pick<DashboardMonitor, 'onChange'>>;
  readonly colour: boolean;
  readonly onQuit: () => void;
  /** Absent = read-only. It gets the words of a command. */
  readonly onAction?: ((words: readonly string[]) => void) | undefined;
};

/** The whole fleet on one screen: regions first, and a list each of links, endpoints, runs and events. */
export function DashboardView({monitor, colour, onQuit, onAction, staleMs, windowMs}: DashboardProps) {
  const [current, setCurrent] = useState(0);
  const kept = useRef<Record<string, object>>({});
  // What all lists show while they are paused; the last picture is what the reader saw when it was.
  const held = useRef<{last: View | null; frozen: View | null}>({last: null, frozen: null});
  const onPause = (isPaused: boolean): void => {
    held.current.frozen = isPaused ? held.current.last : null;
  };
  const onChange = monitor.onChange === undefined ? undefined : (listener: () => void) => monitor.onChange?.(listener) ?? (() => undefined);
  const now = (): View => {
    held.current.last = monitor.view();
    return held.current.last;
  };
  const typed = useRef('');
  const onTab = (index: number, behind: string): void => {
    typed.current = behind;
    setCurrent(index);
  };
  const tabs: Tabs = {names: TABS, current, onTab, typed: typed.current, onPause};
  const [lag] = useState(() => lagLook({staleMs, windowMs}));
  const list = <V extends Viewed, R, S extends string>(look: ListLook<V, R, S>, of: (view: View) => V) => {
    const name = TABS[current] as string;
    kept.current[name] ??= {};
    const own = {look, colour, onQuit, onAction, tabs, kept: kept.current[name]};
    const {frozen} = held.current;
    return (
      <ListView
        key={name}
        {...own}
        monitor={{view: () => of(now()), ...(onChange === undefined ? {} : {onChange})}}
        frozen={frozen === null ? null : of(frozen)}
      />
    );
  };
  switch (TABS[current]) {
    case 'links':
      return list(lag, (view) => view.lag);
    case 'endpoints':
      return list(WATCH_LOOK, (view) => view.health);
    case 'runs':
      return list(RUN_LOOK, (view) => view);
    case 'events':
      return list(EVENT_LOOK, (view) => view);
    default:
      return list<View, DashboardRegion, 'file' | 'worst' | 'lag' | 'traffic'>(REGION_LOOK, (view) => view);
  }
}

import type {Monitor} from '../health/monitor.ts';
import {ListView} from './list-view.tsx';
import {WATCH_LOOK} from './watch-look.ts';

/** `onQuit` is asked for, not acted on: the command ends the monitor first. */
export type WatchViewProps = {readonly monitor: Pick<Monitor, 'view'>; readonly colour: boolean; readonly onQuit: () => void};

/** The live view of health: the regions, and below them every endpoint. It fills the terminal, which has it for itself. */
export function WatchView(props: WatchViewProps) {
  return <ListView look={WATCH_LOOK} {...props} />;
}

import type {Monitor} from '../health/monitor.ts';
import {type Mounted, mountView} from './mount.ts';
import {WatchView} from './watch-view.tsx';

/** Where the view is drawn. */
export type WatchMount = {readonly stdout: NodeJS.WriteStream; readonly colour: boolean; readonly onQuit: () => void};

/** Mounts the live view of health on the alternate screen. */
export function mountWatch(monitor: Monitor, {stdout, colour, onQuit}: WatchMount): Mounted {
  return mountView(<WatchView monitor={monitor} colour={colour} onQuit={onQuit} />, {stdout, alternateScreen: true});
}

import type {LagMonitor} from '../operate/lag-watch.ts';
import {type LagLookOptions, lagLook} from './lag-look.ts';
import {ListView} from './list-view.tsx';
import {type Mounted, mountView} from './mount.ts';
import type {WatchMount} from './mount-watch.tsx';

/** Mounts the live view of links on the alternate screen. */
export function mountLag(monitor: LagMonitor, {stdout, colour, onQuit, ...options}: WatchMount & LagLookOptions): Mounted {
  const look = lagLook(options);
  return mountView(<ListView look={look} monitor={monitor} colour={colour} onQuit={onQuit} />, {stdout, alternateScreen: true});
}

import {type Mounted, type MountPlace, mountView} from './mount.ts';
import type {RunStore} from './run-store.ts';
import {RunView} from './run-view.tsx';

export type MountOptions = Omit<MountPlace, 'alternateScreen'> & {readonly colour: boolean; readonly onInterrupt: () => void};

/** Mounts the view of a run below what was printed before. */
export function mountRun(store: RunStore, {colour, onInterrupt, ...place}: MountOptions): Mounted {
  return mountView(<RunView store={store} colour={colour} onInterrupt={onInterrupt} />, place);
}

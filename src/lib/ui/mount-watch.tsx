import {render} from 'ink';
import type {Monitor} from '../health/monitor.ts';
import {WatchView} from './watch-view.tsx';

/** Where the view is drawn. */
export type WatchMount = {readonly stdout: NodeJS.WriteStream; readonly colour: boolean; readonly onQuit: () => void};

/** Mounts the live view of health on the alternate screen. Imported when it is shown, never before: it brings Ink and React in. */
export function mountWatch(monitor: Monitor, {stdout, colour, onQuit}: WatchMount): {unmount(): Promise<void>} {
  const instance = render(<WatchView monitor={monitor} colour={colour} onQuit={onQuit} />, {
    stdout,
    alternateScreen: true,
    incrementalRendering: true,
    exitOnCtrlC: false,
    patchConsole: false,
    maxFps: 20,
  });
  return {
    async unmount() {
      await instance.waitUntilRenderFlush();
      instance.unmount();
      await instance.waitUntilExit();
    },
  };
}

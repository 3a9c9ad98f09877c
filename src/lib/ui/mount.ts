import {render} from 'ink';
import type {ReactNode} from 'react';

/** Where a view is drawn. `stdin` is for tests. */
export type MountPlace = {readonly stdout: NodeJS.WriteStream; readonly stdin?: NodeJS.ReadStream; readonly alternateScreen?: boolean};

/** A view that is drawn. `unmount` draws what is left to draw and gives the terminal back. */
export type Mounted = {unmount(): Promise<void>};

/** Draws a view as all of ours are. This brings Ink and React in: it is imported when a view is shown, never before. */
export function mountView(view: ReactNode, {stdout, stdin, alternateScreen = false}: MountPlace): Mounted {
  const instance = render(view, {
    stdout,
    ...(stdin === undefined ? {} : {stdin}),
    alternateScreen,
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

import {render} from 'ink';
import type {RunStore} from './run-store.ts';
import {RunView} from './run-view.tsx';

/** Where the view is drawn. `stdin` is for tests. */
export type MountOptions = {
  readonly stdout: NodeJS.WriteStream;
  readonly stdin?: NodeJS.ReadStream;
  readonly colour: boolean;
  readonly onInterrupt: () => void;
};

/** Mounts the view. This is the one module that brings Ink and React in: it is imported when a view is shown, never before. */
export function mountRun(store: RunStore, {stdout, stdin, colour, onInterrupt}: MountOptions): {unmount(): Promise<void>} {
  const instance = render(<RunView store={store} colour={colour} onInterrupt={onInterrupt} />, {
    stdout,
    ...(stdin === undefined ? {} : {stdin}),
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

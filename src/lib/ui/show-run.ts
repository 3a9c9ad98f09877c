import type {MountOptions, mountRun} from './mount-run.tsx';
import type {RunStore} from './run-store.ts';

/** Where the view is shown. `onInterrupt` is called for q and Ctrl+C. `colour` default: unless NO_COLOR is set. */
export type ShowOptions = {readonly stdout: NodeJS.WriteStream; readonly onInterrupt: () => void; readonly colour?: boolean};

/** Shows the run of a store on a terminal. `done` draws the last frame, leaves it there and gives the terminal back. */
export async function showRun(
  store: RunStore,
  {stdout, onInterrupt, colour = !process.env.NO_COLOR}: ShowOptions,
): Promise<{done(): Promise<void>}> {
  const mount = await loadView();
  const options: MountOptions = {stdout, onInterrupt, colour};
  const view = mount(store, options);
  return {
    async done() {
      store.refresh();
      await view.unmount();
    },
  };
}

/**
 * Imports Ink with two traps closed: React picks its slow development build unless NODE_ENV is set before it is loaded, and the layout
 * engine's loader touches the global `fetch`, which would load the whole of Node's HTTP client (20 ms).
 */
async function loadView(): Promise<typeof mountRun> {
  process.env.NODE_ENV ??= 'production';
  const hidden = Object.getOwnPropertyDescriptor(globalThis, 'fetch');
  if (hidden?.configurable === true) Reflect.deleteProperty(globalThis, 'fetch');
  try {
    return (await import('./mount-run.tsx')).mountRun;
  } finally {
    if (hidden?.configurable === true) Object.defineProperty(globalThis, 'fetch', hidden);
  }
}

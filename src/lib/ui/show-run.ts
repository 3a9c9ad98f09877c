import {loadView} from './load-view.ts';
import type {MountOptions} from './mount-run.tsx';
import type {RunStore} from './run-store.ts';

/** Where the view is shown. `onInterrupt` is called for q and Ctrl+C. `colour` default: unless NO_COLOR is set. */
export type ShowOptions = {readonly stdout: NodeJS.WriteStream; readonly onInterrupt: () => void; readonly colour?: boolean};

/** Shows the run of a store on a terminal. `done` draws the last frame, leaves it there and gives the terminal back. */
export async function showRun(
  store: RunStore,
  {stdout, onInterrupt, colour = !process.env.NO_COLOR}: ShowOptions,
): Promise<{done(): Promise<void>}> {
  const {mountRun: mount} = await loadView(() => import('./mount-run.tsx'));
  const options: MountOptions = {stdout, onInterrupt, colour};
  const view = mount(store, options);
  return {
    async done() {
      store.refresh();
      store.close();
      await view.unmount();
    },
  };
}

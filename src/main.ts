import {Errors, handle, run, settings} from '@oclif/core';
import {shareKit} from './kit/share.ts';
import {EXIT} from './lib/exit-codes.ts';

/** Runs the command line. `root` is the package's folder: everything that ships beside the code is found from it. */
export async function main(root: string): Promise<void> {
  settings.enableAutoTranspile = false;
  // A reader that goes away (a pager, head) ends no run: what cannot be printed is dropped.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  shareKit(root);
  try {
    await run(process.argv.slice(2), {root});
    await written();
  } catch (error) {
    await leave(error);
  }
}

/** Errors of commands end in the base command; what arrives here is oclif's own: help, version, an unknown command. */
async function leave(error: unknown): Promise<void> {
  if (error instanceof Errors.ExitError && error.oclif.exit === EXIT.good) return;
  if (error instanceof Errors.ExitError) {
    process.exitCode = error.oclif.exit;
    return;
  }
  await handle(error as Error);
}

/** Until what was printed has left this process; the callback comes for a closed pipe, too. */
function written(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write('', () => resolve());
  });
}

import {run, settings} from '@oclif/core';
import {errorReport, exitOf, printReport} from './kit/error-report.ts';
import {loadProgram, refreshCompletion, removesPlugin} from './kit/load-program.ts';
import {shareKit} from './kit/share.ts';

const LINGER_MS = 500;

/** Runs the command line. `root` is the package's folder: everything that ships beside the code is found from it. */
export async function main(root: string): Promise<void> {
  settings.enableAutoTranspile = false;
  // A reader that goes away (a pager, head) ends no run: what cannot be printed is dropped.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  shareKit(root);
  const argv = process.argv.slice(2);
  try {
    const config = await loadProgram(root, argv);
    await run(argv, config);
    if (removesPlugin(argv)) await refreshCompletion(config);
  } catch (error) {
    leave(error);
  }
  await written();
  // What a plugin forgot to close does not keep the program: an unref'd timer fires only if something else is still alive.
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

/** Errors of commands end in the base command; what arrives here is oclif's own: help, an unknown command, a plugin that cannot be loaded. */
function leave(error: unknown): void {
  const exit = exitOf(error);
  if (exit !== null) {
    process.exitCode = exit;
    return;
  }
  const report = errorReport(error, {command: ''});
  process.exitCode = report.exit;
  printReport(report, process.argv.includes('--json'));
}

/** Until what was printed has left this process; the callback comes for a closed pipe, too. */
function written(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write('', () => resolve());
  });
}

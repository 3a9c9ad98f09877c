import type {Hook} from '@oclif/core';
import {printReport} from '../kit/error-report.ts';
import {EXIT} from '../lib/exit-codes.ts';
import {nearest} from '../lib/fleet/lookup.ts';

/** Says which command was probably meant, and exits with 64, as text or as the JSON error document. */
const hook: Hook<'command_not_found'> = async ({id, argv, config}) => {
  const typed = id.replaceAll(':', ' ');
  const isFlag = typed.startsWith('-');
  const guess = isFlag
    ? undefined
    : nearest(
        typed,
        config.commandIDs.map((known) => known.replaceAll(':', ' ')),
      );
  const message = isFlag ? `"${typed}" comes before a command: flags come after it` : `unknown command "${typed}"`;
  const suggestions = [guess === undefined ? 'regionctl --help' : `regionctl ${guess}`];
  printReport({code: 'usage', message, suggestions, exit: EXIT.usage}, id === '--json' || argv?.includes('--json') === true);
  process.exitCode = EXIT.usage;
};

export default hook;

import type {Hook} from '@oclif/core';
import {EXIT} from '../lib/exit-codes.ts';
import {nearest} from '../lib/fleet/lookup.ts';

/** Says which command was probably meant, and exits with 64, as text or as the JSON error document. */
const hook: Hook<'command_not_found'> = async ({id, argv, config}) => {
  const ids = config.commandIDs.map((known) => known.replaceAll(':', ' '));
  const typed = id.replaceAll(':', ' ');
  const guess = nearest(typed, ids);
  const message = `unknown command "${typed}"`;
  const suggestions = [guess === undefined ? 'regionctl --help' : `regionctl ${guess}`];
  if (argv?.includes('--json'))
    process.stdout.write(`${JSON.stringify({error: {code: 'usage', message, suggestions, exit: EXIT.usage}}, null, 2)}\n`);
  else process.stderr.write(`Error: ${message}\n  Try: ${suggestions[0]}\n`);
  process.exitCode = EXIT.usage;
};

export default hook;

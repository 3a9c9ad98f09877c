import {messageOf, usageError} from '../errors.ts';
import type {Problem} from '../fleet/problem.ts';
import {readAtMost} from '../read-at-most.ts';

/** The largest drill file that is read: 1 MiB, as for fleet files. */
export const LARGEST_BYTES = 1024 * 1024;

/** The text of a drill file, or what is wrong with the file as a whole. A missing one, or a folder, is a usage error (64). A pipe is read to its end; one that nobody writes into is a usage error, too. */
export async function drillText(file: string, patienceMs?: number): Promise<string | Problem> {
  const bytes = await readAtMost(file, LARGEST_BYTES + 1, patienceMs).catch((error: unknown) => {
    throw usageError(`the drill file ${file} cannot be read: ${messageOf(error)}`, {
      suggestions: ['regionctl drill list shows the drills that there are.'],
    });
  });
  if (bytes.length > LARGEST_BYTES)
    return problem(`more than ${LARGEST_BYTES} bytes, which are too many for a drill file`, 'Name the right file.');
  try {
    return new TextDecoder('utf-8', {fatal: true}).decode(bytes);
  } catch {
    return problem('not UTF-8 text', 'Save the file as UTF-8.');
  }
}

function problem(message: string, suggestion: string): Problem {
  return {code: 'fleet-invalid', path: [], line: 1, column: 1, message, suggestion};
}

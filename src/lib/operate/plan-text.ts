import {messageOf, usageError} from '../errors.ts';
import {readAtMost} from '../read-at-most.ts';

/** The largest plan file that is read: 16 MiB, far more than any plan has. */
const LARGEST_BYTES = 16 * 1024 * 1024;

/** The text of a reviewed plan. A pipe is read to its end. Throws a usage error (64) for what cannot be read, and for what is too large to be a plan. */
export async function readPlanText(file: string, patienceMs?: number): Promise<string> {
  const bytes = await readAtMost(file, LARGEST_BYTES + 1, patienceMs).catch((error: unknown) => {
    throw usageError(`${file} cannot be read: ${messageOf(error)}`);
  });
  if (bytes.length > LARGEST_BYTES) throw usageError(`${file} has more than ${LARGEST_BYTES} bytes, which are too many for a plan`);
  return bytes.toString('utf8');
}

import {open} from 'node:fs/promises';
import {messageOf, usageError} from '../errors.ts';
import type {Problem} from '../fleet/problem.ts';

/** The largest drill file that is read: 1 MiB, as for fleet files. */
export const LARGEST_BYTES = 1024 * 1024;
const CHUNK_BYTES = 65_536;

/** The text of a drill file, or what is wrong with the file as a whole. A missing one, or a folder, is a usage error (64). A pipe is read to its end. */
export async function drillText(file: string): Promise<string | Problem> {
  const bytes = await firstBytes(file, LARGEST_BYTES + 1).catch((error: unknown) => {
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

/** At most `most` bytes: what is longer, or never ends, is not taken into memory. */
async function firstBytes(file: string, most: number): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let left = most; left > 0; ) {
      const {bytesRead, buffer} = await handle.read(Buffer.alloc(Math.min(CHUNK_BYTES, left)));
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
    return Buffer.concat(chunks);
  } finally {
    await handle.close();
  }
}

function problem(message: string, suggestion: string): Problem {
  return {code: 'fleet-invalid', path: [], line: 1, column: 1, message, suggestion};
}

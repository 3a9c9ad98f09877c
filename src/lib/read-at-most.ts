import {constants} from 'node:fs';
import {type FileHandle, open} from 'node:fs/promises';
import {setTimeout as sleep} from 'node:timers/promises';

const CHUNK_BYTES = 65_536;
const LOOK_MS = 20;
/** How long a pipe may be without a writer. */
const PATIENCE_MS = 10_000;

/**
 * The first `most` bytes of a file that a user named: what is longer, or never ends, is not taken into memory. A pipe is read to its end, however long its
 * writer takes, and not waited for when nobody opens it for writing within `patienceMs` (default 10 s). Throws with what is wrong in words that follow "cannot be read".
 */
export async function readAtMost(file: string, most: number, patienceMs = PATIENCE_MS): Promise<Buffer> {
  // A pipe that nobody writes into would be waited for in the opening, and the thread that does so keeps the process from ending.
  const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENXIO' ? new Error('it is a socket, or a device that is not there', {cause: error}) : error;
  });
  try {
    const info = await handle.stat();
    if (info.isDirectory()) throw new Error('it is a folder');
    return await readHandle(handle, most, {isPipe: info.isFIFO(), patienceMs});
  } finally {
    await handle.close();
  }
}

async function readHandle(handle: FileHandle, most: number, {isPipe, patienceMs}: {isPipe: boolean; patienceMs: number}): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // A pipe that nobody has opened for writing yet looks like one that has ended.
  let isOpen = !isPipe;
  let silentMs = 0;
  for (let left = most; left > 0; ) {
    const chunk = await readOnce(handle, Math.min(CHUNK_BYTES, left));
    if (chunk !== null && chunk.length === 0 && isOpen) break;
    isOpen ||= chunk === null || chunk.length > 0;
    if (chunk !== null && chunk.length > 0) {
      chunks.push(chunk);
      left -= chunk.length;
      continue;
    }
    // Whoever has opened it may take the time that a plan takes, or ask a person.
    if (!isOpen && silentMs >= patienceMs) throw new Error(`nobody wrote into it for ${patienceMs / 1000} s`);
    await sleep(LOOK_MS);
    silentMs += LOOK_MS;
  }
  return Buffer.concat(chunks);
}

/** Null = there is nothing now, and there may be later. */
async function readOnce(handle: FileHandle, size: number): Promise<Buffer | null> {
  try {
    const {bytesRead, buffer} = await handle.read(Buffer.alloc(size), 0, size, null);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return null;
    throw error;
  }
}

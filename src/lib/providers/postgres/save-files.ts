import {chmod, type FileHandle, mkdir, open, rename} from 'node:fs/promises';
import {dirname} from 'node:path';
import {isRegionctlError, messageOf, stateError} from '../../errors.ts';

/** A folder that only its owner can read. One that is there already is made so. */
export async function privateFolder(dir: string): Promise<void> {
  await onDisk(dir, async () => {
    await mkdir(dir, {recursive: true, mode: 0o700});
    await chmod(dir, 0o700);
  });
}

/** Writes a file that only its owner can read. It has its name only once all of it is on disk. */
export async function keepFile<T>(file: string, write: (handle: FileHandle) => Promise<T>): Promise<T> {
  return onDisk(file, async () => {
    const handle = await open(`${file}.part`, 'w', 0o600);
    try {
      const result = await write(handle);
      await handle.chmod(0o600);
      await handle.sync();
      await handle.close();
      await rename(`${file}.part`, file);
      await syncFolder(dirname(file));
      return result;
    } finally {
      await handle.close();
    }
  });
}

async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What this machine's disk answers is told as such; what the servers answer passes. */
async function onDisk<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isRegionctlError(error) || !(error instanceof Error && 'syscall' in error)) throw error;
    throw stateError('cannot-keep', `${place} cannot be written: ${messageOf(error)}`, {
      cause: error,
      suggestions: ['Make room, or see who owns the folder.'],
    });
  }
}

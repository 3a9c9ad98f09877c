import {closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync} from 'node:fs';
import {dirname} from 'node:path';
import {makeStateDir} from './files.ts';
import {stateTrouble} from './trouble.ts';

/**
 * Writes a small file that is whole and on disk when this returns, also after a power cut; what was there before is replaced at once. Makes its folder. For
 * this user only. Throws StateError (73) that names the file.
 */
export function writeDurable(file: string, text: string): void {
  const dir = dirname(file);
  makeStateDir(dir);
  const next = `${file}.${process.pid}.new`;
  try {
    const handle = openSync(next, 'w', 0o600);
    try {
      writeSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(next, file);
    syncFolder(dir);
  } catch (error) {
    rmSync(next, {force: true});
    throw stateTrouble(file, error);
  }
}

/** Removes a file for good. One that is gone is no error. Throws StateError (73) that names it. */
export function removeDurable(file: string): void {
  try {
    rmSync(file);
    syncFolder(dirname(file));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw stateTrouble(file, error);
  }
}

/** A new name is only there after a crash when its folder is on disk, too. */
function syncFolder(dir: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(dir, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

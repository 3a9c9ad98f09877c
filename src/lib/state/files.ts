import {createHash} from 'node:crypto';
import {chmodSync, closeSync, mkdirSync, openSync, statSync} from 'node:fs';
import {stateGone, stateTrouble} from './trouble.ts';

/** Makes the directory if need be, for this user only. One that was there keeps its mode: it may hold other things. */
export function makeStateDir(dir: string): void {
  try {
    mkdirSync(dir, {recursive: true, mode: 0o700});
  } catch (error) {
    throw stateTrouble(dir, error);
  }
}

/**
 * Makes the file for this user only, before SQLite would make it for all. A file that exists is never opened here: closing any descriptor
 * of a file drops the POSIX locks that this process holds on it, and with them a lease.
 */
export function makePrivateFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (!isExisting(error)) throw stateTrouble(file, error);
    if ((statSync(file).mode & 0o077) !== 0) tighten(file);
  }
}

/** Which file stands at a path now. SQLite goes on writing to a file that was unlinked; comparing this shows it. */
export type FileMark = {readonly file: string; readonly dev: number; readonly ino: number};

/** Remembers which file stands at `file`. */
export function markFile(file: string): FileMark {
  const {dev, ino} = statSync(file);
  return {file, dev, ino};
}

/** Throws StateError `state-gone` when another file, or none, stands at the path now. */
export function assertSameFile(mark: FileMark): void {
  const now = statSync(mark.file, {throwIfNoEntry: false});
  if (now === undefined || now.ino !== mark.ino || now.dev !== mark.dev) throw stateGone(mark.file);
}

/** A lease's name as a file name: plain names stay readable, any other gets a digest so that two names never share a file. */
export function leaseFileName(name: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,63}$/.test(name)) return `lease-${name}.db`;
  const readable = name.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, 40);
  return `lease-${readable}~${createHash('sha256').update(name).digest('hex').slice(0, 16)}.db`;
}

function tighten(file: string): void {
  try {
    chmodSync(file, 0o600);
  } catch {
    // Another user's file: whether it can be written is for SQLite to say.
  }
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

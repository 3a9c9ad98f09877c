import {randomUUID} from 'node:crypto';
import {access, constants, open, realpath, rename, rm, stat} from 'node:fs/promises';
import {basename, dirname, join, resolve} from 'node:path';
import {RegionctlError, stateError, usageError} from '../errors.ts';

/**
 * Writes a file whole or not at all: a reader finds the old content or the new. An existing file is replaced and keeps its mode; a link is followed.
 * Throws a usage error (64) for what can be no file, and a state error `not-written` (73) for what this user or this disk does not allow.
 */
export async function writeReport(path: string, text: string): Promise<void> {
  const {file, mode} = await placeOf(path);
  const draft = draftOf(file);
  try {
    const handle = await open(draft, 'wx', mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    throw wordError(path, error);
  } finally {
    await rm(draft, {force: true}).catch(() => undefined);
  }
}

/** Whether `writeReport` could write there now, by writing an empty file beside it. Throws as that does; nothing is left. */
export async function assertWritable(path: string): Promise<void> {
  const {file} = await placeOf(path);
  const draft = draftOf(file);
  try {
    await (await open(draft, 'wx')).close();
  } catch (error) {
    throw wordError(path, error);
  } finally {
    await rm(draft, {force: true}).catch(() => undefined);
  }
}

function draftOf(file: string): string {
  return join(dirname(file), `.${basename(file).slice(0, 100)}.${randomUUID()}`);
}

/** The file that is meant, through links. What is there and is no regular file (a folder, a device) must not be renamed over. */
async function placeOf(path: string): Promise<{readonly file: string; readonly mode: number}> {
  if (path.trim() === '' || path.endsWith('/')) throw usageError(`"${path}" is not the name of a file`, {suggestions: [NAME_A_FILE]});
  const file = await realpath(path).catch(() => resolve(path));
  const there = await stat(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw wordError(path, error);
  });
  if (there?.isDirectory()) throw usageError(`cannot write ${path}: it is a folder`, {suggestions: [NAME_A_FILE]});
  if (there !== null && !there.isFile()) throw usageError(`cannot write ${path}: it is no regular file`, {suggestions: [NAME_A_FILE]});
  // A draft replaces it, which its own mode does not forbid: whoever made it read-only meant it.
  if (there !== null)
    await access(file, constants.W_OK).catch((error: unknown) => {
      throw wordError(path, error);
    });
  return {file, mode: there === null ? 0o666 : there.mode & 0o777};
}

const NAME_A_FILE = 'Name a file in a folder that exists.';

function wordError(path: string, error: unknown): Error {
  // One that says what is wrong already.
  if (error instanceof RegionctlError) return error;
  const code = codeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return usageError(`cannot write ${path}: there is no folder ${dirname(path)}`, {suggestions: [NAME_A_FILE], cause: error});
  if (code === 'ENAMETOOLONG') return usageError(`cannot write ${path}: its name is too long`, {suggestions: [NAME_A_FILE], cause: error});
  const why = WHY[code] ?? code;
  return stateError('not-written', `cannot write ${path}: ${why}`, {suggestions: ['Name a folder that you may write to.'], cause: error});
}

const WHY: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

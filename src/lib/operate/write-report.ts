import {existsSync} from 'node:fs';
import {access, constants, open, realpath, stat} from 'node:fs/promises';
import {basename, dirname, join, resolve} from 'node:path';
import {RegionctlError, stateError, usageError} from '../errors.ts';
import {replaceFile, replaceFileInParts, tryToReplace} from '../replace-file.ts';

/** Enough to tell a report by. */
const HEAD_BYTES = 4096;

/**
 * Writes a file whole or not at all: a reader finds the old content or the new. An existing file is replaced and keeps its mode; a link is followed.
 * Throws a usage error (64) for what can be no file, and a state error `not-written` (73) for what this user or this disk does not allow.
 */
export async function writeReport(path: string, text: string): Promise<void> {
  const {file, mode} = await placeOf(path);
  await replaceFile(file, text, mode).catch((error: unknown) => {
    throw wordError(path, error);
  });
}

/** The same for what is too long to be held at once; see `replaceFileInParts`. What `write` itself throws comes through as it is. */
export async function writeReportInParts<T>(path: string, write: (append: (text: string) => Promise<void>) => Promise<T>): Promise<T> {
  const {file, mode} = await placeOf(path);
  return replaceFileInParts(file, mode, write).catch((error: unknown) => {
    throw error instanceof Error && 'syscall' in error ? wordError(path, error) : error;
  });
}

/** Whether `writeReport` could write there now. Throws as that does; nothing is left. */
export async function assertWritable(path: string): Promise<void> {
  const {file} = await placeOf(path);
  await tryToReplace(file).catch((error: unknown) => {
    throw wordError(path, error);
  });
}

/**
 * Throws a usage error (64) for a file that is there and is not one of ours: whoever names a file for a report may have meant another one, and what is in
 * it would be gone. `isOurs` is given how it begins; `whatItIsNot` ends the sentence about one that is not. One that is empty may be replaced, and so may one
 * that is not there.
 */
export async function assertReplaceable(
  path: string,
  isOurs: (head: string) => boolean,
  whatItIsNot = 'it is no report of a drill',
): Promise<void> {
  const {file} = await placeOf(path);
  const head = await headOf(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return '';
    throw wordError(path, error);
  });
  if (head === '' || isOurs(head)) return;
  throw usageError(`cannot write ${path}: it is there already, and ${whatItIsNot}`, {
    suggestions: ['Name another file, or remove that one.'],
  });
}

async function headOf(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const {bytesRead, buffer} = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Whether two paths mean one file, also through links, and where a file system takes capital letters for small ones. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([identityOf(a), identityOf(b)]);
  return one === other;
}

/** By device and inode; by name, for a file that is not there yet: two names that differ in their capital letters only may become one file. */
async function identityOf(path: string): Promise<string> {
  const there = await stat(path, {bigint: true}).catch(() => null);
  if (there !== null) return `${there.dev}:${there.ino}`;
  const whole = resolve(path);
  const dir = await realpath(dirname(whole)).catch(() => dirname(whole));
  return join(dir, basename(whole).normalize('NFC').toLowerCase());
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
  // A file system such as /proc has the folder, and takes no file.
  if (code === 'ENOENT' && existsSync(dirname(path)))
    return stateError('not-written', `cannot write ${path}: no file can be made in ${dirname(path)}`, {
      suggestions: ['Name a folder that you may write to.'],
      cause: error,
    });
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

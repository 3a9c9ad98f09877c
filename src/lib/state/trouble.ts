import {isRegionctlError, messageOf, type RegionctlError, stateError} from '../errors.ts';

/** SQLite's primary result codes that have a sentence of their own. */
const SQLITE = {busy: 5, locked: 6, readonly: 8, io: 10, corrupt: 11, full: 13, cantOpen: 14, notADb: 26} as const;

/** Turns what the file system or SQLite threw into a StateError that names the file and says what to do. Our own errors pass unchanged. */
export function stateTrouble(file: string, error: unknown): RegionctlError {
  if (isRegionctlError(error)) return error;
  const code = resultCode(error);
  if (code === SQLITE.full || systemCode(error) === 'ENOSPC') return diskFull(file, error);
  if (code === SQLITE.corrupt || code === SQLITE.notADb) return corrupt(file, error);
  if (code === SQLITE.busy || code === SQLITE.locked) return busy(file, error);
  if (code === SQLITE.readonly || code === SQLITE.cantOpen || systemCode(error) !== null) return unwritable(file, error);
  return stateError('state-failed', `State could not be kept in ${file}: ${messageOf(error)}.`, {cause: error});
}

/** Whether SQLite says that another connection holds the file. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === SQLITE.busy || code === SQLITE.locked;
}

/** The file was removed or replaced while it was open: what is written now would be lost. */
export function stateGone(file: string): RegionctlError {
  return stateError('state-gone', `The state file ${file} was removed or replaced while it was in use.`, {
    suggestions: ['Put the directory back if it was moved; without it the journals of its runs are lost'],
  });
}

/** The file was written by a later regionctl. */
export function stateNewer(file: string, version: number, known: number): RegionctlError {
  return stateError('state-newer', `The state file ${file} has schema version ${version}; this regionctl knows versions up to ${known}.`, {
    suggestions: ['Use the regionctl that wrote it, or a later one'],
  });
}

/** An SQLite file that somebody else's program made. */
export function stateForeign(file: string): RegionctlError {
  return stateError('state-foreign', `${file} is a database, but not a state file of regionctl.`, {
    suggestions: ['Name another directory with `state: {dir: …}` in the fleet file'],
  });
}

function diskFull(file: string, cause: unknown) {
  return stateError('state-full', `The disk that holds ${file} is full.`, {
    cause,
    suggestions: ['Free some space and repeat the command; a run that was under way goes on with `regionctl runs resume RUN`'],
  });
}

function corrupt(file: string, cause: unknown) {
  return stateError('state-corrupt', `The state file ${file} is damaged: ${messageOf(cause)}.`, {
    cause,
    suggestions: [
      'Move it aside together with its -wal and -shm files, or put a backup in its place; the fleet itself is not affected',
      'Look at the fleet with `regionctl status` before anything else: a run may have been under way',
    ],
  });
}

function busy(file: string, cause: unknown) {
  return stateError('state-busy', `The state file ${file} is locked by another process for too long.`, {
    cause,
    suggestions: ['Repeat the command; if it stays so, see which process has the file open'],
  });
}

function unwritable(file: string, cause: unknown) {
  return stateError('state-unwritable', `State cannot be written to ${file}: ${messageOf(cause)}.`, {
    cause,
    suggestions: ['Make the directory writable for this user, or name another with `state: {dir: …}` in the fleet file'],
  });
}

/** SQLite's primary result code: the low byte of the extended one. */
function resultCode(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : null;
}

function systemCode(error: unknown): string | null {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

import {constants} from 'node:fs';
import {access} from 'node:fs/promises';
import {dirname} from 'node:path';
import {unavailable} from '../../errors.ts';
import {replaceFile} from '../../replace-file.ts';

/** Throws `state-file` (exit 69) when the file could not be written: asked before anything is changed. */
export async function requireWritable(file: string): Promise<void> {
  await access(dirname(file), constants.W_OK).catch((error: unknown) => {
    throw failed(file, error);
  });
}

/**
 * Keeps what `show servers state` says, whole or not at all: with `load-server-state-from-file` HAProxy reads it at its next start, and weights
 * and maintenance are as they were. Everybody may read it: HAProxy runs as a user of its own.
 */
export async function keepState(file: string, text: string): Promise<void> {
  await replaceFile(file, text, 0o644).catch((error: unknown) => {
    throw failed(file, error);
  });
}

function failed(file: string, error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return unavailable('state-file', `the state of HAProxy cannot be kept in ${file} (${code}): a restart would lose the weights`, {
    suggestions: ['name a file in a folder that exists and that you may write to, or leave stateFile out'],
    cause: error,
  });
}

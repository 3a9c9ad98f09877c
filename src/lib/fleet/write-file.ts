import {randomUUID} from 'node:crypto';
import {link, open, rename, rm} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {usageError} from '../errors.ts';

/**
 * Writes a fleet file: whole or not at all, and never over an existing one unless `force`. Throws a usage error (exit 64) when the file
 * exists or its folder cannot be written.
 */
export async function writeFleetFile(path: string, text: string, {force = false}: {readonly force?: boolean} = {}): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  try {
    await writeDurably(draft, text);
    await (force ? rename(draft, path) : linkNew(draft, path, text));
  } catch (error) {
    throw wordError(path, error);
  } finally {
    await rm(draft, {force: true});
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o644);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A hard link appears with its whole content and fails when the name is taken. File systems without links get a plain exclusive write. */
async function linkNew(draft: string, path: string, text: string): Promise<void> {
  try {
    await link(draft, path);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(codeOf(error))) throw error;
    await writeDurably(path, text);
  }
}

function wordError(path: string, error: unknown): Error {
  const code = codeOf(error);
  if (code === 'EEXIST') return usageError(`${path} exists already`, {suggestions: ['Overwrite it with --force.'], cause: error});
  return usageError(`cannot write ${path} (${code})`, {
    suggestions: ['Name a folder that exists and that you may write to.'],
    cause: error,
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

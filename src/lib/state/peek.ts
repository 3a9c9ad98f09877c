import {type Stats, statSync} from 'node:fs';
import {join} from 'node:path';
import {messageOf, type RegionctlError, stateError} from '../errors.ts';
import type {Json} from '../plan/json.ts';
import {assertOurs} from './schema.ts';
import {stateTrouble} from './trouble.ts';

/** Who wants an answer at once does not wait for a lock as long as who has something to keep. */
const BUSY_MS = 1000;

/**
 * One remembered value of the state in `dir`, read without making, changing or bringing up to date anything there; undefined = there is no state, or it
 * remembers nothing of the kind. Throws StateError (73).
 */
export async function peekMemory(dir: string, key: string): Promise<Json | undefined> {
  const file = join(dir, 'state.db');
  const found = look(file);
  if (found === undefined) return undefined;
  if (!found.isFile())
    throw stateError('state-foreign', `${file} is no file`, {suggestions: ['Move it away: the state is kept in a file of that name']});
  const {DatabaseSync} = await import('node:sqlite');
  try {
    const db = new DatabaseSync(file, {readOnly: true, timeout: BUSY_MS});
    try {
      if (assertOurs(db, file) === 0) return undefined;
      const row = db.prepare('SELECT value FROM memory WHERE key = ?').get(key);
      return row === undefined ? undefined : (JSON.parse(String(row.value)) as Json);
    } finally {
      db.close();
    }
  } catch (error) {
    throw unreadable(file, error);
  }
}

function look(file: string): Stats | undefined {
  try {
    return statSync(file, {throwIfNoEntry: false});
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Nothing was to be written here. */
function unreadable(file: string, error: unknown): RegionctlError {
  const trouble = stateTrouble(file, error);
  if (trouble.code !== 'state-unwritable') return trouble;
  return stateError('state-unreadable', `${file} cannot be opened: ${messageOf(error)}`, {
    cause: error,
    suggestions: ['Read it as the user whose state it is, or name another directory with `state: {dir: …}` in the fleet file'],
  });
}

import type {DatabaseSync} from 'node:sqlite';
import type {Clock} from '../ports/clock.ts';
import {makePrivateFile} from './files.ts';
import {BUSY_MS} from './rest.ts';
import {isBusy, stateTrouble} from './trouble.ts';

/**
 * `migrate` brings the tables of the file to the version that this program knows, within whatever transactions it needs. `busyMs`: how long a lock of
 * another process is waited for, default 5 s.
 */
type Kind = {readonly clock: Clock; readonly busyMs?: number | undefined; migrate(db: DatabaseSync, file: string): void};

/**
 * Opens a database file that several processes may write to, made for this user only: every write is on disk when its transaction ends. Its folder must be there.
 * Throws StateError (73).
 */
export async function openDatabase(file: string, {clock, busyMs = BUSY_MS, migrate}: Kind): Promise<DatabaseSync> {
  // Loading SQLite costs milliseconds, and most commands never need it.
  const {DatabaseSync: Database} = await import('node:sqlite');
  makePrivateFile(file);
  // Changing to WAL needs the file alone for an instant and does not wait by itself, so processes that start together take turns here.
  const giveUpAt = clock.now() + busyMs;
  for (;;) {
    try {
      return prepared(Database, file, busyMs, migrate);
    } catch (error) {
      if (!isBusy(error) || clock.now() >= giveUpAt) throw stateTrouble(file, error);
    }
    await clock.sleep(20);
  }
}

/** What `read` reads is of one moment: between two reads another process may have written. It waits for nobody who writes. */
export function inOneSnapshot<T>(db: DatabaseSync, read: () => T): T {
  db.exec('BEGIN');
  try {
    return read();
  } finally {
    db.exec('COMMIT');
  }
}

function prepared(Database: typeof DatabaseSync, file: string, timeout: number, migrate: Kind['migrate']): DatabaseSync {
  const db = new Database(file, {timeout});
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    migrate(db, file);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

import type {DatabaseSync} from 'node:sqlite';
import type {Clock} from '../ports/clock.ts';
import {makePrivateFile} from './files.ts';
import {isBusy, stateTrouble} from './trouble.ts';

const BUSY_MS = 5000;

/** `migrate` brings the tables of the file to the version that this program knows, within whatever transactions it needs. */
type Kind = {readonly clock: Clock; migrate(db: DatabaseSync, file: string): void};

/**
 * Opens a database file that several processes may write to, made for this user only: every write is on disk when its transaction ends. Its folder must be there.
 * Throws StateError (73).
 */
export async function openDatabase(file: string, {clock, migrate}: Kind): Promise<DatabaseSync> {
  // Loading SQLite costs milliseconds, and most commands never need it.
  const {DatabaseSync: Database} = await import('node:sqlite');
  makePrivateFile(file);
  // Changing to WAL needs the file alone for an instant and does not wait by itself, so processes that start together take turns here.
  const giveUpAt = clock.now() + BUSY_MS;
  for (;;) {
    try {
      return prepared(Database, file, migrate);
    } catch (error) {
      if (!isBusy(error) || clock.now() >= giveUpAt) throw stateTrouble(file, error);
    }
    await clock.sleep(20);
  }
}

function prepared(Database: typeof DatabaseSync, file: string, migrate: Kind['migrate']): DatabaseSync {
  const db = new Database(file, {timeout: BUSY_MS});
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    migrate(db, file);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

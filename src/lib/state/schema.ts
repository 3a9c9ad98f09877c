import type {DatabaseSync} from 'node:sqlite';
import {inOneSnapshot} from './open-database.ts';
import {stateForeign, stateNewer} from './trouble.ts';

/** Marks the file as ours ("rgnc"), so that another program's database is never written to. */
const APPLICATION_ID = 0x72676e63;

/**
 * What leads from each schema version to the next. A step that was released is never changed, only followed by another.
 * The triggers make the journal append-only and dense for every connection, also one that is not ours.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, fleet TEXT NOT NULL, kind TEXT NOT NULL, source TEXT, target TEXT, started_at INTEGER NOT NULL, plan TEXT NOT NULL
  ) STRICT;
  CREATE INDEX runs_by_fleet ON runs (fleet, started_at);
  CREATE TABLE events (
    run_id TEXT NOT NULL REFERENCES runs (run_id), seq INTEGER NOT NULL, at INTEGER NOT NULL, type TEXT NOT NULL, step TEXT, data TEXT NOT NULL,
    PRIMARY KEY (run_id, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE holders (
    name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, token TEXT, pid INTEGER NOT NULL, user TEXT NOT NULL, host TEXT NOT NULL, run_id TEXT,
    since INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE memory (key TEXT PRIMARY KEY, value TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
  CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
  CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
  CREATE TRIGGER events_in_order BEFORE INSERT ON events
    WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM events WHERE run_id = NEW.run_id)
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
  CREATE TRIGGER runs_no_update BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'runs are append-only'); END;
  CREATE TRIGGER runs_no_delete BEFORE DELETE ON runs BEGIN SELECT RAISE(ABORT, 'runs are append-only'); END;
  `,
  `
  CREATE TABLE notes (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL) STRICT;
  CREATE INDEX notes_by_topic ON notes (topic, id);
  `,
];

/** The schema version that this regionctl writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Brings the file to SCHEMA_VERSION. Several processes may call it at once: one migrates, the others wait and find it done. */
export function migrate(db: DatabaseSync, file: string): void {
  if (inOneSnapshot(db, () => assertOurs(db, file)) === SCHEMA_VERSION) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const sql of MIGRATIONS.slice(assertOurs(db, file))) db.exec(sql);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** The version of the tables of a file of ours; 0 = it has none yet. Throws StateError (73) for a file of another program or of a later regionctl. */
export function assertOurs(db: DatabaseSync, file: string): number {
  const version = pragma(db, 'user_version');
  const application = pragma(db, 'application_id');
  if (application !== APPLICATION_ID && (application !== 0 || version !== 0 || hasTables(db))) throw stateForeign(file);
  if (version > SCHEMA_VERSION) throw stateNewer(file, version, SCHEMA_VERSION);
  return version;
}

function pragma(db: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}

function hasTables(db: DatabaseSync): boolean {
  return db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined;
}

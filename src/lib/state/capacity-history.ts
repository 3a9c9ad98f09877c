import {existsSync} from 'node:fs';
import {join} from 'node:path';
import type {DatabaseSync} from 'node:sqlite';
import type {Reading} from '../capacity/series.ts';
import type {Clock} from '../ports/clock.ts';
import {assertSameFile, makeStateDir, markFile} from './files.ts';
import {inOneSnapshot, openDatabase} from './open-database.ts';
import {type HeldBack, removeOld} from './retention.ts';
import {stateForeign, stateNewer, stateTrouble} from './trouble.ts';

/** One value of a series. `region` null = of the whole fleet; `at` is epoch ms. */
export type KeptReading = Reading & {readonly series: string; readonly region: string | null};

/** The readings of a series in one region, in order of time. */
export type KeptSet = {readonly region: string | null; readonly readings: readonly Reading[]};

/**
 * What `capacity collect` has seen of the series of a fleet. Several processes may append at the same time. Of two values of one series, region and time the last one
 * stays. Every failure is a StateError (73) that names the file.
 */
export type CapacityHistory = {
  /**
   * All of them, or none, are on disk when this returns. What is older than `keepMs` before now is removed from the series that are written to, as far as so much time
   * was seen to pass (retention.ts). Answers with what stays therefore, of all these series; null = nothing.
   */
  append(readings: readonly KeptReading[], keepMs: number): HeldBack | null;
  /** From `from` to `to`, both inclusive, epoch ms. */
  read(series: string, from: number, to: number): readonly KeptSet[];
  close(): void;
};

type Place = {readonly dir: string; readonly fleet: string; readonly clock: Clock};

/** Marks the file as ours ("rgch"), so that another program's database is never written to. */
const APPLICATION_ID = 0x72676368;
const VERSION = 1;
/** A database of its own: it grows with time, and the journal of runs must not wait for it. `region` is empty for the whole fleet. */
const TABLES = `
  CREATE TABLE series (id INTEGER PRIMARY KEY, fleet TEXT NOT NULL, name TEXT NOT NULL, region TEXT NOT NULL, UNIQUE (fleet, name, region)) STRICT;
  CREATE TABLE readings (series INTEGER NOT NULL REFERENCES series (id), at INTEGER NOT NULL, value REAL NOT NULL, PRIMARY KEY (series, at)) STRICT, WITHOUT ROWID;
`;

/** Opens the history of a fleet in the folder of its state, in the file `capacity.db`, which is made if need be. */
export async function openHistory(place: Place): Promise<CapacityHistory> {
  makeStateDir(place.dir);
  const file = fileIn(place.dir);
  const db = await openDatabase(file, {clock: place.clock, migrate});
  return historyOf(db, file, place);
}

/** The same to read from; null = nothing was ever collected, and nothing is made. */
export async function openHistoryIfThere(place: Place): Promise<CapacityHistory | null> {
  return existsSync(fileIn(place.dir)) ? openHistory(place) : null;
}

const fileIn = (dir: string): string => join(dir, 'capacity.db');

function migrate(db: DatabaseSync, file: string): void {
  // Whoever only reads waits for nobody.
  if (inOneSnapshot(db, () => versionOf(db, file)) === VERSION) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    if (versionOf(db, file) === 0) db.exec(`${TABLES}; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function versionOf(db: DatabaseSync, file: string): number {
  const pragma = (name: string): number => Number(db.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
  const [application, version] = [pragma('application_id'), pragma('user_version')];
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (application !== APPLICATION_ID && (application !== 0 || !isEmpty)) throw stateForeign(file);
  if (version > VERSION) throw stateNewer(file, version, VERSION);
  return version;
}

function historyOf(db: DatabaseSync, file: string, {fleet, clock}: Place): CapacityHistory {
  const mark = markFile(file);
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (db.isOpen && db.isTransaction) db.exec('ROLLBACK');
      throw stateTrouble(file, error);
    }
  };
  return {
    append: (readings, keepMs) =>
      guarded(() => {
        // An unlinked file would take it silently.
        assertSameFile(mark);
        db.exec('BEGIN IMMEDIATE');
        const held = appendAll(db, fleet, readings, {keepMs, now: clock.wall()});
        db.exec('COMMIT');
        assertSameFile(mark);
        return held;
      }),
    read: (series, from, to) => guarded(() => readAll(db, {fleet, series, from, to})),
    close: () => {
      if (db.isOpen) db.close();
    },
  };
}

function appendAll(
  db: DatabaseSync,
  fleet: string,
  readings: readonly KeptReading[],
  age: {readonly keepMs: number; readonly now: number},
): HeldBack | null {
  const name = db.prepare('INSERT INTO series (fleet, name, region) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const find = db.prepare('SELECT id FROM series WHERE fleet = ? AND name = ? AND region = ?');
  const insert = db.prepare('INSERT OR REPLACE INTO readings (series, at, value) VALUES (?, ?, ?)');
  const written = new Set<number>();
  for (const {series, region, at, value} of readings) {
    name.run(fleet, series, region ?? '');
    const id = Number(find.get(fleet, series, region ?? '')?.id);
    insert.run(id, Math.round(at), value);
    written.add(id);
  }
  const held = [...written].flatMap((id) => removeOld(db, id, age) ?? []);
  const [first] = held.toSorted((a, b) => b.to - a.to);
  return first === undefined ? null : {...first, count: held.reduce((sum, {count}) => sum + count, 0)};
}

type Question = {readonly fleet: string; readonly series: string; readonly from: number; readonly to: number};

function readAll(db: DatabaseSync, {fleet, series, from, to}: Question): readonly KeptSet[] {
  const sets = db.prepare('SELECT id, region FROM series WHERE fleet = ? AND name = ? ORDER BY region').all(fleet, series);
  const select = db.prepare('SELECT at, value FROM readings WHERE series = ? AND at BETWEEN ? AND ? ORDER BY at');
  return sets.map(({id, region}) => ({
    region: region === '' ? null : String(region),
    readings: select.all(Number(id), Math.ceil(from), Math.floor(to)).map(({at, value}) => ({at: Number(at), value: Number(value)})),
  }));
}

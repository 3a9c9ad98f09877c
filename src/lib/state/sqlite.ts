import {join} from 'node:path';
import type {DatabaseSync, SQLInputValue, StatementSync} from 'node:sqlite';
import {stateError} from '../errors.ts';
import type {Json} from '../plan/json.ts';
import type {Plan} from '../plan/plan.ts';
import type {Clock} from '../ports/clock.ts';
import type {JournalEvent, Note, RunHead, State} from '../ports/state.ts';
import {assertSameFile, type FileMark, makeStateDir, markFile} from './files.ts';
import {type LeaseHome, leaseHolder, takeLease} from './lease.ts';
import {openDatabase} from './open-database.ts';
import {BUSY_MS} from './rest.ts';
import {migrate} from './schema.ts';
import {stateTrouble} from './trouble.ts';

/** So much of a topic's history is kept, and so much more is let grow before it is cut. */
const NOTES_KEPT = 10_000;
const NOTES_OVER = 500;

/**
 * Opens the state in `dir` (made if need be, for this user only), in the file `state.db`. Every write is on disk when it returns.
 * `busyMs`: how long a lock of another process is waited for, default 5 s; nothing else goes on meanwhile.
 * Throws StateError (73): directory not writable, disk full, damaged file, a file of a later version or of another program.
 */
export async function openState({dir, clock, busyMs = BUSY_MS}: {dir: string; clock: Clock; busyMs?: number | undefined}): Promise<State> {
  // Loading SQLite costs milliseconds, and most commands never need it.
  const {DatabaseSync: Database} = await import('node:sqlite');
  makeStateDir(dir);
  const file = join(dir, 'state.db');
  const db = await openDatabase(file, {clock, busyMs, migrate});
  return stateOf(new Tables(db, {file, clock, busyMs}), {dir, clock, Database});
}

/** Reads and durable writes on one open database, with every failure told in the words of trouble.ts. */
class Tables {
  readonly db: DatabaseSync;
  readonly clock: Clock;
  readonly #mark: FileMark;
  readonly #statements = new Map<string, StatementSync>();
  readonly #busyMs: number;
  #patientUntil: number | null = null;

  constructor(db: DatabaseSync, {file, clock, busyMs}: {file: string; clock: Clock; busyMs: number}) {
    this.#busyMs = busyMs;
    this.db = db;
    this.clock = clock;
    this.#mark = markFile(file);
  }

  /** One transaction, on disk when it returns. An unlinked file would take it silently, hence the check before and after. */
  write<T>(work: () => T): T {
    // Inside of another one: that one is what counts.
    if (this.db.isTransaction) return work();
    return this.#guard(() => {
      assertSameFile(this.#mark);
      if (this.#patientUntil !== null) this.#waitUntil(this.#patientUntil);
      this.db.exec('BEGIN IMMEDIATE');
      const value = work();
      this.db.exec('COMMIT');
      assertSameFile(this.#mark);
      return value;
    });
  }

  /** What is still to be written shares one time in which locks are waited for; after that each waits as before. */
  bePatient(): void {
    this.#patientUntil ??= this.clock.now() + BUSY_MS;
  }

  #waitUntil(at: number): void {
    this.db.exec(`PRAGMA busy_timeout = ${Math.max(this.#busyMs, Math.ceil(at - this.clock.now()))}`);
  }

  /** Read once, however often it is run: lines are written while clients wait. */
  statement(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.db.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }

  all(sql: string, ...values: SQLInputValue[]) {
    return this.#guard(() => this.statement(sql).all(...values));
  }

  get(sql: string, ...values: SQLInputValue[]) {
    return this.#guard(() => this.statement(sql).get(...values));
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (this.db.isOpen && this.db.isTransaction) this.#rollback();
      throw stateTrouble(this.#mark.file, error);
    }
  }

  #rollback(): void {
    try {
      this.db.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself; the first error is the one to report.
    }
  }
}

function stateOf(tables: Tables, place: Pick<LeaseHome, 'dir' | 'clock' | 'Database'>): State {
  const home: LeaseHome = {...place, db: tables.db, write: (work) => tables.write(work)};
  return {
    createRun: (runId, fleet, plan) => createRun(tables, runId, fleet, plan),
    append: (runId, event) => append(tables, runId, event),
    plan: (runId) => readPlan(tables, runId),
    events: (runId, after = 0) =>
      tables.all('SELECT seq, at, type, step, data FROM events WHERE run_id = ? AND seq > ? ORDER BY seq', runId, after).map(toEvent),
    runs: (fleet) => readRuns(tables, fleet),
    lease: (name, runId) => takeLease(home, name, runId),
    holder: (name) => leaseHolder(home, name),
    remember: (key, value) => remember(tables, key, value),
    recall: (key) => recall(tables, key),
    note: (topic, data, at) => note(tables, topic, data, at),
    notes: (topic, most = 1000, since = Number.NEGATIVE_INFINITY) => readNotes(tables, topic, most, since),
    together: (work) => tables.write(work),
    bePatient: () => tables.bePatient(),
    close: () => {
      if (tables.db.isOpen) tables.db.close();
    },
  };
}

function createRun(tables: Tables, runId: string, fleet: string, plan: Plan): void {
  tables.write(() => {
    const known = tables.db.prepare('SELECT 1 FROM runs WHERE run_id = ?').get(runId) !== undefined;
    if (known) throw stateError('run-exists', `Run ${runId} exists already: a run's plan is never changed.`);
    tables.db
      .prepare('INSERT INTO runs (run_id, fleet, kind, source, target, started_at, plan) VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(runId, fleet, plan.kind, plan.from, plan.to, Math.round(tables.clock.wall()), JSON.stringify(plan));
  });
}

function append(tables: Tables, runId: string, event: {type: string; step: string | null; data: Json}): JournalEvent {
  const at = Math.round(tables.clock.wall());
  return tables.write(() => {
    const run = tables.statement('SELECT 1 FROM runs WHERE run_id = ?').get(runId);
    if (run === undefined) throw stateError('run-unknown', `There is no run ${runId} to write to.`);
    const seq = Number(tables.statement('SELECT coalesce(max(seq), 0) + 1 AS seq FROM events WHERE run_id = ?').get(runId)?.seq);
    tables
      .statement('INSERT INTO events (run_id, seq, at, type, step, data) VALUES (?, ?, ?, ?, ?, ?)')
      .run(runId, seq, at, event.type, event.step, JSON.stringify(event.data));
    return {seq, at, ...event};
  });
}

function readPlan(tables: Tables, runId: string): Plan | null {
  const row = tables.get('SELECT plan FROM runs WHERE run_id = ?', runId);
  return row === undefined ? null : (JSON.parse(String(row.plan)) as Plan);
}

/** Newest first, in the order in which they were begun: a clock may be set back. */
function readRuns(tables: Tables, fleet: string | undefined): readonly RunHead[] {
  const columns = 'SELECT run_id, fleet, kind, source, target, started_at FROM runs';
  const order = 'ORDER BY rowid DESC';
  const rows = fleet === undefined ? tables.all(`${columns} ${order}`) : tables.all(`${columns} WHERE fleet = ? ${order}`, fleet);
  return rows.map((row) => ({
    runId: String(row.run_id),
    fleet: String(row.fleet),
    kind: String(row.kind),
    from: textOrNull(row.source),
    to: textOrNull(row.target),
    startedAt: Number(row.started_at),
  }));
}

function remember(tables: Tables, key: string, value: Json): void {
  tables.write(() =>
    tables
      .statement(
        'INSERT INTO memory (key, value, at) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, at = excluded.at',
      )
      .run(key, JSON.stringify(value), Math.round(tables.clock.wall())),
  );
}

function recall(tables: Tables, key: string): Json | undefined {
  const row = tables.get('SELECT value FROM memory WHERE key = ?', key);
  return row === undefined ? undefined : (JSON.parse(String(row.value)) as Json);
}

function note(tables: Tables, topic: string, data: Json, at = tables.clock.wall()): void {
  tables.write(() => {
    tables.statement('INSERT INTO notes (topic, at, data) VALUES (?, ?, ?)').run(topic, Math.round(at), JSON.stringify(data));
    const count = Number(tables.statement('SELECT count(*) AS n FROM notes WHERE topic = ?').get(topic)?.n);
    if (count <= NOTES_KEPT + NOTES_OVER) return;
    tables
      .statement('DELETE FROM notes WHERE topic = ? AND id <= (SELECT id FROM notes WHERE topic = ? ORDER BY id DESC LIMIT 1 OFFSET ?)')
      .run(topic, topic, NOTES_KEPT);
  });
}

/** By the time of each line: a clock may be set back, so the first that is too old need not be the last. */
function readNotes(tables: Tables, topic: string, most: number, since: number): readonly Note[] {
  const rows = tables.all('SELECT at, data FROM notes WHERE topic = ? AND at >= ? ORDER BY id DESC LIMIT ?', topic, since, most);
  return rows.toReversed().map(({at, data}) => ({at: Number(at), data: JSON.parse(String(data)) as Json}));
}

function toEvent(row: Record<string, unknown>): JournalEvent {
  return {
    seq: Number(row.seq),
    at: Number(row.at),
    type: String(row.type),
    step: textOrNull(row.step),
    data: JSON.parse(String(row.data)) as Json,
  };
}

function textOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

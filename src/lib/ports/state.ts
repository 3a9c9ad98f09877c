import type {Json} from '../plan/json.ts';
import type {Plan} from '../plan/plan.ts';

/** One line of a run's journal. Append-only: what was written is never changed. `seq` counts from 1 within the run. */
export type JournalEvent = {
  readonly seq: number;
  /** Epoch ms. */
  readonly at: number;
  readonly type: string;
  readonly step: string | null;
  readonly data: Json;
};

/** A run as the list shows it. */
export type RunHead = {
  readonly runId: string;
  readonly fleet: string;
  readonly kind: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly startedAt: number;
};

/** Who holds a lease, and since when (epoch ms). */
export type LeaseHolder = {
  readonly token: string;
  readonly pid: number;
  readonly user: string;
  readonly host: string;
  readonly runId: string | null;
  readonly since: number;
};

/** A held lease. It is gone when the process is gone; `check` throws LeaseError when it is not held any more. */
export type Lease = {readonly token: string; check(): void; release(): void};

/** A line of a topic's history. `at` is epoch ms. */
export type Note = {readonly at: number; readonly data: Json};

/** The part of the State port that carries what was seen from one command to the next. */
export type Memory = Pick<State, 'recall' | 'remember' | 'note' | 'together' | 'bePatient'>;

/** Where runs, leases and history are kept. Writes are on disk when the call returns. Throws StateError (exit 73) when they cannot be. */
export type State = {
  createRun(runId: string, fleet: string, plan: Plan): void;
  append(runId: string, event: {type: string; step: string | null; data: Json}): JournalEvent;
  plan(runId: string): Plan | null;
  /** In order; with `after`, only those with a higher `seq`. */
  events(runId: string, after?: number): readonly JournalEvent[];
  runs(fleet?: string): readonly RunHead[];
  /** Throws LeaseError (exit 75) with the holder and since when, if another process holds it. */
  lease(name: string, runId: string | null): Lease;
  /** Who holds a lease now, without taking it; null = nobody. */
  holder(name: string): LeaseHolder | null;
  /** The last verdicts per key, for "since when": small values, last writer wins. */
  remember(key: string, value: Json): void;
  recall(key: string): Json | undefined;
  /** Adds a line to the history of a topic, of `at` (epoch ms; default now). The oldest are dropped when there are more than 10,000 of it. */
  note(topic: string, data: Json, at?: number): void;
  /** The newest `most` (default 1000) lines of a topic's history that are of `since` (epoch ms; default: of any time) or later, in the order in which they were written. */
  notes(topic: string, most?: number, since?: number): readonly Note[];
  /** What `work` reads and writes is one step: nobody else writes in between, and all of it is on disk when this returns, or none. */
  together<T>(work: () => T): T;
  /** For a process that ends: locks are waited for longer for the next 5 s, however it was opened. Absent = it waits as long already. */
  bePatient?(): void;
  close(): void;
};

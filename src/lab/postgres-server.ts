import {type ChildProcess, spawn} from 'node:child_process';
import {closeSync, existsSync, openSync, readFileSync} from 'node:fs';
import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import {markOf, type ProcessMark, processesIn, signalAll, waitUntil} from '../lib/processes.ts';
import {removeFaketimeMemory} from './clock-skew.ts';
import {commandAs, POSTGRES_ENV, type PostgresBinaries, type RunAs} from './postgres-binaries.ts';
import {removeSegment} from './shared-memory.ts';

/** Where one server lives and how it is run. */
export type PostgresPlace = {readonly data: string; readonly log: string; readonly binaries: PostgresBinaries; readonly runAs: RunAs};

/** What a fault adds to a start: a command that runs the server, and environment. */
export type StartedUnder = {readonly wrapper: readonly string[]; readonly env: Readonly<Record<string, string>>};

const START_DEADLINE_MS = 60_000;

/** One PostgreSQL server of the lab, a child of the supervisor. It starts as what its data folder says: standby or primary. */
export class PostgresServer {
  readonly place: PostgresPlace;
  port: number;
  #child: ChildProcess | null = null;
  #mark: ProcessMark | null = null;

  constructor(place: PostgresPlace, port: number) {
    this.place = place;
    this.port = port;
  }

  /** The postmaster, as long as it runs. */
  get mark(): ProcessMark | null {
    return this.#mark;
  }

  get running(): boolean {
    return this.#child !== null;
  }

  /** What its data folder says that it is. The server removes the file when it was promoted. */
  get role(): 'primary' | 'standby' {
    return existsSync(join(this.place.data, 'standby.signal')) ? 'standby' : 'primary';
  }

  /** Starts it and waits until it takes connections. Running already = nothing to do. Throws with the end of its log. */
  async start({wrapper, env}: StartedUnder = {wrapper: [], env: {}}): Promise<void> {
    if (this.#child !== null) return;
    await this.#clearRemains();
    const {data, log, binaries, runAs} = this.place;
    const [program = '', ...args] = [...wrapper, join(binaries.dir, 'postgres'), '-D', data, '-p', String(this.port)];
    const command = commandAs(runAs, program, args);
    const output = openSync(log, 'a', 0o600);
    const child = spawn(command.file, command.args, {
      cwd: data,
      env: {...POSTGRES_ENV, ...env},
      detached: true,
      stdio: ['ignore', output, output],
      ...command.ids,
    });
    closeSync(output);
    this.#child = child;
    let failure: string | null = null;
    child.once('error', (error) => {
      failure = error.message;
      this.#forget(child);
    });
    child.once('exit', () => this.#forget(child));
    this.#mark = child.pid === undefined ? null : markOf(child.pid);
    const settled = await waitUntil(() => this.#child !== child || this.#isReady(), START_DEADLINE_MS);
    if (child.pid !== undefined && env.LD_PRELOAD !== undefined) await removeFaketimeMemory(child.pid);
    if (settled && this.#child === child) return;
    const why = failure ?? (settled ? 'it ended' : `it took no connection within ${START_DEADLINE_MS / 1000} s`);
    throw new Error(`PostgreSQL did not start: ${why}\n${tailOf(log)}`);
  }

  /** Fast shutdown. False when it was not done within `deadlineMs`. Not running = true. */
  async stop(deadlineMs: number): Promise<boolean> {
    const pid = this.#child?.pid;
    if (pid === undefined) return true;
    signalAll([pid], 'SIGINT');
    return waitUntil(() => this.#child === null, deadlineMs);
  }

  /** Reads its configuration files again. */
  reload(): void {
    if (this.#child?.pid !== undefined) signalAll([this.#child.pid], 'SIGHUP');
  }

  /** Resolves when the postmaster is gone; it must have been killed. */
  ended(deadlineMs: number): Promise<boolean> {
    return waitUntil(() => this.#child === null && processesIn(this.place.data).length === 0, deadlineMs);
  }

  #forget(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#mark = null;
  }

  /** A killed server leaves a lock file whose pid may belong to someone else by now, and a segment. */
  async #clearRemains(): Promise<void> {
    await waitUntil(() => processesIn(this.place.data).length === 0, 5000);
    await removeSegment(this.place.data);
    await rm(join(this.place.data, 'postmaster.pid'), {force: true});
  }

  /** Line 8 of postmaster.pid is the server's state. */
  #isReady(): boolean {
    try {
      const lines = readFileSync(join(this.place.data, 'postmaster.pid'), 'utf8').split('\n');
      return lines[7]?.trim() === 'ready' && Number(lines[0]) === this.#child?.pid;
    } catch {
      return false;
    }
  }
}

/** The last lines of a log, for messages. */
export function tailOf(file: string, lines = 15): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}

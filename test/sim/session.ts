import {RegionctlError, refused, unavailable} from '../../src/lib/errors.ts';
import {EXIT} from '../../src/lib/exit-codes.ts';
import type {Channel} from './net.ts';
import type {Process} from './process.ts';
import type {Backend, Server} from './server.ts';

/** Limits of one statement, as a real session has them: with `on` it is sent over the connection of that backend or not at all. */
export type Limits = {readonly timeoutMs?: number; readonly signal?: AbortSignal | undefined; readonly on?: Backend};

/** What a statement does on the server, at one moment. What it throws is the server's answer. */
export type Statement<T> = (server: Server, backend: Backend) => T;

const CONNECT_MS = 1000;
const STATEMENT_MS = 1500;
const SILENT_CONNECT_MS = 300;
const SILENT_FOR_MS = 3000;
/** A timer that is this late was slept over; what was asked then gets this much more. */
const SLEPT_MS = 200;
const GRACE_MS = 300;

type Connection = {
  readonly up: Channel;
  readonly down: Channel;
  backend: Backend | null;
  open: boolean;
  readonly waiting: Set<(error: Error) => void>;
};

/**
 * One connection of a process to one member that behaves as the real provider's session does: opened when it is first needed and anew after it
 * was lost, statements one after the other, given up after a time. A statement that was given up may still arrive.
 */
export class Session {
  readonly #process: Process;
  readonly #server: Server;
  #current: Promise<Connection> | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #silentSince = Number.NEGATIVE_INFINITY;
  #missed: {readonly at: number; readonly error: unknown} | null = null;
  #live: Connection | null = null;

  constructor(process: Process, server: Server) {
    this.#process = process;
    this.#server = server;
  }

  /** Whose connection is open now, as far as this end knows. */
  get backend(): Backend | null {
    return this.#live?.open === true ? this.#live.backend : null;
  }

  ask<T>(label: string, statement: Statement<T>, {timeoutMs = STATEMENT_MS, signal, on}: Limits = {}): Promise<T> {
    if (signal?.aborted === true) return Promise.reject(this.#aborted(signal));
    const running = this.#inTurn(label, statement, timeoutMs, signal, on);
    if (signal === undefined) return running;
    return new Promise<T>((resolve, reject) => {
      const give = (): void => reject(this.#aborted(signal));
      signal.addEventListener('abort', give, {once: true});
      running.then(resolve, reject).finally(() => signal.removeEventListener('abort', give));
    });
  }

  async close(): Promise<void> {
    const opened = this.#current;
    this.#current = null;
    if (opened !== null) await opened.then((connection) => this.#hangUp(connection)).catch(() => undefined);
  }

  #inTurn<T>(label: string, statement: Statement<T>, timeoutMs: number, signal: AbortSignal | undefined, on?: Backend): Promise<T> {
    const since = this.#now;
    const end = since + timeoutMs;
    const turn = this.#last.then(async () => {
      signal?.throwIfAborted();
      if (end - this.#now <= 0) throw this.#trouble('timeout');
      if (on !== undefined && this.backend !== on) throw this.#claimLost();
      if (this.#current === null && this.#missed !== null && this.#missed.at > since) throw this.#missed.error;
      const connection = await this.#acquire();
      this.#live = connection;
      signal?.throwIfAborted();
      if (on !== undefined && connection.backend !== on) throw this.#claimLost();
      return this.#run(connection, label, statement, Math.max(0, end - this.#now));
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  get #now(): number {
    return this.#process.fleet.scheduler.now;
  }

  #acquire(): Promise<Connection> {
    if (this.#current !== null) return this.#current;
    const isSilent = this.#now - this.#silentSince < SILENT_FOR_MS;
    const opened = this.#open(isSilent ? SILENT_CONNECT_MS : CONNECT_MS);
    opened.catch((error: unknown) => {
      this.#forget(opened);
      if (!(error instanceof RegionctlError && error.code === 'timeout')) return;
      this.#missed = {at: this.#now, error};
      if (!isSilent) this.#silentSince = this.#now;
    });
    this.#current = opened;
    return opened;
  }

  #forget(opened: Promise<Connection>): void {
    if (this.#current === opened) this.#current = null;
  }

  #open(timeoutMs: number): Promise<Connection> {
    const {net} = this.#process.fleet;
    const [up, down] = [net.channel(this.#process.place, this.#server.name), net.channel(this.#server.name, this.#process.place)];
    const connection: Connection = {up, down, backend: null, open: true, waiting: new Set()};
    this.#process.onKill(() => this.#hangUp(connection));
    return this.#exchange<Connection>(connection, 'connect', timeoutMs, (answer, refuse) => {
      connection.backend = this.#server.login('regionctl', () => this.#cutBy(connection));
      if (connection.backend === null) refuse(this.#trouble('refused'));
      else answer(connection);
    }).catch((error: unknown) => {
      // It may be let in later, when nobody waits for it any more.
      this.#hangUp(connection);
      throw error;
    });
  }

  /** The server ended the session: whoever waits for an answer hears of it, when the message arrives. */
  #cutBy(connection: Connection): void {
    this.#process.fleet.net.send(connection.down, () =>
      this.#process.take(() => {
        connection.open = false;
        if (this.#current !== null)
          void this.#current.then((current) => current === connection && this.#drop(connection)).catch(() => undefined);
        for (const fail of [...connection.waiting]) fail(this.#trouble('reset'));
      }),
    );
  }

  #drop(connection: Connection): void {
    connection.open = false;
    this.#current = null;
  }

  async #run<T>(connection: Connection, label: string, statement: Statement<T>, timeoutMs: number): Promise<T> {
    const {backend} = connection;
    if (!connection.open || backend === null) {
      this.#current = null;
      throw this.#trouble('reset');
    }
    try {
      return await this.#exchange<T>(connection, label, timeoutMs, (answer, refuse) => {
        // What arrives at a session that is gone is not executed.
        if (backend.ended) return;
        try {
          answer(statement(this.#server, backend));
        } catch (error) {
          refuse(error instanceof Error ? error : new Error(String(error)));
        }
      });
    } catch (error) {
      const code = error instanceof RegionctlError ? error.code : 'error';
      if (code === 'timeout') {
        this.#silentSince = this.#now;
        this.#hangUp(connection);
      }
      if (code === 'timeout' || code === 'reset') this.#current = null;
      throw error;
    }
  }

  /** One message there and one back, with a time-out on this side. */
  #exchange<T>(
    connection: Connection,
    label: string,
    timeoutMs: number,
    arrive: (answer: (value: T) => void, refuse: (error: Error) => void) => void,
  ): Promise<T> {
    const {net} = this.#process.fleet;
    return new Promise<T>((resolve, reject) => {
      let over = false;
      const end = (finish: () => void): void => {
        if (over) return;
        over = true;
        timer.run = null;
        connection.waiting.delete(fail);
        finish();
      };
      const fail = (error: Error): void => end(() => reject(error));
      const reply = (finish: () => void): void => net.send(connection.down, () => this.#process.take(() => end(finish)));
      let timer = this.#timer(
        timeoutMs,
        () => fail(this.#trouble('timeout')),
        (again) => {
          timer = again;
        },
      );
      connection.waiting.add(fail);
      this.#process.send(label, () =>
        net.send(connection.up, () =>
          this.#server.receive(() =>
            arrive(
              (value) => reply(() => resolve(value)),
              (error) => reply(() => reject(error)),
            ),
          ),
        ),
      );
    });
  }

  #timer(ms: number, late: () => void, rearmed: (timer: {run: (() => void) | null}) => void): {run: (() => void) | null} {
    const due = this.#now + ms;
    return this.#process.fleet.scheduler.after(ms, () =>
      this.#process.take(() => {
        if (this.#now - due > SLEPT_MS) rearmed(this.#timer(GRACE_MS, late, rearmed));
        else late();
      }),
    );
  }

  /** The client's end is closed; the server hears of it after everything that was sent before. */
  #hangUp(connection: Connection): void {
    connection.open = false;
    this.#process.fleet.net.send(connection.up, () =>
      this.#server.receive(() => {
        if (connection.backend !== null) this.#server.end(connection.backend);
      }),
    );
  }

  #trouble(code: 'timeout' | 'refused' | 'reset'): RegionctlError {
    const says = {timeout: 'did not answer in time', refused: 'refuses connections', reset: 'broke the connection off'}[code];
    return unavailable(code, `${this.#server.name} ${says}.`);
  }

  #claimLost(): RegionctlError {
    return refused('claim-lost', `The connection to ${this.#server.name} that held the claim is gone.`);
  }

  #aborted(signal: AbortSignal): RegionctlError {
    return new RegionctlError('cancelled', EXIT.unavailable, `${this.#server.name} was not waited for: the call was cancelled.`, {
      cause: signal.reason,
    });
  }
}

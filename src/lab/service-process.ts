import {type ChildProcess, spawn} from 'node:child_process';
import {closeSync, openSync, writeFileSync} from 'node:fs';
import {markOf, type ProcessMark, waitUntil} from '../lib/processes.ts';
import {removeFaketimeMemory} from './clock-skew.ts';
import {tailOf} from './postgres-server.ts';
import type {ServiceConfig} from './service.ts';

/** Where the service's process is started from and what it is told. `home` holds its configuration, without secrets. */
export type ServicePlace = {readonly entry: string; readonly home: string; readonly configFile: string; readonly log: string};

const START_DEADLINE_MS = 20_000;
/** A service that is stopped where it is hears it when it goes on. */
const HEARD_MS = 1000;

/** The service of one region as a child of the supervisor. */
export class ServiceProcess {
  readonly #place: ServicePlace;
  #child: ChildProcess | null = null;
  #mark: ProcessMark | null = null;

  constructor(place: ServicePlace) {
    this.#place = place;
  }

  get mark(): ProcessMark | null {
    return this.#mark;
  }

  get running(): boolean {
    return this.#child !== null;
  }

  /** Starts it, with `env` beside its own environment, and waits until it listens. Running already = nothing to do. False = the port is taken. */
  async start(config: ServiceConfig, env: Readonly<Record<string, string>> = {}): Promise<boolean> {
    if (this.#child !== null) return true;
    const {entry, home, configFile, log} = this.#place;
    writeFileSync(configFile, JSON.stringify(config), {mode: 0o600});
    const output = openSync(log, 'a', 0o600);
    const child = spawn(process.execPath, [entry, configFile], {
      cwd: home,
      env: {PATH: '/usr/bin:/bin', TZ: 'UTC', ...env},
      detached: true,
      stdio: ['ignore', output, output, 'ipc'],
    });
    closeSync(output);
    this.#child = child;
    let listening = false;
    child.on('message', (message) => {
      listening ||= isAbout(message, 'port');
    });
    child.once('error', () => this.#forget(child));
    child.once('exit', () => this.#forget(child));
    this.#mark = child.pid === undefined ? null : markOf(child.pid);
    await waitUntil(() => listening || this.#child !== child, START_DEADLINE_MS);
    if (child.pid !== undefined && env.LD_PRELOAD !== undefined) await removeFaketimeMemory(child.pid);
    if (listening) return true;
    child.kill('SIGKILL');
    const said = tailOf(log);
    if (said.includes('EADDRINUSE')) return false;
    throw new Error(`the service did not start\n${said}`);
  }

  /** Which share of its requests it answers with 500, from now on. Not running = nothing to do: it is told at its next start. */
  async setErrorShare(errorShare: number): Promise<void> {
    const child = this.#child;
    if (child === null || !child.connected) return;
    let heard = false;
    const listen = (message: unknown) => {
      heard ||= isAbout(message, 'errorShare');
    };
    child.on('message', listen);
    child.send({errorShare}, () => undefined);
    await waitUntil(() => heard || this.#child !== child, HEARD_MS);
    child.off('message', listen);
  }

  /** Ends it at once and waits until it is gone. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.ended(HEARD_MS);
  }

  /** Resolves when it is gone; it must have been killed. */
  ended(deadlineMs: number): Promise<boolean> {
    return waitUntil(() => this.#child === null, deadlineMs);
  }

  #forget(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#mark = null;
  }
}

/** Whether it is a message of the service with this field. */
const isAbout = (message: unknown, field: string) => typeof message === 'object' && message !== null && field in message;

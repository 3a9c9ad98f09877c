import {type ChildProcess, spawn} from 'node:child_process';
import {closeSync, openSync, writeFileSync} from 'node:fs';
import {markOf, type ProcessMark, waitUntil} from '../lib/processes.ts';
import {tailOf} from './postgres-server.ts';
import type {ServiceConfig} from './service.ts';

/** Where the service's process is started from and what it is told. `home` holds its configuration, without secrets. */
export type ServicePlace = {readonly entry: string; readonly home: string; readonly configFile: string; readonly log: string};

const START_DEADLINE_MS = 20_000;

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

  /** Starts it and waits until it listens. Running already = nothing to do. False = the port is taken. */
  async start(config: ServiceConfig): Promise<boolean> {
    if (this.#child !== null) return true;
    const {entry, home, configFile, log} = this.#place;
    writeFileSync(configFile, JSON.stringify(config), {mode: 0o600});
    const output = openSync(log, 'a', 0o600);
    const child = spawn(process.execPath, [entry, configFile], {
      cwd: home,
      env: {PATH: '/usr/bin:/bin', TZ: 'UTC'},
      detached: true,
      stdio: ['ignore', output, output, 'ipc'],
    });
    closeSync(output);
    this.#child = child;
    let listening = false;
    child.once('message', () => {
      listening = true;
    });
    child.once('error', () => this.#forget(child));
    child.once('exit', () => this.#forget(child));
    this.#mark = child.pid === undefined ? null : markOf(child.pid);
    await waitUntil(() => listening || this.#child !== child, START_DEADLINE_MS);
    if (listening) return true;
    child.kill('SIGKILL');
    const said = tailOf(log);
    if (said.includes('EADDRINUSE')) return false;
    throw new Error(`the service did not start\n${said}`);
  }

  #forget(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#mark = null;
  }
}

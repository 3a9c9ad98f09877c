import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {join, resolve} from 'node:path';
import type pg from 'pg';

export const ROOT = resolve(import.meta.dirname, '../../..');
const BIN = join(ROOT, 'bin/regionctl');
const DOOMED = join(import.meta.dirname, 'doomed.ts');

/** What came of one process. */
export type Ended = {readonly status: number | null; readonly signal: string | null; readonly stdout: string; readonly stderr: string};
/** A process under way. */
export type Going = {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  signal(name: NodeJS.Signals): void;
  readonly stderr: () => string;
};
/** What happens to the home region. */
export type Fault = 'lose' | 'kill';

/** Three regions (us-east is home, then eu-west and ap) on which regionctl is killed: driven by the built program as a person would. */
export abstract class CrashGround {
  abstract readonly fleetFile: string;
  abstract readonly stateDir: string;
  /** The fleet's name in its own file. */
  abstract readonly fleet: string;

  abstract up(): Promise<void>;
  abstract remove(): Promise<void>;
  /** Everything new: a fleet that was left somewhere else would make every later case bad. */
  abstract renew(): Promise<void>;
  abstract fault(kind: Fault, region: string): Promise<unknown>;
  /** Takes every fault back: what was killed is started as its data says. */
  abstract heal(region: string): Promise<unknown>;
  /** A connection past every fault, as regionctl's own role. */
  abstract connect(region: string): Promise<pg.Client>;
  /** Logs in as the service does, past every fault. Throws what the server says. */
  abstract logIn(region: string): Promise<void>;
  abstract weights(): Promise<unknown>;
  /** One order where clients enter, whoever has the traffic: the region that took it. Throws when nobody did. */
  abstract order(ref: string): Promise<string | null>;
  /** Ports at which a region reaches, or is reached by, the others: region by port. */
  abstract names(region: string): Readonly<Record<number, string>>;

  /** The built program, with this fleet. */
  start = (...args: string[]): Going => this.#spawn(BIN, args);
  cli = (...args: string[]): Promise<Ended> => this.start(...args).ended;

  /** A regionctl from the sources that kills itself at a point (doomed.ts). */
  doomed = (kind: string, point: string, delayMs = 0, interruptAfter = ''): Promise<Ended> =>
    this.#spawn(process.execPath, [DOOMED, this.fleetFile, kind, point, String(delayMs), interruptAfter]).ended;

  /** One that is stopped (SIGSTOP) at the point instead, as if its machine slept. */
  sleeper = (kind: string, point: string): Going =>
    this.#spawn(process.execPath, [DOOMED, this.fleetFile, kind, point, '0', ''], {REGIONCTL_DOOMED: 'SIGSTOP'});

  expectGood = (...args: string[]): Promise<Ended> => this.expectStatus(0, ...args);

  async expectStatus(status: number, ...args: string[]): Promise<Ended> {
    const ended = await this.cli(...args);
    if (ended.status !== status)
      throw new Error(`regionctl ${args.join(' ')}: ${ended.status ?? ended.signal}\n${ended.stdout}\n${ended.stderr}`);
    return ended;
  }

  /** A failover that leaves the old primary unguarded, as it is in these tests: that is a warning (1). */
  failover = (...args: string[]): Promise<Ended> => this.expectStatus(1, 'failover', 'run', '--yes', '--no-guard', '--json', ...args);

  async sql<T extends pg.QueryResultRow>(region: string, text: string, values: unknown[] = []): Promise<T[]> {
    const client = await this.connect(region);
    try {
      return (await client.query<T>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  #spawn(program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Going {
    const env = {...process.env, REGIONCTL_FLEET: this.fleetFile, CI: '1', ...more};
    const child = spawn(program, args, {env, stdio: ['ignore', 'pipe', 'pipe'], cwd: '/'});
    const out = {stdout: '', stderr: ''};
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        out[stream] += text;
      });
    const ended = once(child, 'close').then(([status, signal]): Ended => ({status, signal, ...out}));
    return {pid: child.pid ?? 0, ended, signal: (name) => void child.kill(name), stderr: () => out.stderr};
  }
}

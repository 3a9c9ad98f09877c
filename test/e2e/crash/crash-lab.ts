import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import pg from 'pg';
import {askLab} from '../../../src/lab/control-client.ts';
import {type LabRecord, readRecord} from '../../../src/lab/record.ts';

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

/** A lab of its own, driven by the built regionctl as a person would. */
export class CrashLab {
  readonly parent = mkdtempSync(join(tmpdir(), 'regionctl-crash-'));
  readonly dir = join(this.parent, 'lab');
  readonly fleetFile = join(this.dir, 'regionctl.yaml');
  readonly stateDir = join(this.dir, 'state');

  async up(): Promise<void> {
    await this.expectGood('lab', 'up', '--dir', this.dir);
  }

  async remove(): Promise<void> {
    await this.cli('lab', 'down', '--dir', this.dir);
    rmSync(this.parent, {recursive: true, force: true});
  }

  /** The built program, with this lab's fleet. */
  start = (...args: string[]): Going => this.#spawn(BIN, args);
  cli = (...args: string[]): Promise<Ended> => this.start(...args).ended;

  /** A regionctl from the sources that kills itself at a point (doomed.ts). */
  doomed = (kind: string, point: string, delayMs = 0, interruptAfter = ''): Promise<Ended> =>
    this.#spawn(process.execPath, [DOOMED, this.fleetFile, kind, point, String(delayMs), interruptAfter]).ended;

  /** One that is stopped (SIGSTOP) at the point instead, as if its machine slept. */
  sleeper = (kind: string, point: string): Going =>
    this.#spawn(process.execPath, [DOOMED, this.fleetFile, kind, point, '0', ''], {REGIONCTL_DOOMED: 'SIGSTOP'});

  /** A fleet file of the same fleet for an operator with a data directory of their own. */
  otherFleet(): string {
    const file = join(this.dir, 'other.yaml');
    const own = readFileSync(this.fleetFile, 'utf8');
    const text = own.replace(/^state:.*$/m, 'state: {dir: other-state}');
    if (text === own) throw new Error('the fleet file of the lab names no state');
    writeFileSync(file, text);
    return file;
  }

  expectGood = (...args: string[]): Promise<Ended> => this.expectStatus(0, ...args);

  async expectStatus(status: number, ...args: string[]): Promise<Ended> {
    const ended = await this.cli(...args);
    if (ended.status !== status)
      throw new Error(`regionctl ${args.join(' ')}: ${ended.status ?? ended.signal}\n${ended.stdout}\n${ended.stderr}`);
    return ended;
  }

  /** A failover that leaves the old primary unguarded, as it is in these tests: that is a warning (1). */
  failover = (...args: string[]): Promise<Ended> => this.expectStatus(1, 'failover', 'run', '--yes', '--no-guard', '--json', ...args);

  fault = (kind: string, region: string) => this.expectGood('lab', 'fault', kind, region, '--dir', this.dir);
  heal = (region: string) => this.expectGood('lab', 'heal', region, '--dir', this.dir);

  get record(): LabRecord {
    const record = readRecord(this.dir);
    if (record === null) throw new Error('no lab');
    return record;
  }

  weights = async (): Promise<unknown> => (await askLab(this.record, {method: 'GET', path: '/routes/front-door'})) as unknown;

  get frontDoor(): string {
    return `http://127.0.0.1:${this.record.frontDoor}/orders`;
  }

  /** A connection past every fault, as regionctl's own role or another. */
  async connect(region: string): Promise<pg.Client> {
    const port = this.record.regions.find(({name}) => name === region)?.direct.postgres;
    const password = readFileSync(join(this.dir, 'secrets/regionctl'), 'utf8').trim();
    const client = new pg.Client({host: '127.0.0.1', port, user: 'regionctl', password, database: 'orders', query_timeout: 5000});
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

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
    const child = spawn(program, args, {env, stdio: ['ignore', 'pipe', 'pipe'], cwd: this.parent});
    const out = {stdout: '', stderr: ''};
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      out.stderr += text;
    });
    const ended = once(child, 'close').then(([status, signal]): Ended => ({status, signal, ...out}));
    return {pid: child.pid ?? 0, ended, signal: (name) => void child.kill(name), stderr: () => out.stderr};
  }
}

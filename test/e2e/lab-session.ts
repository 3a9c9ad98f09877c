import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {createInterface} from 'node:readline';
import pg from 'pg';
import type {LabStatus} from '../../src/lab/lab-status.ts';
import type {Findings, Truth} from './independent-client.ts';

const ROOT = resolve(import.meta.dirname, '../..');
export const BIN = join(ROOT, 'bin/regionctl');

/** How a process of regionctl ended, and what it printed. `code` null = it was killed: it took too long. */
export type Ran = {readonly code: number | null; readonly stdout: string; readonly stderr: string};

export type RunOptions = {
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
  readonly cwd?: string;
  /** Told as soon as it runs. */
  readonly onStart?: (child: ChildProcess) => void;
};

/** A lab in a temporary folder, driven from outside: by the built program only. */
export class LabSession {
  readonly parent = mkdtempSync(join(tmpdir(), 'regionctl-e2e-'));
  readonly dir = join(this.parent, 'lab');
  readonly fleetFile = join(this.dir, 'regionctl.yaml');
  readonly #clients: IndependentClient[] = [];
  readonly #truths = new Map<string, Truth>();

  async up(...flags: readonly string[]): Promise<LabStatus> {
    if (!existsSync(join(ROOT, 'dist/main.js')))
      throw new Error('these tests drive the built program, and dist/main.js is not there: run "npm run build" first');
    this.#truths.clear();
    return this.json<LabStatus>(0, ['lab', 'up', '--dir', this.dir, ...flags]);
  }

  /** Runs regionctl to its end, whatever its exit code. */
  async run(args: readonly string[], {env = {}, timeoutMs = 60_000, cwd = this.parent, onStart}: RunOptions = {}): Promise<Ran> {
    const child = spawn(BIN, args, {
      cwd,
      env: {...process.env, DEBUG: '', REGIONCTL_FLEET: this.fleetFile, ...env},
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    onStart?.(child);
    const printed = {stdout: '', stderr: ''};
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        printed[stream] += text;
      });
    }
    const code = await new Promise<number | null>((done, fail) => child.on('close', done).on('error', fail));
    return {code, ...printed};
  }

  /** The document that a command prints with --json. Fails with all that was printed when the exit code is another one. */
  async json<T>(code: number, args: readonly string[], options?: RunOptions): Promise<T> {
    const ran = await this.run([...args, '--json'], options);
    if (ran.code !== code) throw new Error(`regionctl ${args.join(' ')} ended with ${ran.code}, not ${code}\n${ran.stdout}\n${ran.stderr}`);
    return JSON.parse(ran.stdout) as T;
  }

  /** A command of the lab that must succeed. */
  lab = (...args: readonly string[]) => this.json<unknown>(0, ['lab', ...args, '--dir', this.dir]);

  status = () => this.json<LabStatus>(0, ['lab', 'status', '--dir', this.dir]);

  secret = (name: string) => readFileSync(join(this.dir, 'secrets', name), 'utf8');

  /** The server of a region itself, past every proxy and every fault. */
  async truthOf(region: string): Promise<Truth> {
    // Ports stay what they are as long as the lab is there, and a process for each question would be a load of its own.
    if (!this.#truths.has(region)) {
      for (const {region: name, direct} of (await this.status()).regions) {
        const {hostname, port} = new URL(`tcp://${direct.postgres}`);
        this.#truths.set(name, {host: hostname, port: Number(port), passwordFile: join(this.dir, 'secrets/regionctl')});
      }
    }
    const truth = this.#truths.get(region);
    if (truth === undefined) throw new Error(`the lab has no region ${region}`);
    return truth;
  }

  /** A session with that server. The caller ends it. */
  async connect(region: string, settings: pg.ClientConfig = {}): Promise<pg.Client> {
    const {host, port, passwordFile} = await this.truthOf(region);
    const password = readFileSync(passwordFile, 'utf8').trim();
    const client = new pg.Client({host, port, user: 'regionctl', password, database: 'orders', ...settings});
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** One statement there. */
  async sql<T extends pg.QueryResultRow>(region: string, text: string, values: readonly unknown[] = []): Promise<T[]> {
    const client = await this.connect(region, {query_timeout: 10_000});
    try {
      return (await client.query<T>(text, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  /** An independent client that writes from now on; ended with the lab at the latest. */
  async client(prefix: string): Promise<IndependentClient> {
    const {frontDoor} = await this.status();
    if (frontDoor === null) throw new Error('the lab has no front door');
    const client = new IndependentClient([frontDoor, prefix, join(this.parent, `${prefix}.ndjson`)]);
    this.#clients.push(client);
    return client;
  }

  /** Takes everything down, whatever state it is in. */
  async remove(): Promise<void> {
    for (const client of this.#clients) client.kill();
    if (existsSync(this.dir)) await this.run(['lab', 'down', '--dir', this.dir]);
    rmSync(this.parent, {recursive: true, force: true});
  }
}

/** The process of independent-client.ts. */
export class IndependentClient {
  readonly #child: ChildProcess;
  readonly logFile: string;
  readonly #answer: Promise<string>;

  constructor(args: readonly [frontDoor: string, prefix: string, logFile: string]) {
    this.logFile = args[2];
    const child = spawn(process.execPath, [join(import.meta.dirname, 'independent-client.ts'), ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child = child;
    this.#answer = new Promise((resolve, reject) => {
      createInterface({input: child.stdout}).once('line', resolve);
      child.once('exit', (code, signal) => reject(new Error(`the independent client ended with ${signal ?? code}`)));
    });
    this.#answer.catch(() => undefined);
  }

  /** Ends it and hears what it saw, measured against the truth. */
  async stop(truth: Truth): Promise<Findings> {
    this.#child.stdin?.write(`${JSON.stringify(truth)}\n`);
    return JSON.parse(await this.#answer) as Findings;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

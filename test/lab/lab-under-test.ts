import {execFile} from 'node:child_process';
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {promisify} from 'node:util';
import pg from 'pg';
import {expect} from 'vitest';
import {askLab} from '../../src/lab/control-client.ts';
import {stopLab} from '../../src/lab/down.ts';
import type {LabStatus, RegionStatus} from '../../src/lab/lab-status.ts';
import {type LabRecord, memoryRootOf, readRecord} from '../../src/lab/record.ts';
import {labStatus} from '../../src/lab/status.ts';
import {startLab, type UpOptions} from '../../src/lab/up.ts';
import {processesIn} from '../../src/lib/processes.ts';

const ROOT = resolve(import.meta.dirname, '../..');
export const ENTRIES = {supervisor: join(ROOT, 'src/lab/supervisor-main.ts'), service: join(ROOT, 'src/lab/service-main.ts')};

/** A lab run from the sources, in a folder of its own below the temporary one. */
export class LabUnderTest {
  readonly dir = join(mkdtempSync(join(tmpdir(), 'regionctl-lab-')), 'lab');
  readonly memory = memoryRootOf(this.dir);

  async up(options: Partial<UpOptions> = {}): Promise<LabStatus> {
    return startLab({
      ...{dir: this.dir, regions: 3, profile: 'fast', mode: 'quorum', postgresBin: null, root: ROOT, entries: ENTRIES},
      ...{schemaFile: null, signal: new AbortController().signal},
      ...options,
    });
  }

  down = () => stopLab(this.dir);

  async remove(): Promise<void> {
    await stopLab(this.dir).catch(() => undefined);
    rmSync(resolve(this.dir, '..'), {recursive: true, force: true});
  }

  get record(): LabRecord {
    const record = readRecord(this.dir);
    if (record === null) throw new Error('no lab');
    return record;
  }

  status = () => labStatus(this.dir);

  async region(name: string): Promise<RegionStatus> {
    const found = (await this.status()).regions.find(({region}) => region === name);
    if (found === undefined) throw new Error(`no region ${name}`);
    return found;
  }

  ask = (method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown) =>
    askLab(this.record, body === undefined ? {method, path} : {method, path, body});

  fault = (region: string, kind: string, args: object = {}, leaseMs = 600_000) =>
    this.ask('POST', '/faults', {region, kind, args, leaseMs});
  heal = (region: string) => this.ask('DELETE', `/faults/${region}`);
  weights = (weights: Record<string, number>) => this.ask('PUT', '/routes/front-door', {weights});

  secret = (name: string) => readFileSync(join(this.dir, 'secrets', name), 'utf8');

  /** One SQL statement on a region, past every fault. */
  async sql<T extends pg.QueryResultRow>(region: string, text: string): Promise<T[]> {
    const port = this.record.regions.find(({name}) => name === region)?.direct.postgres;
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: 'regionctl',
      password: this.secret('regionctl'),
      database: 'orders',
      query_timeout: 5000,
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<T>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** One request; a broken connection or no answer in time is its error code. */
  async http(
    url: string,
    init: {method?: string; body?: unknown; ms?: number} = {},
  ): Promise<{status: number; body: unknown; region: string | null}> {
    const {method = 'GET', body, ms = 8000} = init;
    const request = {method, signal: AbortSignal.timeout(ms), headers: {'content-type': 'application/json', connection: 'close'}};
    const answer = await fetch(url, body === undefined ? request : {...request, body: JSON.stringify(body)});
    return {status: answer.status, body: await answer.json(), region: answer.headers.get('x-region')};
  }

  order = (ref: string) =>
    this.http(`http://127.0.0.1:${this.record.frontDoor}/orders`, {method: 'POST', body: {ref, item: 'tea', quantity: 1}});
}

/** What a lab could leave behind: processes, shared memory of either kind, files. */
export async function traces(lab: LabUnderTest, pids: readonly number[]) {
  const alive = pids.filter((pid) => existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
  return {
    alive,
    working: [...processesIn(lab.dir), ...processesIn(lab.memory)],
    memory: existsSync(lab.memory),
    files: existsSync(lab.dir) ? readdirSync(lab.dir) : [],
  };
}

/** Ids of the System V segments of a running lab's servers. Others may come and go on the machine meanwhile. */
export function segmentsOf(lab: LabUnderTest): string[] {
  const files = lab.record.regions.map(({data}) => join(data, 'postmaster.pid')).filter((file) => existsSync(file));
  return files.map((file) => readFileSync(file, 'utf8').split('\n')[6]?.trim().split(/\s+/)[1] ?? '');
}

/** Which of these segments are still there. */
export async function segmentsLeft(ids: readonly string[]): Promise<string[]> {
  const {stdout} = await promisify(execFile)('ipcs', ['-m']);
  const there = stdout.split('\n').flatMap((line) => /^0x\S+\s+(\d+)/.exec(line)?.[1] ?? []);
  return ids.filter((id) => there.includes(id));
}

export const NOTHING = {alive: [], working: [], memory: false, files: []};

/** Polls until `holds`, for what takes the lab's processes a moment. */
export const eventually = (holds: () => Promise<boolean>, timeout = 20_000) => expect.poll(holds, {timeout, interval: 20}).toBe(true);

/** Ends one process by its pid, hard. */
export const kill = (pid: number) => process.kill(pid, 'SIGKILL');

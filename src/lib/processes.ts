import {execFileSync} from 'node:child_process';
import {readdirSync, readFileSync, readlinkSync} from 'node:fs';
import {sep} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

/** A process that cannot be mistaken for a later one with the same pid: `start` is the kernel's start time of it. */
export type ProcessMark = {readonly pid: number; readonly start: string};

/** One row of the process table. `state` is the kernel's letter: T = stopped, Z = dead and not yet collected. */
export type ProcessRow = {readonly pid: number; readonly ppid: number; readonly state: string; readonly start: string};

/** Every process of the machine. */
export function processTable(): ReadonlyMap<number, ProcessRow> {
  const rows = process.platform === 'linux' ? rowsOfProc() : rowsOfPs();
  return new Map(rows.map((row) => [row.pid, row]));
}

/** The mark of a process that runs now, or null. */
export function markOf(pid: number, table = processTable()): ProcessMark | null {
  const row = table.get(pid);
  return row === undefined ? null : {pid, start: row.start};
}

/** One process of the machine as it is now, or null: cheaper than the whole table, for whoever looks right before it acts. */
export function processRow(pid: number): ProcessRow | null {
  return process.platform === 'linux' ? rowOfProc(pid) : (processTable().get(pid) ?? null);
}

/** What a process was started with; null = it has ended, or is not ours to look at. */
export function commandOf(pid: number): readonly string[] | null {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], {encoding: 'utf8', env: PS_ENV})
      .trim()
      .split(' ');
  } catch {
    return null;
  }
}

/** Whether the marked process still runs: a recycled pid has another start time, a zombie does not run. */
export function isRunning(mark: ProcessMark | null, table = processTable()): boolean {
  if (mark === null) return false;
  const row = table.get(mark.pid);
  return row !== undefined && row.start === mark.start && row.state !== 'Z';
}

/** The given roots and everything below them, parents first. Roots that do not run any more are left out. */
export function treeOf(roots: readonly (ProcessMark | null)[], table = processTable()): readonly number[] {
  const children = new Map<number, number[]>();
  for (const row of table.values()) children.set(row.ppid, [...(children.get(row.ppid) ?? []), row.pid]);
  const found: number[] = [];
  for (const root of roots) {
    if (root !== null && isRunning(root, table)) collect(root.pid, children, found);
  }
  return found.filter((pid) => table.get(pid)?.state !== 'Z');
}

/** Every process whose working directory is `dir` or below: PostgreSQL's own children keep it even when they lost their parent. Linux only. */
export function processesIn(dir: string, table = processTable()): readonly number[] {
  if (process.platform !== 'linux') return [];
  return [...table.values()].filter((row) => row.state !== 'Z' && worksIn(row.pid, dir)).map((row) => row.pid);
}

/** Sends `signal` to each; one that is gone already is no error. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}

/** Resolves true when `gone()` holds, false after `deadlineMs`. */
export async function waitUntil(holds: () => boolean, deadlineMs: number, everyMs = 5): Promise<boolean> {
  const end = performance.now() + deadlineMs;
  while (!holds()) {
    if (performance.now() > end) return false;
    await sleep(everyMs);
  }
  return true;
}

const PS_ENV = {PATH: '/usr/bin:/bin', LC_ALL: 'C'};

function collect(pid: number, children: ReadonlyMap<number, readonly number[]>, into: number[]): void {
  if (into.includes(pid)) return;
  into.push(pid);
  for (const child of children.get(pid) ?? []) collect(child, children, into);
}

function worksIn(pid: number, dir: string): boolean {
  try {
    const cwd = readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, '');
    return cwd === dir || cwd.startsWith(dir + sep);
  } catch {
    return false; // Ended meanwhile, or not ours to look at.
  }
}

function rowsOfProc(): readonly ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const row = rowOfProc(Number(entry));
    if (row !== null) rows.push(row);
  }
  return rows;
}

/** /proc/<pid>/stat: the name in parentheses may hold anything, so fields are counted after the last ')'. Field 22 is the start time. */
function rowOfProc(pid: number): ProcessRow | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ppid, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const start = rest[17];
    return state === undefined || ppid === undefined || start === undefined ? null : {pid, ppid: Number(ppid), state, start};
  } catch {
    return null; // Ended between listing and reading.
  }
}

function rowsOfPs(): readonly ProcessRow[] {
  const text = execFileSync('ps', ['-axo', 'pid=,ppid=,state=,lstart='], {encoding: 'utf8', env: PS_ENV});
  const rows: ProcessRow[] = [];
  for (const line of text.split('\n')) {
    const [, pid, ppid, state, start] = /^\s*(\d+)\s+(\d+)\s+(\S)\S*\s+(.+?)\s*$/.exec(line) ?? [];
    if (pid && ppid && state && start) rows.push({pid: Number(pid), ppid: Number(ppid), state, start});
  }
  return rows;
}

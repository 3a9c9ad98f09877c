import {type ChildProcess, spawn} from 'node:child_process';
import {createInterface} from 'node:readline';
import type {Readable, Writable} from 'node:stream';
import {fileURLToPath} from 'node:url';
import {ownProgram} from '../../own-program.ts';

/**
 * What the guard is told on its stdin, and what it says on its fourth stream, a line each. `leaves`: what the program leaves running when it ends by itself
 * goes on; absent = it ends with the program.
 */
export type GuardOrder = {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly forceAfterMs: number;
  readonly leaves?: true;
};
export type GuardReport =
  | {readonly pid: number}
  | {readonly failed: string}
  | {readonly timeout: number}
  | {readonly code: number | null; readonly signal: string | null};

/** What a guard has said so far; null = nothing of it. `pid` is that of the program. */
export type GuardSeen = {
  pid: number | null;
  failed: string | null;
  timeout: number | null;
  exit: {code: number | null; signal: string | null} | null;
};

/** A guard that waits for its order. Closing `stdin` ends it with its program. */
export type Guard = {
  readonly child: ChildProcess;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly reports: Readable;
};

/** Starts a guard, whose program will have this environment beside the process's own; undefined takes a variable out of it. */
export function startGuard(env: Readonly<Record<string, string | undefined>>): Guard {
  const program = ownProgram(import.meta.url, {source: './guard-main.ts', built: 'exec/guard.js'});
  const child = spawn(process.execPath, [fileURLToPath(program)], {
    env: {...process.env, ...env},
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  const [stdin, stdout, stderr, reports] = child.stdio as unknown as [Writable, Readable, Readable, Readable];
  // One that has ended by then says so by that.
  stdin.on('error', () => undefined);
  return {child, stdin, stdout, stderr, reports};
}

/** Tells a guard what to run. */
export function orderGuard({stdin}: Guard, order: GuardOrder): void {
  stdin.write(`${JSON.stringify(order)}\n`);
}

/** Writes into `seen` what the guard says. Resolves when it is known whether the program runs. */
export function hearGuard({reports}: Pick<Guard, 'reports'>, seen: GuardSeen): Promise<void> {
  const known = Promise.withResolvers<void>();
  createInterface({input: reports}).on('line', (line) => {
    const report = JSON.parse(line) as GuardReport;
    if ('pid' in report) seen.pid = report.pid;
    else if ('failed' in report) seen.failed = report.failed;
    else if ('timeout' in report) seen.timeout = report.timeout;
    else seen.exit = report;
    known.resolve();
  });
  return known.promise;
}

/** A guard that was killed itself leaves its program to us. */
export function killLeft({pid, exit}: GuardSeen): void {
  if (pid === null || exit !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It was gone.
  }
}

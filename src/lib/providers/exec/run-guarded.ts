import {once} from 'node:events';
import type {Readable} from 'node:stream';
import {type Guard, type GuardSeen, hearGuard, killLeft, orderGuard, startGuard} from './guard.ts';
import {outputTail} from './output-tail.ts';
import {FORCE_AFTER_MS, HEAD_BYTES, LINGER_MS, type Program, type ProgramEnd} from './run-program.ts';

/**
 * Runs a program as `runProgram` does, under a guard: at the deadline, when `signal` is aborted, and also when this process is gone (kill -9 too), its whole
 * process group is told to end, and killed a second later. What it leaves running when it ends by itself goes on, with whatever it holds open. Throws only the
 * reason of `signal`.
 */
export async function runGuarded(program: Omit<Program, 'input'>): Promise<ProgramEnd> {
  const {run, env, cwd, timeoutMs, signal, scrub, forceAfterMs = FORCE_AFTER_MS} = program;
  signal.throwIfAborted();
  const timeout = Math.max(1, Math.floor(timeoutMs));
  const guard = startGuard(env);
  const seen: GuardSeen = {pid: null, failed: null, timeout: null, exit: null};
  const said = listen(guard);
  void hearGuard(guard, seen);
  let cancelled = false;
  const cancel = (): void => {
    cancelled = seen.exit === null;
    guard.stdin.end();
  };
  signal.addEventListener('abort', cancel, {once: true});
  orderGuard(guard, {command: run, cwd, timeoutMs: timeout, forceAfterMs, leaves: true});
  await guardGone(guard);
  signal.removeEventListener('abort', cancel);
  killLeft(seen);
  if (cancelled) signal.throwIfAborted();
  return {...endOf(seen, timeout), tail: said.tail.text(scrub), head: said.head.text(scrub)};
}

function listen({stdout, stderr}: Guard) {
  const [tail, head] = [outputTail(), outputTail()];
  for (const stream of [stdout, stderr]) stream.on('data', (chunk: Buffer) => tail.add(chunk));
  let left = HEAD_BYTES;
  stdout.on('data', (chunk: Buffer) => {
    head.add(chunk.subarray(0, left));
    left -= Math.min(left, chunk.length);
  });
  return {tail, head};
}

/** When the guard has ended and what it said was read. What the program left running may hold the output open for long. */
async function guardGone({child, stdin, stdout, stderr, reports}: Guard): Promise<void> {
  const read = [stdout, stderr, reports].map(closed);
  await once(child, 'exit').catch(() => undefined);
  stdin.destroy();
  const linger = setTimeout(() => {
    for (const stream of [stdout, stderr, reports]) stream.destroy();
  }, LINGER_MS);
  await Promise.all(read);
  clearTimeout(linger);
}

function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => stream.once('close', () => resolve()));
}

type How = ProgramEnd extends infer E ? (E extends ProgramEnd ? Omit<E, 'tail' | 'head'> : never) : never;

function endOf({failed, timeout, exit, pid}: GuardSeen, afterMs: number): How {
  if (failed !== null || pid === null) return {how: 'not-started', why: failed ?? 'its guard ended'};
  if (timeout !== null) return {how: 'timeout', afterMs};
  if (exit?.code != null) return {how: 'exit', code: exit.code};
  // Without its guard it was killed by us.
  return {how: 'signal', name: exit?.signal ?? 'SIGKILL'};
}

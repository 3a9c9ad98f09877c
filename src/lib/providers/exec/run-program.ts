import {lastLine, outputTail} from './output-tail.ts';

/** A program to run: no shell sees it. `env` is added to the process's own environment; undefined takes a variable out of it. */
export type Program = {
  readonly run: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly scrub: (text: string) => string;
  /** Between the request to end and the end by force. Default 1 s. */
  readonly forceAfterMs?: number;
  /** What it reads. Default: nothing, its stdin is closed. */
  readonly input?: string;
  /** Told of everything that it prints on stdout, as it is. */
  readonly onOutput?: (chunk: Buffer) => void;
};

/** How a program ended, with the end of what it printed, and the first 4 KiB of its stdout. `why` says why it could not be started. */
export type ProgramEnd = {readonly tail: string; readonly head: string} & (
  | {readonly how: 'exit'; readonly code: number}
  | {readonly how: 'signal'; readonly name: string}
  | {readonly how: 'timeout'; readonly afterMs: number}
  | {readonly how: 'not-started'; readonly why: string}
);

/** Between the request to end and the end by force. */
export const FORCE_AFTER_MS = 1000;
/** So much of the beginning of stdout is kept. */
export const HEAD_BYTES = 4096;
/** What a program left running may hold its output open for this long after it has ended. */
export const LINGER_MS = 250;

/**
 * Runs a program in a process group of its own. At the deadline, or when `signal` is aborted, the whole group is told to end (SIGTERM), and
 * a second later it is killed. When the program itself has ended, it does not count what it left running: what still holds its output open is
 * killed. Throws only the reason of `signal`.
 */
export async function runProgram({
  run,
  env,
  cwd,
  timeoutMs,
  signal,
  scrub,
  input,
  onOutput,
  forceAfterMs = FORCE_AFTER_MS,
}: Program): Promise<ProgramEnd> {
  signal.throwIfAborted();
  const [program = '', ...args] = run;
  const {execa} = await import('execa');
  const timeout = Math.max(1, Math.floor(timeoutMs));
  const output = outputTail();
  const child = execa(program, args, {
    ...{cwd, env, timeout, cancelSignal: signal, reject: false, buffer: false, stdout: 'pipe', stderr: 'pipe'},
    ...{killDescendants: true, forceKillAfterDelay: forceAfterMs},
    ...(input === undefined ? {stdin: 'ignore' as const} : {input}),
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => output.add(chunk));
  const first = outputTail();
  let left = HEAD_BYTES;
  child.stdout?.on('data', (chunk: Buffer) => {
    onOutput?.(chunk);
    first.add(chunk.subarray(0, left));
    left -= Math.min(left, chunk.length);
  });
  let lingering: NodeJS.Timeout | undefined;
  child.nodeChildProcess.once('exit', () => {
    lingering = setTimeout(() => {
      child.kill('SIGKILL');
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, LINGER_MS);
  });
  const result = await child;
  clearTimeout(lingering);
  const said = {tail: output.text(scrub), head: first.text(scrub)};
  // Those of the group that did not listen to SIGTERM, and hold nothing open by which they would be seen.
  if (result.timedOut || result.isCanceled) child.kill('SIGKILL');
  if (result.isCanceled) signal.throwIfAborted();
  if (result.timedOut) return {how: 'timeout', afterMs: timeout, ...said};
  if (result.exitCode !== undefined) return {how: 'exit', code: result.exitCode, ...said};
  if (result.signal !== undefined) return {how: 'signal', name: result.signal, ...said};
  return {how: 'not-started', why: result.code ?? 'unknown reason', ...said};
}

/** One sentence on how a program ended, without its arguments: they may hold what is not for everybody. */
export function endSentence(program: string, end: ProgramEnd): string {
  const said = lastLine(end.tail);
  const line = said === null ? 'it printed nothing' : `its last line: ${said}`;
  if (end.how === 'not-started') return `${program} could not be started (${end.why})`;
  if (end.how === 'timeout') return `${program} had not ended after ${end.afterMs} ms, and was killed; ${line}`;
  return `${program} ended with ${end.how === 'exit' ? `exit code ${end.code}` : end.name}; ${line}`;
}

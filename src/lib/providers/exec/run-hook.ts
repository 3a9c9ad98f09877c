import {unavailable} from '../../errors.ts';
import type {HookSpec} from '../../fleet/fleet.ts';
import type {HookAnswer} from '../../ports/hook.ts';
import {endSentence, type Program, type ProgramEnd, runProgram} from './run-program.ts';

/** How a hook is run. The deadline is `timeoutMs` or the hook's own, whichever is shorter. */
export type HookRun = Pick<Program, 'env' | 'signal' | 'scrub' | 'cwd'> & {readonly timeoutMs?: number};

/**
 * Runs a hook of the fleet file. Throws `hook-failed` or `hook-timeout` (exit 69) with the program's name, its exit code and the last line
 * that it printed; throws the reason of `signal` when that is aborted, after the hook was killed. `tail` is the end of what it printed.
 */
export async function runHook(hook: HookSpec, how: HookRun): Promise<{readonly exit: 0; readonly tail: string}> {
  const end = await ran(hook.run, hook, how);
  if (end.how === 'exit' && end.code === 0) return {exit: 0, tail: end.tail};
  throw failure(hook, end, how);
}

/** The largest answer of a hook. */
const ANSWER_BYTES = 16 * 1024 * 1024;

/** Runs a hook with something to read, and answers its stdout, unchanged. Throws as `runHook`, and `hook-failed` for an answer of more than 16 MiB. */
export async function askHook(hook: HookSpec, how: HookRun & {readonly input: string}): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const onOutput = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes <= ANSWER_BYTES) chunks.push(chunk);
  };
  const end = await runProgram({...how, run: hook.run, onOutput, timeoutMs: Math.min(hook.timeoutMs, how.timeoutMs ?? hook.timeoutMs)});
  if (end.how !== 'exit' || end.code !== 0) throw failure(hook, end, how);
  if (bytes > ANSWER_BYTES) throw unavailable('hook-failed', `${hook.run[0] ?? ''} answered ${bytes} bytes, more than ${ANSWER_BYTES}`);
  return Buffer.concat(chunks).toString('utf8');
}

function failure(hook: HookSpec, end: ProgramEnd, how: HookRun): Error {
  const code = end.how === 'timeout' ? 'hook-timeout' : 'hook-failed';
  return unavailable(code, sentenceOf(hook.run, end, how), {suggestions: [SUGGESTION[end.how]]});
}

const SUGGESTION: Readonly<Record<ProgramEnd['how'], string>> = {
  exit: 'run it by hand, in the folder of the fleet file',
  signal: 'somebody ended it: look at its own log',
  timeout: 'give it a longer timeout in the fleet file, or see what it waits for',
  'not-started': 'its path is relative to the folder of the fleet file, or it is looked for in PATH; it must be executable',
};

/** Asks the hook's `verify` once: exit code 0 = it holds, any other = it does not. Null when it was not to be had in time. */
export async function verifyHook(hook: HookSpec, how: HookRun): Promise<HookAnswer> {
  if (hook.verify === null) return {holds: null, says: 'the hook has no verify, so nothing proves its effect'};
  const end = await ran(hook.verify, hook, how);
  return {holds: end.how === 'exit' ? end.code === 0 : null, says: sentenceOf(hook.verify, end, how)};
}

function ran(run: readonly string[], hook: HookSpec, how: HookRun): Promise<ProgramEnd> {
  return runProgram({...how, run, timeoutMs: Math.min(hook.timeoutMs, how.timeoutMs ?? hook.timeoutMs)});
}

function sentenceOf([program = '']: readonly string[], end: ProgramEnd, {scrub}: HookRun): string {
  return scrub(endSentence(program, end));
}

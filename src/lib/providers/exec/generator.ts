import type {ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import type {Readable, Writable} from 'node:stream';
import {unavailable} from '../../errors.ts';
import type {RunningGenerator, StartGenerator} from '../../ports/generator.ts';
import {type GuardSeen, hearGuard, killLeft, orderGuard, startGuard} from './guard.ts';
import {lastLine, outputTail} from './output-tail.ts';

const LONGEST_LINE = 4096;
/* A program that got away from its group may hold the output open. */
const LINGER_MS = 250;
const FORCE_AFTER_MS = 2000;

type Place = {
  readonly cwd: string;
  readonly scrub: (text: string) => string;
  /** Between the request to end and the end by force. Default 2 s. */
  readonly forceAfterMs?: number;
};
/** Starts generators under a guard, a small process that ends them when this one is gone (kill -9 too). `cwd` is the folder of the fleet file. */
export function guardedGenerators(place: Place): StartGenerator {
  return async (spec) => {
    const guard = startGuard(spec.env);
    const {stdin, stdout, stderr, reports, child} = guard;
    const [program = ''] = spec.command;
    const seen: GuardSeen = {pid: null, failed: null, timeout: null, exit: null};
    const known = hearGuard(guard, seen);
    const lines = readLines(stdout, spec.onLine);
    const tail = outputTail();
    stderr.on('data', (chunk: Buffer) => tail.add(chunk));
    const gone = guardGone(child, seen, {reports, outputs: [stdout, stderr], lines});
    const {forceAfterMs = FORCE_AFTER_MS} = place;
    orderGuard(guard, {command: spec.command, cwd: spec.cwd ?? place.cwd, timeoutMs: spec.timeoutMs, forceAfterMs});
    await Promise.race([known, gone]);
    if (seen.pid === null) throw notStarted(program, seen.failed ?? 'its guard ended');
    return running({stdin, gone, says: () => place.scrub(howItEnded(program, seen, lastLine(tail.text(place.scrub))))});
  };
}

function readLines(stdout: Readable, onLine: (line: string) => void): Promise<void> {
  const done = Promise.withResolvers<void>();
  let rest = '';
  stdout.setEncoding('utf8');
  stdout.on('data', (part: string) => {
    const lines = (rest + part).split('\n');
    rest = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    for (const line of lines) onLine(line.slice(0, LONGEST_LINE).replace(/\r$/, ''));
  });
  stdout.on('close', () => {
    if (rest !== '') onLine(rest);
    done.resolve();
  });
  return done.promise;
}

type Streams = {readonly reports: Readable; readonly outputs: readonly Readable[]; readonly lines: Promise<void>};

/** When everything is gone and was read. */
async function guardGone(child: ChildProcess, seen: GuardSeen, {reports, outputs, lines}: Streams): Promise<void> {
  // Its last report may be read after its end.
  const told = new Promise((resolve) => reports.once('close', resolve));
  await Promise.all([once(child, 'exit').catch(() => undefined), told]);
  killLeft(seen);
  const linger = setTimeout(() => {
    for (const output of outputs) output.destroy();
  }, LINGER_MS);
  await lines;
  clearTimeout(linger);
}

function running({stdin, gone, says}: {stdin: Writable; gone: Promise<void>; says: () => string}): RunningGenerator {
  const ended = gone.then(says);
  return {
    ended,
    async stop() {
      stdin.end();
      await gone;
    },
  };
}

function notStarted(program: string, why: string) {
  return unavailable('load-failed', `the load could not be started: ${program} could not be run (${why})`, {
    suggestions: ['Its path is relative to the folder in which it is run, or it is looked for in PATH; it must be executable.'],
  });
}

function howItEnded(program: string, {timeout, exit}: GuardSeen, line: string | null): string {
  const said = line === null ? '' : `; its last line: ${line}`;
  if (timeout !== null) return `${program} was ended after its ${timeout} ms were over${said}`;
  if (exit === null) return `${program} was ended with its guard${said}`;
  return `${program} ended with ${exit.code === null ? exit.signal : `exit code ${exit.code}`}${said}`;
}

import {Worker} from 'node:worker_threads';
import {inTime} from '../awake.ts';
import {messageOf, stateError} from '../errors.ts';
import {ownProgram} from '../own-program.ts';
import type {Load, LoadOptions} from './load.ts';
import {type LoadPhase, readLoadLog} from './load-log.ts';
import type {LoadNow} from './load-window.ts';

/** What the thread is given, and the places of its figures in the memory that both sides see: `at` is epoch ms, what is not measured NaN. */
export type LoadThreadData = {readonly options: Omit<LoadOptions, 'clock' | 'signal'>; readonly figures: SharedArrayBuffer};
export const LOAD_FIGURES = ['at', 'requests', 'errors', 'errorRate', 'p95Ms'] as const;

/** What it is told, and what it says. */
export type LoadThreadWord = 'stop' | 'leave' | {readonly phase: LoadPhase};
export type LoadThreadMessage = {readonly started: true} | {readonly stopped: true} | {readonly reached: LoadPhase};

/** How old its figures may be: it writes them four times a second. */
const STALE_MS = 1500;
const WORD_MS = 5000;

/**
 * The built-in load in a thread of its own: work that keeps this process's event loop busy does not slow it down. Answers when the first request is about
 * to leave. A thread that dies leaves a log that was not closed, which its figures tell.
 */
export async function startLoadThread({clock: _, signal, ...options}: LoadOptions): Promise<Load> {
  const shared = new SharedArrayBuffer(LOAD_FIGURES.length * Float64Array.BYTES_PER_ELEMENT);
  const workerData: LoadThreadData = {options, figures: shared};
  const program = ownProgram(import.meta.url, {source: './load-worker.ts', built: 'witness/load-worker.js'});
  const worker = new Worker(program, {workerData, stderr: false});
  const [started, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  for (const {promise} of [started, ended]) promise.catch(() => undefined);
  const reached = new Map<LoadPhase, () => void>();
  worker.on('message', (message: LoadThreadMessage) => {
    if ('started' in message) started.resolve();
    if ('stopped' in message) ended.resolve();
    if ('reached' in message) reached.get(message.reached)?.();
  });
  const over = (cause: unknown): void => {
    const error = stateError('load-failed', `the load ended by itself${cause === null ? '' : `: ${messageOf(cause)}`}`, {cause});
    for (const {reject} of [started, ended]) reject(error);
  };
  worker.on('error', over).on('exit', () => over(null));
  const tell = (word: LoadThreadWord): void => worker.postMessage(word);
  const leave = (): void => {
    worker.unref();
    tell('leave');
  };
  signal.addEventListener('abort', leave, {once: true});
  await started.promise;
  return {
    now: () => (signal.aborted ? null : read(new Float64Array(shared))),
    async phase(phase) {
      const done = Promise.withResolvers<void>();
      reached.set(phase, done.resolve);
      tell({phase});
      await inTime(Promise.race([done.promise, ended.promise]), WORD_MS);
    },
    async stop() {
      tell('stop');
      await ended.promise.catch(() => undefined);
      signal.removeEventListener('abort', leave);
      return await readLoadLog(options.logFile);
    },
  };
}

function read(figures: Float64Array): LoadNow | null {
  const [at = 0, requests = 0, errors = 0, errorRate = Number.NaN, p95Ms = Number.NaN] = figures;
  if (performance.timeOrigin + performance.now() - at > STALE_MS) return null;
  return {requests, errors, errorRate: orNull(errorRate), p95Ms: orNull(p95Ms)};
}

function orNull(figure: number): number | null {
  return Number.isNaN(figure) ? null : figure;
}

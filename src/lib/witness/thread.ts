import {Worker} from 'node:worker_threads';
import {stateError} from '../errors.ts';
import {ownProgram} from '../own-program.ts';
import type {Witness, WitnessOptions, WitnessSnapshot} from './witness.ts';
import {readWitnessLog} from './witness-log.ts';

/** What the thread is given, and the places of its figures in the memory that both sides see. Instants are epoch ms; 0 = none yet. */
export type ThreadData = {readonly options: Omit<WitnessOptions, 'clock' | 'signal' | 'cpuMs'>; readonly figures: SharedArrayBuffer};
export const FIGURES = ['startedAt', 'lastAck', 'longestGapMs', 'sent', 'acknowledged', 'failed', 'unknown', 'late'] as const;
type Figures = Record<(typeof FIGURES)[number], number>;

/** What it says. */
export type ThreadMessage = {readonly started: true} | {readonly stopped: true} | {readonly ack: number};

/**
 * The same stream in a thread of its own: work of this process that keeps its event loop busy is not taken for a gap of the service. Answers
 * when the first write is about to leave; what goes wrong in the thread later on is told by `stop`.
 */
export async function startWitnessThread({clock, signal, cpuMs: _, ...options}: WitnessOptions): Promise<Witness> {
  const shared = new SharedArrayBuffer(FIGURES.length * Float64Array.BYTES_PER_ELEMENT);
  const figures = new Float64Array(shared);
  const workerData: ThreadData = {options, figures: shared};
  const worker = new Worker(ownProgram(import.meta.url, {source: './worker.ts', built: 'witness/worker.js'}), {workerData, stderr: false});
  const listeners = new Set<(at: number) => void>();
  const [started, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  for (const {promise} of [started, ended]) promise.catch(() => undefined);
  worker.on('message', (message: ThreadMessage) => {
    if ('started' in message) started.resolve();
    if ('stopped' in message) ended.resolve();
    if ('ack' in message) for (const listener of listeners) listener(message.ack);
  });
  const over = (cause: unknown): void => {
    const error = stateError('witness-failed', 'the witness ended by itself', {cause});
    for (const {reject} of [started, ended]) reject(error);
  };
  worker.on('error', over).on('exit', () => over(null));
  const leave = (): void => {
    worker.unref();
    worker.postMessage('leave');
  };
  signal.addEventListener('abort', leave, {once: true});
  await started.promise;
  const began = epochNow();
  return {
    gapMs: () => epochNow() - (read(figures).lastAck || read(figures).startedAt || began),
    snapshot: () => snapshotOf(read(figures)),
    onAck(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      worker.postMessage('stop');
      await ended.promise;
      return readWitnessLog(options.logFile);
    },
  };
}

const epochNow = (): number => performance.timeOrigin + performance.now();

const read = (figures: Float64Array): Figures => Object.fromEntries(FIGURES.map((name, index) => [name, figures[index] ?? 0])) as Figures;

function snapshotOf({startedAt: _, lastAck, longestGapMs, ...counts}: Figures): WitnessSnapshot {
  const since = lastAck === 0 ? null : epochNow() - lastAck;
  return {...counts, longestGapMs: Math.max(longestGapMs, since ?? 0), sinceLastAckMs: since};
}

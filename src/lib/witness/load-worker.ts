import {parentPort, workerData} from 'node:worker_threads';
import {systemClock} from '../run/system-clock.ts';
import {startLoad} from './load.ts';
import {LOAD_FIGURES, type LoadThreadData, type LoadThreadMessage, type LoadThreadWord} from './load-thread.ts';

// The load's own thread (load-thread.ts). It ends when it is told to stop, or with its process.
const PUBLISH_MS = 250;
const {options, figures: shared} = workerData as LoadThreadData;
const figures = new Float64Array(shared);
const say = (message: LoadThreadMessage): void => parentPort?.postMessage(message);

const life = new AbortController();
const load = await startLoad({...options, clock: systemClock(), signal: life.signal});

function publish(): void {
  const now = load.now();
  const at = now === null ? 0 : performance.timeOrigin + performance.now();
  for (const [index, name] of LOAD_FIGURES.entries()) figures[index] = name === 'at' ? at : (now?.[name] ?? Number.NaN);
}

async function stop(): Promise<void> {
  const ended = load.stop();
  publish();
  await ended;
  clearInterval(timer);
  parentPort?.off('message', hear);
  say({stopped: true});
}

function hear(word: LoadThreadWord): void {
  if (typeof word === 'object') {
    load.phase(word.phase).then(() => say({reached: word.phase}), fail);
    return;
  }
  if (word === 'leave') life.abort();
  stop().catch(fail);
}

/** The other side hears of it as an error of this thread. */
function fail(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

const timer = setInterval(publish, PUBLISH_MS);
parentPort?.on('message', hear);
publish();
say({started: true});

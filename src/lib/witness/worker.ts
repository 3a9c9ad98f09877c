import {parentPort, workerData} from 'node:worker_threads';
import {systemClock} from '../run/system-clock.ts';
import {FIGURES, type ThreadData, type ThreadMessage} from './thread.ts';
import {startWitness} from './witness.ts';

// The witness's own thread (thread.ts). It ends when it is told to stop, or with its process.
const PUBLISH_MS = 50;
const {options, figures: shared} = workerData as ThreadData;
const figures = new Float64Array(shared);
const say = (message: ThreadMessage): void => parentPort?.postMessage(message);

const life = new AbortController();
/** This thread does nothing else. */
const cpuMs = (): number => {
  const {user, system} = process.threadCpuUsage();
  return (user + system) / 1000;
};
const witness = await startWitness({...options, clock: systemClock(), signal: life.signal, cpuMs});
let lastAck = 0;
const startedAt = performance.timeOrigin + performance.now();

function publish(): void {
  const now = {...witness.snapshot(), startedAt, lastAck};
  for (const [index, name] of FIGURES.entries()) figures[index] = now[name];
}

witness.onAck((at) => {
  lastAck = at;
  publish();
  say({ack: at});
});
const timer = setInterval(publish, PUBLISH_MS);
parentPort?.once('message', async (word: 'stop' | 'leave') => {
  if (word === 'leave') life.abort();
  await witness.stop();
  clearInterval(timer);
  publish();
  say({stopped: true});
});
publish();
say({started: true});

import {setTimeout as wait} from 'node:timers/promises';
import type {Clock} from '../../src/lib/ports/clock.ts';

/** The real time, for tests that talk to real listeners. */
export const realClock: Clock = {
  wall: () => Date.now(),
  now: () => performance.now(),
  sleep: (ms, signal) => wait(ms, undefined, signal === undefined ? {} : {signal}),
};

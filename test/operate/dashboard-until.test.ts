import {expect, it} from 'vitest';
import {until} from '../../src/lib/operate/dashboard-sources.ts';
import {fakeClock} from '../run/fake-clock.ts';

it('waits until something holds, and no longer', async () => {
  const clock = fakeClock();
  const {signal} = new AbortController();
  await until(() => clock.now() >= 200, {clock, end: 6000, signal});
  expect(clock.now()).toBe(200);
  await until(() => true, {clock, end: 6000, signal});
  expect(clock.now()).toBe(200);
  await until(() => false, {clock, end: 6000, signal});
  expect(clock.now()).toBe(6000);
});

it('ends with its signal', async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  const waiting = until(
    () => {
      if (clock.now() >= 100) stop.abort();
      return false;
    },
    {clock, end: Number.POSITIVE_INFINITY, signal: stop.signal},
  );
  await waiting;
  expect(clock.now()).toBe(100);
});

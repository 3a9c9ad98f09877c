import {expect, it} from 'vitest';
import {gathering, until} from '../../src/lib/operate/dashboard-sources.ts';
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

it('lets those who come within a moment go on together, and nobody after it', async () => {
  const clock = fakeClock({auto: false});
  const gathered = gathering(clock, 20);
  const went: string[] = [];
  const come = (who: string) => void gathered().then(() => went.push(who));
  const turn = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  come('us');
  await turn(15);
  come('eu');
  expect(went).toEqual([]);
  await turn(5);
  expect(went).toEqual(['us', 'eu']);
  come('ap');
  await turn(19);
  expect(went).toEqual(['us', 'eu']);
  await turn(1);
  expect(went).toEqual(['us', 'eu', 'ap']);
});

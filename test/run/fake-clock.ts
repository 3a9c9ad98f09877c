import type {Clock} from '../../src/lib/ports/clock.ts';

type Sleeper = {readonly at: number; readonly wake: () => void};

/** A virtual clock. With `auto` it jumps to the next sleeper as soon as nothing else is going on; else only `advance` moves it. */
export type FakeClock = Clock & {advance(ms: number): void; sleepers(): number};

/** `start` is epoch ms of the wall clock; the monotonic one starts at 0 and both move together. */
export function fakeClock({start = 1_800_000_000_000, auto = true}: {start?: number; auto?: boolean} = {}): FakeClock {
  let now = 0;
  let scheduled = false;
  const sleepers = new Set<Sleeper>();
  const wakeUntil = (time: number) => {
    now = Math.max(now, time);
    for (const sleeper of [...sleepers].filter((each) => each.at <= now)) sleeper.wake();
  };
  const schedule = () => {
    if (!auto || scheduled || sleepers.size === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (sleepers.size > 0) wakeUntil(Math.min(...[...sleepers].map((each) => each.at)));
      schedule();
    });
  };
  return {
    wall: () => start + now,
    now: () => now,
    advance: (ms) => wakeUntil(now + ms),
    sleepers: () => sleepers.size,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason);
        const sleeper: Sleeper = {at: now + ms, wake: () => done(resolve)};
        const onAbort = () => done(() => reject(signal?.reason));
        const done = (end: () => void) => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', onAbort);
          end();
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', onAbort, {once: true});
        schedule();
      }),
  };
}

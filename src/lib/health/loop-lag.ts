/** Measures how long our own event loop could not run. `stop` answers the worst lag in ms since the start. */
export type LoopLag = {stop(): number};

const EVERY_MS = 10;

/** Starts a meter on the real event loop: an injected clock cannot know that the process itself stood still. */
export function startLoopLag(): LoopLag {
  let last = performance.now();
  let worst = 0;
  const look = () => {
    const now = performance.now();
    worst = Math.max(worst, now - last - EVERY_MS);
    last = now;
  };
  const timer = setInterval(look, EVERY_MS);
  timer.unref();
  return {
    stop() {
      // The stall may be the reason why the timer has not fired yet.
      look();
      clearInterval(timer);
      return Math.max(0, worst);
    },
  };
}

import type {Socket} from 'node:net';

/** Counts what some work takes of this thread, where it shares it with others. */
export type Meter = {
  around<T>(work: () => T): T;
  /** What is done for each piece of data that comes in. Called once before and once after whoever reads has begun to listen. */
  before(socket: Socket): void;
  after(socket: Socket): void;
  tookMs(): number;
};

/** Time that passes within it counts: a thread that works does little else. Nested work counts once. */
export function createMeter(now: () => number): Meter {
  let took = 0;
  let depth = 0;
  let since = 0;
  const enter = (): void => {
    depth += 1;
    if (depth === 1) since = now();
  };
  const leave = (): void => {
    if (depth === 0) return;
    depth -= 1;
    if (depth === 0) took += now() - since;
  };
  return {
    around(work) {
      enter();
      try {
        return work();
      } finally {
        leave();
      }
    },
    before: (socket) => void socket.prependListener('data', enter),
    after: (socket) => void socket.on('data', leave),
    tookMs: () => took,
  };
}

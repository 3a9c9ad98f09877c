/** Watches whether we ourselves are fit to judge. Times are performance.now() in ms. */
export type Observer = {
  /** The longest that our event loop stood still at a time since `since`, in ms. */
  stalledSince(since: number): number;
  /** How far the wall clock moved against the monotonic one since `since`, in ms: it was set, or the machine slept. */
  jumpedSince(since: number): number;
  stop(): void;
};

const EVERY_MS = 10;
/** Less is how timers are, not a stall. */
const NOTED_MS = 5;
/** Nobody asks about more of the past. */
const KEPT_MS = 120_000;
/** What a clock that is kept in step moves in a look. */
const NOTED_JUMP_MS = 50;

type Note = {readonly at: number; readonly ms: number};

/** Starts watching the real event loop and clocks: an injected clock cannot know that the process itself stood still. */
export function startObserver(wall: () => number = Date.now): Observer {
  let last = performance.now();
  let ahead = wall() - last;
  const stalls: Note[] = [];
  const jumps: Note[] = [];
  const look = () => {
    const now = performance.now();
    note(stalls, now, now - last - EVERY_MS, NOTED_MS);
    const jump = wall() - now - ahead;
    note(jumps, now, Math.abs(jump), NOTED_JUMP_MS);
    ahead += jump;
    last = now;
  };
  const timer = setInterval(look, EVERY_MS);
  timer.unref();
  const worst = (notes: readonly Note[], since: number): number => {
    // The stall may be the reason why the timer has not fired yet.
    look();
    return notes.reduce((most, {at, ms}) => (at >= since ? Math.max(most, ms) : most), 0);
  };
  return {
    stalledSince: (since) => worst(stalls, since),
    jumpedSince: (since) => worst(jumps, since),
    stop: () => clearInterval(timer),
  };
}

function note(notes: Note[], at: number, ms: number, least: number): void {
  if (ms < least) return;
  while (notes[0] !== undefined && notes[0].at < at - KEPT_MS) notes.shift();
  notes.push({at, ms});
}

import {createStalls} from './stalls.ts';

/** Watches whether we ourselves are fit to judge. Times are performance.now() in ms. */
export type Observer = {
  /** The longest that our event loop stood still at a time since `since`, in ms. */
  stalledSince(since: number): number;
  /** How long it stood still since `since` in all, in ms, of the times that lasted at least `leastMs` each. */
  lostSince(since: number, leastMs: number): number;
  /** How far the wall clock moved against the monotonic one since `since`, in ms: it was set, or the machine slept. */
  jumpedSince(since: number): number;
  stop(): void;
};

const EVERY_MS = 10;
/** Nobody asks about more of the past. */
const KEPT_MS = 120_000;
/** What a clock that is kept in step moves in a look. */
const NOTED_JUMP_MS = 50;

type Note = {readonly at: number; readonly ms: number};

/**
 * Starts watching the real event loop and clocks: an injected clock cannot know that the process itself stood still. What counts is when the loop last
 * asked the system for news: results that are worked off one after the other keep timers going, and answers unread.
 */
export function startObserver(wall: () => number = Date.now): Observer {
  let ahead = wall() - performance.now();
  const stalls = createStalls(() => performance.now(), EVERY_MS);
  const jumps: Note[] = [];
  const look = () => {
    const now = performance.now();
    const jump = wall() - now - ahead;
    note(jumps, now, Math.abs(jump), NOTED_JUMP_MS);
    ahead += jump;
  };
  let pending: NodeJS.Immediate | null = null;
  const timer = setInterval(() => {
    look();
    // Immediates run right after the loop has asked for news.
    pending ??= setImmediate(() => {
      pending = null;
      stalls.polled();
    });
  }, EVERY_MS);
  timer.unref();
  return {
    stalledSince: (since) => stalls.longest(since),
    lostSince: (since, leastMs) => stalls.together(since, leastMs),
    jumpedSince: (since) => {
      look();
      return worstOf(jumps, since);
    },
    stop: () => {
      clearInterval(timer);
      if (pending !== null) clearImmediate(pending);
    },
  };
}

function worstOf(notes: readonly Note[], since: number): number {
  return notes.reduce((most, {at, ms}) => (at >= since ? Math.max(most, ms) : most), 0);
}

function note(notes: Note[], at: number, ms: number, least: number): void {
  if (ms < least) return;
  while (notes[0] !== undefined && notes[0].at < at - KEPT_MS) notes.shift();
  notes.push({at, ms});
}

import {messageOf} from '../errors.ts';
import {after, type Clock} from '../ports/clock.ts';
import type {Memory} from '../ports/state.ts';
import {ownMemory} from './own-memory.ts';
import {REST_MS} from './rest.ts';

/** Where a watch keeps what it sees: `state` null = it could not be opened, `note` says why; `again` opens it anew (absent = it stays as it is). */
export type KeptIn = {
  readonly state: Memory | null;
  readonly note?: string | null;
  readonly again?: (() => Promise<Memory>) | undefined;
};

/** A memory for a process that runs on: `trouble` says why what is seen is not kept now; null = it is. */
export type KeptMemory = Memory & {
  trouble(): string | null;
  /** Writes what has not been written yet. */
  flush(): void;
  /** The same for the last time, however often it has failed before. Answers with what is lost by that, in one sentence; null = nothing. */
  end(): string | null;
};

type Write = (memory: Memory) => void;

/** What is remembered within so many ms is written at once: several stores are looked at in the same moment, and each write waits for the disk. */
const FLUSH_MS = 100;
/** Notes that could not be written are kept up to here, the newest; of what is remembered by a key only the last counts. */
const MOST_NOTES = 1000;

/** A state that is tried, and left alone for a while after each failure. */
type Tried = {
  /** null = it cannot be told now. */
  attempt<T>(work: (memory: Memory) => T): {readonly value: T} | null;
  trouble(): string | null;
  /** There is none, and there never will be. */
  isNone(): boolean;
  /** Tries what is open once more at once; nothing is opened any more. */
  last(): void;
};

/** `onOpen` is told when what could not be opened is open. */
function tried({state: opened, note = null, again}: KeptIn, clock: Clock, onOpen: () => void): Tried {
  let state = opened;
  let trouble = note;
  let restUntil = state === null ? clock.now() + REST_MS : Number.NEGATIVE_INFINITY;
  let isLast = false;
  const failed = (error: unknown): void => {
    trouble = `what is seen is not kept: ${messageOf(error)}`;
    restUntil = clock.now() + REST_MS;
  };
  const reopen = (): void => {
    if (again === undefined || isLast) return;
    // One at a time.
    restUntil = Number.POSITIVE_INFINITY;
    again().then((fresh) => {
      if (isLast) return;
      state = fresh;
      trouble = null;
      restUntil = Number.NEGATIVE_INFINITY;
      onOpen();
    }, failed);
  };
  return {
    attempt: (work) => {
      if (clock.now() < restUntil) return null;
      if (state === null) {
        reopen();
        return null;
      }
      try {
        const value = work(state);
        trouble = null;
        return {value};
      } catch (error) {
        failed(error);
        return null;
      }
    },
    trouble: () => trouble,
    isNone: () => state === null && (again === undefined || isLast),
    last: () => {
      isLast = true;
      restUntil = Number.NEGATIVE_INFINITY;
      state?.bePatient?.();
    },
  };
}

/**
 * Leads by what this process itself remembers, begun with what the state knows, and writes each change through to the state. A state that cannot be
 * opened, read or written costs what is kept beyond this process, never a verdict; it is tried again now and then.
 */
export function keptMemory(keptIn: KeptIn, clock: Clock): KeptMemory {
  const own = ownMemory();
  const known = new Set<string>();
  // Asked for while nobody could tell what the state knows.
  const unread = new Set<string>();
  const remembered = new Map<string, Write>();
  let noted: Write[] = [];
  let callOff: (() => void) | null = null;
  const state = tried(keptIn, clock, () => flush());
  /** What was led on from nothing, because the state could not be read, is dropped where the state does know: the next look leads on from there. */
  const adopt = (memory: Memory): void => {
    const kept = [...unread].flatMap((key) => {
      const value = memory.recall(key);
      return value === undefined ? [] : [[key, value] as const];
    });
    for (const key of unread) known.add(key);
    unread.clear();
    if (kept.some(([key]) => remembered.has(key))) noted = [];
    for (const [key, value] of kept) {
      own.remember(key, value);
      remembered.delete(key);
    }
  };
  const isWritten = (): boolean => remembered.size === 0 && noted.length === 0;
  const flush = (): void => {
    callOff?.();
    callOff = null;
    if (isWritten()) return;
    const done = state.attempt((memory) =>
      memory.together(() => {
        adopt(memory);
        for (const write of [...remembered.values(), ...noted]) write(memory);
      }),
    );
    noted = done === null ? noted.slice(-MOST_NOTES) : [];
    if (done !== null) remembered.clear();
  };
  return {
    flush,
    end: () => {
      state.last();
      flush();
      return isWritten() || state.isNone() ? null : state.trouble();
    },
    trouble: state.trouble,
    recall: (key) => {
      const isOwn = own.recall(key) !== undefined && !unread.has(key);
      if (!known.has(key) && !isOwn) {
        const read = state.attempt((memory) => memory.recall(key));
        if (read !== null || state.isNone()) known.add(key);
        else unread.add(key);
        // Of what was remembered meanwhile the state is asked when it is written.
        if (read !== null && own.recall(key) === undefined) {
          unread.delete(key);
          if (read.value !== undefined) own.remember(key, read.value);
        }
      }
      return own.recall(key);
    },
    remember: (key, value) => {
      own.remember(key, value);
      remembered.set(key, (memory) => memory.remember(key, value));
    },
    note: (topic, data, at = clock.wall()) => void noted.push((memory) => memory.note(topic, data, at)),
    together: (work) => {
      const value = work();
      // Whoever watches is told first: a state that somebody else has locked holds this process up.
      if (!isWritten()) callOff ??= after(clock, FLUSH_MS, flush);
      return value;
    },
  };
}

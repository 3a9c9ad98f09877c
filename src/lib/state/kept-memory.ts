import {messageOf} from '../errors.ts';
import type {Clock} from '../ports/clock.ts';
import type {Memory} from '../ports/state.ts';
import {ownMemory} from './own-memory.ts';

/** A memory for a process that runs on: `trouble` says why what is seen is not kept now; null = it is. */
export type KeptMemory = Memory & {
  trouble(): string | null;
  /** Writes what has not been written yet. */
  flush(): void;
  /** The same for the last time, however often it has failed before. Answers with what is lost by that, in one sentence; null = nothing. */
  end(): string | null;
};

type Write = (memory: Memory) => void;

/** What could not be written is kept up to here, the newest. */
const MOST_WRITES = 1000;

/** How long a state that could not be written is left alone: each try may hold this process up. */
const REST_MS = 30_000;

/**
 * Leads by what this process itself remembers, begun with what the state knows, and writes each change through to the state. A state that cannot be
 * read or written costs what is kept beyond this process, never a verdict.
 */
export function keptMemory(state: Memory | null, clock: Clock, note: string | null): KeptMemory {
  const own = ownMemory();
  const known = new Set<string>();
  let trouble = note;
  let restUntil = Number.NEGATIVE_INFINITY;
  let writes: Write[] = [];
  let scheduled = false;
  const attempt = <T>(work: (memory: Memory) => T): {readonly value: T} | null => {
    if (state === null || clock.now() < restUntil) return null;
    try {
      const value = work(state);
      trouble = null;
      return {value};
    } catch (error) {
      trouble = `what is seen is not kept: ${messageOf(error)}`;
      restUntil = clock.now() + REST_MS;
      return null;
    }
  };
  const flush = (): void => {
    scheduled = false;
    const all = writes;
    if (all.length === 0) return;
    const done = attempt((memory) =>
      memory.together(() => {
        for (const write of all) write(memory);
      }),
    );
    writes = done === null ? all.slice(-MOST_WRITES) : [];
  };
  return {
    flush,
    end: () => {
      restUntil = Number.NEGATIVE_INFINITY;
      flush();
      return writes.length === 0 || state === null ? null : trouble;
    },
    trouble: () => trouble,
    recall: (key) => {
      if (!known.has(key)) {
        const read = attempt((memory) => memory.recall(key));
        if (read !== null || state === null) known.add(key);
        // What was remembered meanwhile is newer.
        if (read?.value !== undefined && own.recall(key) === undefined) own.remember(key, read.value);
      }
      return own.recall(key);
    },
    remember: (key, value) => {
      own.remember(key, value);
      writes.push((memory) => memory.remember(key, value));
    },
    note: (topic, data, at = clock.wall()) => void writes.push((memory) => memory.note(topic, data, at)),
    together: (work) => {
      const value = work();
      // Whoever watches is told first: a state that somebody else has locked holds this process up.
      if (writes.length > 0 && !scheduled) {
        scheduled = true;
        setImmediate(flush);
      }
      return value;
    },
  };
}

import {messageOf} from '../errors.ts';
import type {Clock} from '../ports/clock.ts';
import {ownMemory} from './own-memory.ts';
import type {Memory} from './region-memory.ts';

/** A memory for a process that runs on: `trouble` says why what is seen is not kept now; null = it is. */
export type KeptMemory = Memory & {trouble(): string | null};

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
  const attempt = <T>(work: (memory: Memory) => T): T | undefined => {
    if (state === null || clock.now() < restUntil) return undefined;
    try {
      const value = work(state);
      trouble = null;
      return value;
    } catch (error) {
      trouble = `what is seen is not kept: ${messageOf(error)}`;
      restUntil = clock.now() + REST_MS;
      return undefined;
    }
  };
  let writes: ((memory: Memory) => void)[] = [];
  return {
    trouble: () => trouble,
    recall: (key) => {
      if (!known.has(key)) {
        known.add(key);
        const value = attempt((memory) => memory.recall(key));
        if (value !== undefined) own.remember(key, value);
      }
      return own.recall(key);
    },
    remember: (key, value) => {
      own.remember(key, value);
      writes.push((memory) => memory.remember(key, value));
    },
    note: (topic, data) => void writes.push((memory) => memory.note(topic, data)),
    together: (work) => {
      const value = work();
      const all = writes;
      writes = [];
      // Nothing has changed for most looks, and then nobody is waited for.
      if (all.length > 0)
        attempt((memory) =>
          memory.together(() => {
            for (const write of all) write(memory);
          }),
        );
      return value;
    },
  };
}

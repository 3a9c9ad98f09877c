import type {Json} from '../plan/json.ts';
import type {Memory} from '../ports/state.ts';

/** A memory that ends with this process: for when the state cannot be opened or written. */
export function ownMemory(): Memory {
  const kept = new Map<string, Json>();
  return {
    recall: (key) => kept.get(key),
    remember: (key, value) => void kept.set(key, value),
    note: () => undefined,
    together: (work) => work(),
  };
}

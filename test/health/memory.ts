import type {Json} from '../../src/lib/plan/json.ts';
import type {Memory} from '../../src/lib/ports/state.ts';

/** What checks remember, kept in memory; `kept` and `noted` are what is in it. */
export function mapMemory(): Memory & {kept: Map<string, Json>; noted: {topic: string; data: Json; at?: number | undefined}[]} {
  const kept = new Map<string, Json>();
  const noted: {topic: string; data: Json; at?: number | undefined}[] = [];
  return {
    kept,
    noted,
    recall: (key) => kept.get(key),
    remember: (key, value) => void kept.set(key, value),
    note: (topic, data, at) => void noted.push({topic, data, at}),
    together: (work) => work(),
  };
}

import {readdirSync, rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import type {State} from '../ports/state.ts';

/** Rows are kept a moment before their run is recorded: what is younger than this (ms) may belong to a run that is about to begin. */
const FORGOTTEN_MS = 24 * 3_600_000;

/**
 * Removes rows that no run of this state needs, and copies that were never finished, once they are a day old. The rows of a run are kept as long as the run
 * is, and runs are never removed. `now`: epoch ms. What cannot be read or removed is left: it is in nobody's way.
 */
export function pruneRows(dir: string, state: Pick<State, 'runs' | 'plan'>, now: number): void {
  const old = namesIn(dir).filter((name) => isForgotten(join(dir, name), now));
  if (old.length === 0) return;
  const needed = new Set(
    state
      .runs()
      .flatMap(({runId, kind}) => (kind === 'repair' ? (state.plan(runId)?.files ?? []).map(({sha256}) => `${sha256}.ndjson`) : [])),
  );
  for (const name of old.filter((each) => !needed.has(each))) {
    try {
      rmSync(join(dir, name), {force: true});
    } catch {
      // Another user's: it takes room, and that is all.
    }
  }
}

/** Rows, and drafts of them; anything else is somebody else's. */
const namesIn = (dir: string): readonly string[] => readdirSync(dir).filter((name) => /^[0-9a-f]{64}\.ndjson(\.\d+)?$/.test(name));

function isForgotten(file: string, now: number): boolean {
  const stat = statSync(file, {throwIfNoEntry: false});
  return stat !== undefined && now - stat.mtimeMs > FORGOTTEN_MS;
}

import {mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, expect, it} from 'vitest';
import {pruneRows} from '../../src/lib/operate/repair-rows.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {RunHead} from '../../src/lib/ports/state.ts';

const DAY_MS = 24 * 3_600_000;
const NOW = Date.parse('2026-11-28T13:00:00Z');
const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, {recursive: true, force: true});
});

const digest = (letter: string): string => letter.repeat(64);
const head = (runId: string, kind: string): RunHead => ({...{runId, fleet: 'shop', kind, from: null, to: null, startedAt: 0}});

/** What is left of files that are so many days old. */
function left(files: Readonly<Record<string, number>>, runs: readonly [kind: string, sha256: string][]): readonly string[] {
  const dir = mkdtempSync(join(tmpdir(), 'rc-rows-'));
  dirs.push(dir);
  for (const [name, days] of Object.entries(files)) {
    writeFileSync(join(dir, name), 'rows');
    const at = new Date(NOW - days * DAY_MS);
    utimesSync(join(dir, name), at, at);
  }
  pruneRows(
    dir,
    {
      runs: () => runs.map(([kind], index) => head(`r${index}`, kind)),
      plan: (runId) => ({files: [{name: 'x', sha256: runs[Number(runId.slice(1))]?.[1] ?? ''}]}) as unknown as Plan,
    },
    NOW,
  );
  return readdirSync(dir).toSorted();
}

it('keeps the rows of every run, however old, and those of a run that may be about to begin', () => {
  const files = {[`${digest('a')}.ndjson`]: 400, [`${digest('b')}.ndjson`]: 0.9, [`${digest('c')}.ndjson.4711`]: 0.9};
  expect(
    left(files, [
      ['failover', digest('d')],
      ['repair', digest('a')],
    ]),
  ).toEqual(Object.keys(files));
});

it('removes rows of no run and drafts that were never finished once they are a day old, and nothing else', () => {
  const files = {[`${digest('a')}.ndjson`]: 1.1, [`${digest('b')}.ndjson.4711`]: 1.1, 'notes.txt': 400, [`${digest('c')}.ndjson`]: 1.1};
  expect(left(files, [['repair', digest('c')]])).toEqual([`${digest('c')}.ndjson`, 'notes.txt']);
});

import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {nextState, type Observed, type RegionState, TRANSITIONS, transitionFor} from '../../src/lib/health/region-states.ts';

const golden = join(import.meta.dirname, '../golden/health');
const cases = readdirSync(golden);
const used = new Set<string>();

/** The first line of a case gives the limits, each other line an observation; the answer is the way that the machine took. */
function walk(text: string): string {
  const [limits = '', ...observed] = text.trim().split('\n');
  const [, rise, fall] = /^rise (\d+) fall (\d+)$/.exec(limits) ?? [];
  const riseFall = {rise: Number(rise), fall: Number(fall)};
  let state: RegionState | null = null;
  const lines = observed.map((verdict, index) => {
    const before: RegionState | null = state;
    state = nextState(before, {verdict: verdict as Observed, at: index}, riseFall);
    if (before === null || state === null) return `${verdict.padEnd(10)} ${state?.state ?? 'nothing is known'}`;
    const row = transitionFor(before.state, verdict as Observed, countsOf(before, verdict), riseFall);
    used.add(JSON.stringify(row));
    return `${verdict.padEnd(10)} ${row.from} -> ${row.to} (${row.when}; ${row.action}): ${row.comment}`;
  });
  return `${lines.join('\n')}\n`;
}

/** The counts including the observation, as the conditions of the table mean them. */
function countsOf({rises, falls}: RegionState, verdict: string): {rises: number; falls: number} {
  if (verdict === 'unknown') return {rises: 0, falls: 0};
  return verdict === 'unhealthy' ? {rises: 0, falls: falls + 1} : {rises: rises + 1, falls: 0};
}

describe('the state machine goes the way that is written down', () => {
  it.each(cases)('%s', (name) => {
    const expected = join(golden, name, 'expected.txt');
    const way = walk(readFileSync(join(golden, name, 'observed.txt'), 'utf8'));
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(expected, way);
    expect(way).toBe(readFileSync(expected, 'utf8'));
  });

  it('and the cases take every row of the table', () => {
    for (const name of cases) walk(readFileSync(join(golden, name, 'observed.txt'), 'utf8'));
    expect(TRANSITIONS.filter((row) => !used.has(JSON.stringify(row)))).toEqual([]);
  });

  it('every change is told, and by its severity', () => {
    const told = {unhealthy: 'alarm', degraded: 'warn', recovering: 'tell', healthy: 'clear'};
    for (const {from, to, action} of TRANSITIONS) expect(action).toBe(from === to ? 'none' : told[to]);
  });
});

import type {Try} from '../drill/calendar.ts';
import type {Fleet} from '../fleet/fleet.ts';
import type {State} from '../ports/state.ts';
import {readyKey, samplesOf} from './ready-samples.ts';

/**
 * The checks of `failover ready` that the state remembers. One counts when it looked, from each region that it looked at, at every other region of
 * the fleet, and found every one of these ways open.
 */
export function readyChecks(state: State, fleet: Fleet): readonly Try[] {
  const names = fleet.regions.map(({name}) => name);
  const checks = new Map<number, {from: string; to: string; open: boolean}[]>();
  for (const from of names) {
    for (const to of names.filter((name) => name !== from)) {
      for (const [at, well] of samplesOf(state.recall(readyKey(fleet.name, from, to)))) {
        checks.set(at, [...(checks.get(at) ?? []), {from, to, open: well === 1}]);
      }
    }
  }
  return [...checks].map(([at, ways]): Try => {
    const says = shortOf(ways, names);
    const counts = says === null;
    return {
      runId: null,
      at,
      verdict: counts ? 'passed' : 'failed',
      code: counts ? 'ready' : 'not-ready',
      counts,
      says: says ?? 'every way was open',
    };
  });
}

/** What a check lacks to count; null = nothing. */
function shortOf(ways: readonly {from: string; to: string; open: boolean}[], names: readonly string[]): string | null {
  const shut = ways.filter(({open}) => !open).map(({from, to}) => `${from} to ${to}`);
  if (shut.length > 0) return `not ready: ${shut.join(', ')}`;
  const sources = [...new Set(ways.map(({from}) => from))];
  const unseen = sources.flatMap((source) =>
    names
      .filter((name) => name !== source && !ways.some(({from, to}) => from === source && to === name))
      .map((name) => `${source} to ${name}`),
  );
  return unseen.length === 0 ? null : `it did not look at ${unseen.join(', ')}`;
}

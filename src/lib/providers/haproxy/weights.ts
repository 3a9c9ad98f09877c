import {unavailable, usageError} from '../../errors.ts';
import type {ServerState, ServerStates} from './servers.ts';

/**
 * The weights of regions and those of servers. HAProxy counts from 0 to 256, a route from 0 to 100: a route's weight is the absolute weight of
 * each server of the region, as it is. So shares are exact, nothing is rounded, and `weight 100` in the configuration of HAProxy is 100 here.
 */
export const LARGEST = 100;

/** Servers per region, as the fleet file names them. */
export type RegionServers = Readonly<Record<string, readonly string[]>>;

export type RegionWeights = Readonly<Record<string, number>>;

/**
 * Refuses what cannot work, before anything is changed: a server that is configured with weight 0. Relative weights, also those of health
 * agents, are shares of that 0, and after a restart without a state file it takes nothing at all. Throws `server-weight` (exit 69).
 */
export function checkConfigured(states: ServerStates, who: string): void {
  for (const [server, {configured}] of states) {
    if (configured === 0) {
      throw unavailable('server-weight', `${who} has ${server} configured with weight 0: a share of nothing stays nothing`, {
        suggestions: [
          `configure "weight ${LARGEST}" for every server, and let regionctl set the weights of regions that are to take nothing`,
        ],
      });
    }
  }
}

/**
 * The weight of each region. Servers that take no new connections count as 0. Throws `router-differs` (exit 69) when the servers of one region
 * do not agree, `server-weight` when one is above 100.
 */
export function regionWeights(states: ServerStates, servers: RegionServers, who: string): RegionWeights {
  return Object.fromEntries(
    Object.entries(servers).map(([region, names]) => {
      const shares = names.map((name) => [name, shareOf(states.get(name), name, who)] as const);
      const [first] = shares;
      const other = shares.find(([, share]) => share !== first?.[1]);
      if (first === undefined || other === undefined) return [region, first?.[1] ?? 0];
      throw unavailable(
        'router-differs',
        `${who} does not treat ${region} as one: ${first[0]} takes ${first[1]}, ${other[0]} takes ${other[1]}`,
        {
          suggestions: [
            'give all servers of the region the same weight and state, or take the one that is being repaired out of the fleet file',
          ],
        },
      );
    }),
  );
}

function shareOf(state: ServerState | undefined, server: string, who: string): number {
  if (state === undefined || state.out) return 0;
  if (state.weight <= LARGEST) return state.weight;
  throw unavailable('server-weight', `${who} gives ${server} the weight ${state.weight}, and a route knows no more than ${LARGEST}`, {
    suggestions: [`configure "weight ${LARGEST}" for every server`],
  });
}

/** Refuses regions that have no servers, and weights that are not whole numbers from 0 to 100. Throws a usage error (exit 64). */
export function checkWanted(weights: RegionWeights, servers: RegionServers, route: string): void {
  for (const [region, weight] of Object.entries(weights)) {
    requireRegion(region, servers, route);
    if (!(Number.isInteger(weight) && weight >= 0 && weight <= LARGEST))
      throw usageError(`the weight of ${region} in ${route} must be a whole number from 0 to ${LARGEST}, not ${weight}`);
  }
}

/** Throws a usage error (exit 64) when the route has no servers in the region. */
export function requireRegion(region: string, servers: RegionServers, route: string): void {
  if (!Object.hasOwn(servers, region)) throw usageError(`${route} has no region "${region}"; it has ${Object.keys(servers).join(', ')}`);
}

/** What each server is to take, those that take least first: traffic is held before it is let in elsewhere. */
export function serverWeights(weights: RegionWeights, servers: RegionServers): readonly (readonly [string, number])[] {
  return Object.entries(weights)
    .toSorted(([, a], [, b]) => a - b)
    .flatMap(([region, weight]) => (servers[region] ?? []).map((server) => [server, weight] as const));
}

/** The commands that give a server its weight. It is never ready with a weight that it had before. */
export function commandsFor(server: string, weight: number): readonly string[] {
  const set = `set server ${server}`;
  return weight === 0 ? [`${set} state maint`, `${set} weight 0`] : [`${set} weight ${weight}`, `${set} state ready`];
}

/** Throws `weights-not-taken` (exit 69) unless every server is as it was told to be. */
export function checkTaken(states: ServerStates, wanted: readonly (readonly [string, number])[], who: string): void {
  const wrong = wanted.flatMap(([server, weight]) => {
    const state = states.get(server);
    const taken = state !== undefined && state.weight === weight && (weight === 0 ? state.maintenance : !state.out);
    return taken ? [] : [`${server} ${state === undefined ? 'is gone' : describe(state)}, wanted ${weight}`];
  });
  if (wrong.length > 0) throw unavailable('weights-not-taken', `${who} did not take the weights: ${wrong.join('; ')}`);
}

function describe({weight, out, maintenance}: ServerState): string {
  const state = maintenance ? ' in maintenance' : out ? ' held back by what it depends on' : '';
  return `has ${weight}${state}`;
}

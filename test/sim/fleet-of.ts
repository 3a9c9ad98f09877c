import type {Fleet, ProviderPart} from '../../src/lib/fleet/fleet.ts';
import {HEALTH} from '../health/defaults.ts';
import type {SimFleet} from './sim-fleet.ts';

/** The one store of every simulated fleet. */
export const STORE = 'orders';

/** The fleet file of a simulated fleet: a region for each member, one store, one route, and nothing that only the outside could answer. */
export function fleetOf({names, setup, router}: SimFleet): Fleet {
  return {
    version: 1,
    name: 'sim',
    file: '/sim/regionctl.yaml',
    digest: 'sim',
    regions: names.map((name) => ({
      name,
      jurisdiction: 'US',
      tier: 'hot',
      sites: {},
      failoverOrder: names.filter((other) => other !== name),
      endpoints: [],
      scaleUp: null,
    })),
    stores: [
      {
        name: STORE,
        engine: 'postgres',
        dataClasses: ['orders'],
        quorum: setup.quorum,
        fenceHook: null,
        members: names.map((name, index) => ({name, region: name, site: null, config: {}, host: hostOf(setup.hosts[index])})),
        config: {},
        path: ['stores', STORE],
      },
    ],
    routes: [
      {
        name: 'front-door',
        router: {kind: 'sim', config: {}, path: []},
        weights: Object.fromEntries(Object.keys(router.weights).map((name, index) => [name, index === 0 ? 100 : 0])),
        url: null,
        stages: null,
      },
    ],
    services: [],
    dataClasses: [{name: 'orders', rpoMs: 0, allowed: null}],
    health: HEALTH,
    vantages: [],
    uplinks: [],
    fault: null,
    witness: null,
    hooks: {},
    approval: null,
    notifiers: [],
    checks: [],
    state: {kind: 'sqlite', dir: null},
    secrets: {reveal: async () => '', scrub: (text) => text},
    labels: {},
  };
}

const hostOf = (can: string | undefined): ProviderPart | null =>
  can === undefined || can === 'none' ? null : {kind: 'sim', config: {}, path: []};

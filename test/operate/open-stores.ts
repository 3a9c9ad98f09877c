import type {StoreSpec} from '../../src/lib/fleet/fleet.ts';
import type {Store} from '../../src/lib/ports/store.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {unknown} from '../../src/lib/snapshot/cell.ts';
import {fleet, region} from '../health/samples.ts';
import {seen} from '../replication/topology-samples.ts';
import {fakeClock} from '../run/fake-clock.ts';

/** A store of the fleet file whose members stand each in the region of the same name. */
export function storeSpec(name: string, members: readonly string[]): StoreSpec {
  return {
    name,
    engine: 'memory',
    dataClasses: [],
    quorum: 0,
    fenceHook: null,
    members: members.map((member) => ({name: member, region: member, site: null, config: {}, host: null})),
    config: {},
    path: ['stores', name],
  };
}

/** A store in memory: the first member is the primary. */
export function memoryStore(members: readonly string[], more: Partial<Store> = {}): Store {
  return {
    engine: 'memory',
    observe: async () => Object.fromEntries(members.map((name, index) => [name, seen(index === 0 ? 'primary' : 'standby', name)])),
    ackRule: async () => unknown('none', 'it has none', 0),
    abilities: {},
    close: async () => undefined,
    ...more,
  };
}

/** A fleet with these stores open, a clock of its own and no state. */
export function openStores(stores: Readonly<Record<string, {readonly members: readonly string[]; readonly store: Store | null}>>) {
  const clock = fakeClock();
  const regions = [...new Set(Object.values(stores).flatMap(({members}) => members))].map((name) => region(name));
  const specs = Object.entries(stores).map(([name, {members}]) => storeSpec(name, members));
  const opened = Object.fromEntries(Object.entries(stores).flatMap(([name, {store}]) => (store === null ? [] : [[name, store]])));
  const state = async () => {
    throw new Error('there is no state here');
  };
  return {clock, open: {fleet: fleet(regions, {stores: specs}), clock, stores: opened, state} as unknown as OpenFleet};
}

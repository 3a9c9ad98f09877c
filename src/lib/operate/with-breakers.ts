import type {Fleet, StoreSpec} from '../fleet/fleet.ts';
import type {State} from '../ports/state.ts';
import {BREAKER, breakerSays} from '../replication/breaker.ts';
import {recallBreaker} from '../replication/link-record.ts';
import type {RememberedBreaker, Snapshot, StoreSnapshot} from '../snapshot/snapshot.ts';

/** The snapshot with what was remembered of the breakers of its links. */
export function withBreakers(state: Pick<State, 'recall'> | null, fleet: Fleet, snapshot: Snapshot): Snapshot {
  if (state === null) return snapshot;
  const stores = Object.entries(snapshot.stores).map(([name, store]): [string, StoreSnapshot] => {
    const spec = fleet.stores.find((each) => each.name === name);
    const breakers = spec === undefined ? {} : breakersOf(state, fleet.name, spec);
    return [name, Object.keys(breakers).length === 0 ? store : {...store, breakers}];
  });
  return {...snapshot, stores: Object.fromEntries(stores)};
}

function breakersOf(state: Pick<State, 'recall'>, fleet: string, spec: StoreSpec): NonNullable<StoreSnapshot['breakers']> {
  const names = spec.members.map(({name}) => name);
  const found = names.flatMap((to): [string, RememberedBreaker[]][] => {
    const into = names
      .filter((from) => from !== to)
      .flatMap((from): RememberedBreaker[] => {
        const breaker = recallBreaker(state, fleet, {store: spec.name, from, to});
        if (breaker === null) return [];
        const says = breakerSays(breaker, spec.breaker ?? BREAKER);
        return [{from, state: breaker.state, seenAt: new Date(breaker.seenAt).toISOString(), says}];
      });
    return into.length === 0 ? [] : [[to, into]];
  });
  return Object.fromEntries(found);
}

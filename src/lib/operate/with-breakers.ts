import type {Fleet, StoreSpec} from '../fleet/fleet.ts';
import type {State} from '../ports/state.ts';
import {BREAKER, breakerSays} from '../replication/breaker.ts';
import {recallBreaker} from '../replication/link-record.ts';
import type {RememberedBreaker, Snapshot, StoreSnapshot} from '../snapshot/snapshot.ts';

/** The snapshot with what was remembered of the breakers of its links. Of several links to a member the one that was looked at last counts. */
export function withBreakers(state: Pick<State, 'recall'> | null, fleet: Fleet, snapshot: Snapshot): Snapshot {
  if (state === null) return snapshot;
  const stores = Object.entries(snapshot.stores).map(([name, store]): [string, StoreSnapshot] => {
    const spec = fleet.stores.find((each) => each.name === name);
    const breakers = spec === undefined ? {} : breakersOf(state, fleet.name, spec);
    return [name, Object.keys(breakers).length === 0 ? store : {...store, breakers}];
  });
  return {...snapshot, stores: Object.fromEntries(stores)};
}

function breakersOf(state: Pick<State, 'recall'>, fleet: string, spec: StoreSpec): Readonly<Record<string, RememberedBreaker>> {
  const names = spec.members.map(({name}) => name);
  const latest = names.flatMap((to): [string, RememberedBreaker][] => {
    const found = names
      .filter((from) => from !== to)
      .flatMap((from) => {
        const breaker = recallBreaker(state, fleet, {store: spec.name, from, to});
        return breaker === null ? [] : [{from, breaker}];
      })
      .toSorted((a, b) => b.breaker.seenAt - a.breaker.seenAt);
    const [last] = found;
    if (last === undefined) return [];
    const {from, breaker} = last;
    const says = breakerSays(breaker, spec.breaker ?? BREAKER);
    return [[to, {from, state: breaker.state, seenAt: new Date(breaker.seenAt).toISOString(), says}]];
  });
  return Object.fromEntries(latest);
}

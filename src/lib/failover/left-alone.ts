import type {StoreSpec} from '../fleet/fleet.ts';
import {primariesOf} from '../snapshot/primaries.ts';
import {isLeftAlone, isOfPeers, type Snapshot, type StoreSnapshot} from '../snapshot/snapshot.ts';

type Left = {readonly spec: StoreSpec; readonly store: StoreSnapshot};

/** Why a plan has nothing to move at all: it leaves every store alone. null = some store could be moved. */
export function noneToMove(stores: readonly StoreSpec[], snapshot: Snapshot): string | null {
  const left = leftAlone(stores, snapshot);
  if (stores.length === 0 || left.length < stores.length) return null;
  const peers = left.filter(({store}) => isOfPeers(store)).map(({spec}) => spec.name);
  const watched = left.filter(({store}) => !isOfPeers(store)).map((each) => watchedText(each, null));
  const ofPeers =
    peers.length === 0 ? [] : [`every member of ${peers.join(' and ')} takes writes of its own, so there is no primary that could move`];
  return `nothing was done: ${[...ofPeers, ...watched].join('; ')}`;
}

/** One sentence for each store that others move: a plan leaves it where it is, and says so. `from` = the region that is left. */
export function watchedRemarks(stores: readonly StoreSpec[], snapshot: Snapshot, from: string): readonly string[] {
  return leftAlone(stores, snapshot)
    .filter(({store}) => store.watched === true)
    .map((each) => watchedText(each, from));
}

/** One sentence for each store of peers beside those that a plan moves: routes take its traffic along, and nothing else is done about it. `from` = the region that is left. */
export function peersRemarks(stores: readonly StoreSpec[], snapshot: Snapshot, from: string): readonly string[] {
  return leftAlone(stores, snapshot)
    .filter(({spec, store}) => store.watched !== true && spec.members.some(({region}) => region === from))
    .map(
      ({spec: {name}}) =>
        `${name} has no primary to move: its traffic goes with the routes, and what ${from} has not sent of it is not waited for`,
    );
}

/** The same of those only whose primary is in the region. */
export function watchedIn(stores: readonly StoreSpec[], snapshot: Snapshot, region: string): readonly string[] {
  return watchedRemarks(
    stores.filter(({name}) => primaryIn(snapshot.stores[name], region) !== null),
    snapshot,
    region,
  );
}

function leftAlone(stores: readonly StoreSpec[], snapshot: Snapshot): readonly Left[] {
  return stores.flatMap((spec) => {
    const store = snapshot.stores[spec.name];
    return store !== undefined && isLeftAlone(store) ? [{spec, store}] : [];
  });
}

function watchedText({spec, store}: Left, from: string | null): string {
  const primary = from === null ? null : primaryIn(store, from);
  const where = primary === null ? '' : `; its primary ${primary} is in ${from} now`;
  return `${spec.name} is watched only: Sentinel (or whoever runs it) moves it${where}`;
}

function primaryIn(store: StoreSnapshot | undefined, region: string): string | null {
  const [first] = store === undefined || store.watched !== true ? [] : primariesOf(store);
  return first?.member.region === region ? first.name : null;
}

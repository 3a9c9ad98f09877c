import type {StoreSpec} from '../fleet/fleet.ts';
import {rivalsOf} from '../snapshot/rivals.ts';
import {isOfPeers, type StoreSnapshot} from '../snapshot/snapshot.ts';
import {rivalNotes, type StoreStanding} from './rival-notes.ts';

type Seen = {readonly name: string; readonly cell: StoreSnapshot['members'][string] | undefined};

/**
 * A store by its roles. More than one primary that can acknowledge writes is the worst there is. No writable primary is down only when every member was
 * seen; while one could not be read, that one may be it, and the store is unknown.
 */
export function storeNotes(store: StoreSpec, snapshot: StoreSnapshot | undefined): StoreStanding {
  const cells = store.members.map(({name}) => ({name, cell: snapshot?.members[name]}));
  const rivals = snapshot === undefined ? [] : rivalsOf(snapshot);
  const peers = snapshot !== undefined && isOfPeers(snapshot);
  const unread = cells.flatMap(({name, cell}) => (cell?.known === true ? [] : [`${name} (${cell?.reason ?? 'not observed'})`]));
  const notes = unread.length === 0 ? [] : [`${store.name}: could not read ${unread.join(', ')}`];
  if (snapshot !== undefined && rivals.length > 1) {
    const standing = rivalNotes(store.name, rivals, snapshot);
    return {...standing, notes: [...standing.notes, ...notes]};
  }
  if (peers) return standingOfPeers(store, cells, notes);
  if (rivals.length === 1) return {verdict: unread.length === 0 ? 'healthy' : 'degraded', notes};
  const none = `${store.name}: no member that was seen is a writable primary`;
  return {verdict: unread.length === 0 ? 'unhealthy' : 'unknown', notes: [none, ...notes]};
}

/** Peers do not stand in for each other: one that takes no writes is down for whoever writes to it. Nobody can be judged by the others. */
function standingOfPeers({name: store}: StoreSpec, cells: readonly Seen[], notes: readonly string[]): StoreStanding {
  const closed = cells.filter(({cell}) => cell?.known === true && !cell.value.writable).map(({name}) => name);
  const known = cells.filter(({cell}) => cell?.known === true).length;
  const all = closed.length === 0 ? notes : [`${store}: ${closed.join(' and ')} takes no writes`, ...notes];
  if (known === 0) return {verdict: 'unknown', notes: all};
  return {verdict: all.length === 0 ? 'healthy' : 'degraded', notes: all};
}

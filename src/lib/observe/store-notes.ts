import type {StoreSpec} from '../fleet/fleet.ts';
import type {Verdict} from '../health/verdict.ts';
import type {StoreSnapshot} from '../snapshot/snapshot.ts';

/** How a store stands as a whole, with a sentence for each thing that needs a person's eye. */
export type StoreStanding = {readonly verdict: Verdict; readonly notes: readonly string[]};

/**
 * A store by its roles. More than one writable primary is the worst there is. No writable primary is down only when every member was seen; while
 * one could not be read, that one may be it, and the store is unknown.
 */
export function storeNotes(store: StoreSpec, snapshot: StoreSnapshot | undefined): StoreStanding {
  const cells = store.members.map(({name}) => ({name, cell: snapshot?.members[name]}));
  const writable = cells
    .filter(({cell}) => cell?.known === true && cell.value.writable && cell.value.role === 'primary')
    .map(({name}) => name);
  const peers = cells.some(({cell}) => cell?.known === true && cell.value.role === 'peer');
  const unread = cells.flatMap(({name, cell}) => (cell?.known === true ? [] : [`${name} (${cell?.reason ?? 'not observed'})`]));
  const notes = unread.length === 0 ? [] : [`${store.name}: could not read ${unread.join(', ')}`];
  if (writable.length > 1) {
    return {verdict: 'unhealthy', notes: [`${store.name}: split brain: ${writable.join(' and ')} both run as primaries`, ...notes]};
  }
  if (writable.length === 1 || peers) return {verdict: unread.length === 0 ? 'healthy' : 'degraded', notes};
  const none = `${store.name}: no member that was seen is a writable primary`;
  return {verdict: unread.length === 0 ? 'unhealthy' : 'unknown', notes: [none, ...notes]};
}

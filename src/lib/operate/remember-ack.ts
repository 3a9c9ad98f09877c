import type {Json} from '../plan/json.ts';
import type {State} from '../ports/state.ts';
import {known} from '../snapshot/cell.ts';
import {type AckRule, latestEpoch, type Snapshot, type StoreSnapshot} from '../snapshot/snapshot.ts';

/**
 * Who must acknowledge is asked of the primary, and matters most when it cannot be asked any more. So what it says is remembered, and a snapshot
 * without an answer is completed by what it said last. `onTrouble` is told why that could not be kept or read, and the store is left as it was seen; without it that is thrown.
 */
export function withRememberedAck(state: State | null, fleet: string, snapshot: Snapshot, onTrouble?: (error: unknown) => void): Snapshot {
  if (state === null) return snapshot;
  const stores = Object.entries(snapshot.stores).map(([name, store]): readonly [string, StoreSnapshot] => {
    try {
      return [name, completed(state, `ack/${fleet}/${name}`, store)];
    } catch (error) {
      if (onTrouble === undefined) throw error;
      onTrouble(error);
      return [name, store];
    }
  });
  return {...snapshot, stores: Object.fromEntries(stores)};
}

function completed(state: State, key: string, store: StoreSnapshot): StoreSnapshot {
  const {ack} = store;
  if (ack.known) {
    const {kind, need, of, lowerable} = ack.value;
    state.remember(key, {kind, need, of: [...of], lowerable, at: ack.at, epoch: latestEpoch(store)});
    return store;
  }
  const last = parse(state.recall(key));
  return last === null ? store : {...store, ack: known(last.rule, last.at, 'remembered')};
}

function parse(value: Json | undefined): {rule: AckRule; at: number} | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const {kind, need, of, lowerable, at, epoch} = value as Readonly<Record<string, Json>>;
  if ((kind !== 'async' && kind !== 'quorum') || typeof need !== 'number' || !Array.isArray(of) || typeof at !== 'number') return null;
  return {rule: {kind, need, of: of.map(String), lowerable: lowerable === true, epoch: typeof epoch === 'number' ? epoch : null}, at};
}

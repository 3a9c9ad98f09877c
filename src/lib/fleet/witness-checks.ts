import type {ProviderKinds} from './kinds.ts';
import type {Finding} from './problem.ts';
import type {FleetFile} from './schema.ts';

/** Whether the engines of the stores that the witness may write to can be written to by it, and have been told how. Names are checked elsewhere. */
export function checkWitnessStores(file: FleetFile, kinds: ProviderKinds, configAt: ReadonlyMap<string, unknown>): readonly Finding[] {
  const named = file.witness?.stores ?? [];
  return named.flatMap((name, index): readonly Finding[] => {
    const store = Object.hasOwn(file.stores, name) ? file.stores[name] : undefined;
    const kind = store !== undefined && Object.hasOwn(kinds.store, store.engine) ? kinds.store[store.engine] : undefined;
    const config = configAt.get(JSON.stringify(['stores', name]));
    if (store === undefined || kind === undefined || config === undefined) return [];
    const path = ['witness', 'stores', index];
    if (kind.witness === undefined) return [{path, at: 'value', ...unable(name, store.engine, kinds)}];
    const missing = kind.witness(config as never);
    if (missing === null) return [];
    const message = `"${name}" cannot be written to: stores.${name} has no "${missing}"`;
    return [
      {
        path,
        at: 'value',
        message,
        suggestion: `Add "${missing}" to stores.${name}, or take it out of this list. docs/witness.md says more.`,
      },
    ];
  });
}

function unable(name: string, engine: string, kinds: ProviderKinds): Pick<Finding, 'message' | 'suggestion'> {
  const able = Object.entries(kinds.store).flatMap(([kind, {witness}]) => (witness === undefined ? [] : [kind]));
  const known = able.length === 0 ? 'no engine can' : `those that can: ${able.join(', ')}`;
  return {
    message: `"${name}" is a store of the engine ${engine}, which the witness cannot write to; ${known}`,
    suggestion: 'Take it out of this list.',
  };
}

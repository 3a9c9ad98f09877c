import {type RegionctlError, refused} from '../errors.ts';
import type {StoreSpec} from '../fleet/fleet.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {findPrimary} from './find-primary.ts';

/** The code of a refusal for want of an answer: asking once more may be all that it takes. */
export const PRIMARY_UNKNOWN = 'primary-unknown';

/** What is said where everybody answered: `code` (default `no-primary`), and what to do. `fix`: half a sentence on what to do if who is silent is lost. */
export type Refusal = {readonly code?: string; readonly says: string; readonly fix?: string; readonly suggestions: readonly string[]};

/**
 * The refusal (77) of a plan that finds no primary of these stores to begin with: what it says where every member answered and none is one; else
 * `primary-unknown`, because whoever could not be asked may be it.
 */
export function noPrimary(
  stores: readonly StoreSpec[],
  snapshot: Snapshot,
  {code = 'no-primary', says, fix, suggestions}: Refusal,
): RegionctlError {
  const untold = stores.flatMap((spec) => untoldOf(spec, snapshot) ?? []);
  if (untold.length === 0) return refused(code, says, {suggestions});
  const ifLost = fix === undefined ? '' : `; if it is lost, ${fix}`;
  return refused(PRIMARY_UNKNOWN, `nothing was done: ${untold.join('; ')}${ifLost}`, {
    suggestions: [...new Set(['regionctl status', ...suggestions])],
  });
}

/** Who of a store could not be asked, and why; null = everybody was, or its primary answered. */
function untoldOf(spec: StoreSpec, snapshot: Snapshot): string | null {
  const store = snapshot.stores[spec.name];
  const reasons = spec.members.flatMap(({name}) => {
    const cell = store?.members[name];
    return cell === undefined || cell.known ? [] : [cell.reason.replace(/\.$/, '')];
  });
  const found = store === undefined ? null : findPrimary(store, spec);
  if (store === undefined || reasons.length === 0 || found?.seen === true) return null;
  const cell = found === null ? undefined : store.members[found.member];
  if (found === null || cell === undefined || cell.known) return `who is the primary of ${spec.name} is not known: ${reasons.join('; ')}`;
  return `the primary of ${spec.name}, ${found.member} by what the others say, could not be asked: ${cell.reason.replace(/\.$/, '')}`;
}

import type {StoreSpec} from '../fleet/fleet.ts';
import {latestEpoch, type StoreSnapshot} from '../snapshot/snapshot.ts';

/** What the acknowledgement rule of a store is worth as a fence. `seals` 0 = it proves nothing, and `why` says so. */
export type QuorumFit = {readonly seals: number; readonly why: string | null};

/**
 * How many standbys must let go before no quorum can be formed behind our back: n-k+1 when k of n must hold a write (`ANY k` and `FIRST k`
 * alike). The rule is what the primary said, now or the last time that it was asked; the fleet file's word counts only for a primary
 * that was never asked. A rule that waits for less than the fleet file says, or for somebody who is no member, proves nothing.
 */
export function quorumFit(spec: StoreSpec, store: StoreSnapshot | undefined): QuorumFit {
  if (spec.quorum === 0 && !waitsAllTheSame(store)) return {seals: 0, why: `${spec.name} is asynchronous`};
  const declared = spec.members.length - 1 - spec.quorum + 1;
  const ack = store?.ack;
  if (ack === undefined || !ack.known) return {seals: declared, why: null};
  const {need, of} = ack.value;
  if (need < spec.quorum) {
    const rule = need === 0 ? 'acknowledges alone' : `waits for ${need} of ${of.join(', ')} only`;
    return {seals: 0, why: `the primary of ${spec.name} ${rule}, although the fleet file says quorum: ${spec.quorum}`};
  }
  const strangers = of.filter((name) => !spec.members.some((member) => member.name === name));
  if (strangers.length > 0)
    return {seals: 0, why: `the primary of ${spec.name} also waits for ${strangers.join(', ')}, which the fleet file does not know`};
  return {seals: of.length - need + 1, why: null};
}

/**
 * The fleet file promises nothing, maybe since an hour ago, because the next primary shall go on alone: the present one may wait for others all
 * the same. Only its own word counts for that, now or on the timeline that the members are on still.
 */
function waitsAllTheSame(store: StoreSnapshot | undefined): boolean {
  if (store === undefined || !store.ack.known || store.ack.value.need === 0) return false;
  const {epoch} = store.ack.value;
  return epoch === undefined || (epoch !== null && epoch === latestEpoch(store));
}

import {messageOf, unavailable} from '../../errors.ts';
import type {Json} from '../../plan/json.ts';
import type {Clock} from '../../ports/clock.ts';
import type {Fault, FaultEnd} from '../../ports/fault.ts';
import {known, unknown} from '../../snapshot/cell.ts';
import {askPeer, boundsOf, type LabPeer} from './control.ts';
import {memberOf} from './http.ts';
import {LAB_FAULT_KINDS} from './lab-fault-kinds.ts';

const ASK_MS = 3000;
/** Processes are killed, or started again and waited for. */
const CHANGE_MS = 90_000;

/** The lab's faults. The lab itself holds the lease, so a fault ends even if everybody else is dead. A region `front-door` is the lab's route. */
export function labFault(peer: LabPeer, clock: Clock): Fault & Required<Pick<Fault, 'unavailable' | 'ended'>> {
  return {
    kinds: Object.keys(LAB_FAULT_KINDS),
    async inject(ctx, fault) {
      const answer = await askPeer(peer, {method: 'POST', path: '/faults', body: fault}, boundsOf(ctx, CHANGE_MS));
      return memberOf(answer, 'fault') as Json;
    },
    async heal(ctx, region) {
      await askPeer(peer, {method: 'DELETE', path: `/faults/${encodeURIComponent(region)}`}, boundsOf(ctx, CHANGE_MS));
    },
    async active(region, signal) {
      try {
        const answer = await askPeer(peer, {method: 'GET', path: '/faults'}, {deadlineMs: ASK_MS, signal});
        const faults = memberOf(answer, 'faults');
        if (!Array.isArray(faults)) return unknown('bad-answer', `${peer.who} answered no list of faults`, clock.wall());
        const kinds = faults.filter((fault) => memberOf(fault, 'region') === region).map((fault) => String(memberOf(fault, 'kind')));
        return known(kinds, clock.wall(), 'lab');
      } catch (error) {
        return unknown('unreachable', messageOf(error), clock.wall());
      }
    },
    async ended(region, signal) {
      try {
        const answer = await askPeer(peer, {method: 'GET', path: '/faults'}, {deadlineMs: ASK_MS, signal});
        const ended = memberOf(answer, 'ended');
        // A lab of an earlier version keeps no record.
        const ends = Array.isArray(ended) ? ended.filter((end) => memberOf(end, 'region') === region).flatMap(endOf) : [];
        return known([...new Map(ends.map((end) => [end.kind, end])).values()], clock.wall(), 'lab');
      } catch (error) {
        return unknown('unreachable', messageOf(error), clock.wall());
      }
    },
    async unavailable(signal) {
      const answer = await askPeer(peer, {method: 'GET', path: '/faults/kinds'}, {deadlineMs: ASK_MS, signal});
      const reasons = memberOf(answer, 'unavailable');
      if (typeof reasons !== 'object' || reasons === null) throw unavailable('bad-answer', `${peer.who} answered no kinds of faults`);
      return Object.fromEntries(Object.entries(reasons).map(([kind, why]) => [kind, String(why)]));
    },
  };
}

function endOf(end: unknown): readonly FaultEnd[] {
  const at = Date.parse(String(memberOf(end, 'endedAt')));
  return Number.isNaN(at) ? [] : [{kind: String(memberOf(end, 'kind')), at, by: memberOf(end, 'by') === 'lease' ? 'lease' : 'heal'}];
}

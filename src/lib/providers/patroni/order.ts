import {refused, unavailable} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import {type Ensemble, type Peer, peerOf, readStatus} from './ensemble.ts';
import type {Move} from './fit-picture.ts';
import type {RestReply} from './rest.ts';

/** An order under way. Patroni answers when it is done, up to half a minute later, so nobody waits for the answer; a failure is heeded. */
export type Order = {failure(): Error | null};

/** Beyond the deadline of the effect, which has a better sentence for it than a request that timed out. */
const PATIENCE_MS = 1000;

/** Gives it to the first member whose Patroni answers: the leader's acts at once, another one's is heard a moment later. */
export function giveOrder(ensemble: Ensemble, ctx: Ctx, move: Move): Order {
  let failed: Error | null = null;
  void give(ensemble, ctx, move).then(
    (reply) => {
      failed = failureOf(reply, move);
    },
    (error: unknown) => {
      failed = error instanceof Error ? error : new Error(String(error));
    },
  );
  return {failure: () => failed};
}

async function give(ensemble: Ensemble, ctx: Ctx, {from, to, planned}: Move): Promise<RestReply> {
  const body = planned ? {leader: from, candidate: to} : {candidate: to};
  const path = planned ? '/switchover' : '/failover';
  let last: unknown = null;
  for (const peer of inTurn(ensemble, {from, to, planned})) {
    try {
      // A Patroni that hangs would take the order's whole time to tell nothing.
      await readStatus(ensemble, peer, {signal: ctx.signal});
      const timeoutMs = ctx.deadline - ctx.now() + PATIENCE_MS;
      return await ensemble.rest.order(peer.agent, path, body, {signal: ctx.signal, timeoutMs});
    } catch (error) {
      // An order whose answer was lost may be given again: Patroni keeps one, and a move that is done is refused in words.
      last = error;
    }
  }
  throw last;
}

/** A former leader that is gone is not asked. */
function inTurn({peers, ...ensemble}: Ensemble, {from, to, planned}: Move): readonly Peer[] {
  const target = peerOf({...ensemble, peers}, to);
  const leader = peers.find(({name}) => name === from);
  const others = peers.filter((peer) => peer !== target && peer !== leader);
  return [...(planned && leader !== undefined ? [leader] : []), target, ...others];
}

/** It waits for 20 s at most and then says that it does not know: the order stands. */
const stands = ({status, says}: RestReply): boolean => status < 300 || /status unknown/i.test(says);

function failureOf(reply: RestReply, {to, planned}: Move): Error | null {
  if (stands(reply)) return null;
  const {status, says} = reply;
  const message = `Patroni does not ${planned ? 'hand over' : 'fail over'} to ${to}: ${says} (${status}).`;
  const details = {suggestions: ['Look with patronictl list: it may be paused, or the candidate may not be fit.']};
  return status < 500 ? refused('patroni-refused', message, details) : unavailable('patroni-failed', message, details);
}

import {isRegionctlError, refused, unavailable} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Position} from '../../snapshot/position.ts';
import {limitsOf, only} from '../postgres/cluster.ts';
import {durableOf, readFacts} from '../postgres/facts.ts';
import type {ClusterView} from './answers.ts';
import {type Ensemble, type Peer, peerOf, readAnyView} from './ensemble.ts';
import type {Move} from './fit-picture.ts';
import {giveOrder, type Order} from './order.ts';
import {watchCluster} from './watch.ts';

/** How often the candidate is asked: the gap ends with its first write, and others measure it. */
const LOOK_MS = 20;

/**
 * Asks Patroni to move the primary, and waits until SQL shows it. Planned: `/switchover`, which stops the leader in good order before it lets
 * go of the leader key. Else `/failover`, which names the candidate for the moment when the key runs out. Asked again after it was done, it
 * only looks. Throws `moved-elsewhere` (77) when Patroni made another member the leader, `patroni-refused` (77) and `patroni-failed` (69) with
 * its words, and `handover-timeout` (69) at the deadline of the effect.
 */
export async function handover(ensemble: Ensemble, ctx: Ctx, move: Move): Promise<Position> {
  const target = peerOf(ensemble, move.to);
  const before = await readFacts(target.node, limitsOf(ctx));
  const held = await readAnyView(ensemble, {signal: ctx.signal});
  if (before.recovering) await promote(ensemble, ctx, move, {held, epoch: before.timeline});
  else if (held.leader !== move.to) {
    const says = `${move.to} runs as a primary already, but Patroni says that ${held.leader ?? 'nobody'} holds the leader key.`;
    throw refused('moved-elsewhere', says, {suggestions: ['regionctl status']});
  }
  const position = durableOf(await readFacts(target.node, limitsOf(ctx)));
  if (move.planned && move.from !== null && move.from !== move.to) await awaitFormer(ensemble, ctx, peerOf(ensemble, move.from));
  return position;
}

type Start = {readonly held: ClusterView; readonly epoch: number};

async function promote(ensemble: Ensemble, ctx: Ctx, move: Move, {held, epoch}: Start): Promise<void> {
  const former = await formerLeader(ensemble, ctx, move, held);
  refuseElsewhere(held, former, move.to);
  if (move.planned && former === null && held.leader === null)
    throw refused('patroni-refused', `Nobody of ${ensemble.store} holds the leader key: a planned handover needs a leader.`);
  // Patroni may be at it already: by an order of a former process, or by itself.
  const order = held.leader === move.to ? null : giveOrder(ensemble, ctx, {...move, from: former});
  const watch = watchCluster(ensemble, ctx, move.to);
  try {
    await awaitPrimary(ensemble, ctx, {to: move.to, former, epoch, order, latest: watch.latest});
  } finally {
    watch.stop();
  }
}

/** The holder of the leader key that this move takes it from: the one that is named, else one that does not answer as a primary. */
async function formerLeader(ensemble: Ensemble, ctx: Ctx, {from, planned}: Move, {leader}: ClusterView): Promise<string | null> {
  const peer = ensemble.peers.find(({name}) => name === leader);
  if (from !== null || peer === undefined || planned) return from ?? leader;
  const facts = await readFacts(peer.node, limitsOf(ctx)).catch(() => null);
  return facts !== null && !facts.recovering ? null : leader;
}

function refuseElsewhere({leader}: ClusterView, former: string | null, to: string): void {
  if (leader === null || leader === to || leader === former) return;
  throw refused('moved-elsewhere', `Patroni has made ${leader} the leader, so ${to} is not promoted.`, {
    suggestions: [`Look at ${leader} with regionctl status, and go on from there.`],
  });
}

type Waiting = {
  readonly to: string;
  readonly former: string | null;
  /** The timeline that the candidate was on. */
  readonly epoch: number;
  readonly order: Order | null;
  readonly latest: () => ClusterView | null;
};

async function awaitPrimary(ensemble: Ensemble, ctx: Ctx, waiting: Waiting): Promise<void> {
  const {to, former, epoch, order, latest} = waiting;
  const peer = peerOf(ensemble, to);
  while (!(await leads(ctx, peer, epoch))) {
    const view = latest();
    if (view !== null) refuseElsewhere(view, former, to);
    const failure = order?.failure() ?? null;
    if (failure !== null) await throwUnlessMoved(ensemble, ctx, waiting, failure);
    if (ctx.now() >= ctx.deadline) throw tooLate(ensemble, to, view);
    await ensemble.cluster.clock.sleep(LOOK_MS, ctx.signal);
  }
}

const ROLE = `select pg_is_in_recovery() as "recovering"`;

/** A writable primary on a later timeline. The cheap question comes first: it is asked fifty times a second. */
async function leads(ctx: Ctx, {node}: Peer, epoch: number): Promise<boolean> {
  try {
    const {recovering} = only(await node.session.rows<{recovering: boolean}>(ROLE, [], limitsOf(ctx)), node);
    if (recovering) return false;
    const facts = await readFacts(node, limitsOf(ctx));
    return !facts.recovering && !facts.readOnly && facts.timeline > epoch;
  } catch {
    // A restart in between is Patroni's business: what counts is the deadline.
    return false;
  }
}

/** An order that failed means nothing if the candidate has the leader key: another one reached its goal before. */
async function throwUnlessMoved(ensemble: Ensemble, ctx: Ctx, {to, former}: Waiting, failure: Error): Promise<void> {
  const view = await readAnyView(ensemble, {signal: ctx.signal}).catch(() => null);
  if (view?.leader === to) return;
  if (view !== null) refuseElsewhere(view, former, to);
  throw failure;
}

function tooLate({store}: Ensemble, to: string, view: ClusterView | null): Error {
  const key = view === null ? 'no Patroni tells who holds the leader key' : `the leader key is held by ${view.leader ?? 'nobody'}`;
  return unavailable('handover-timeout', `Patroni had not made ${to} the primary of ${store} at the deadline: ${key}.`, {
    suggestions: ['It may still do so. Look with patronictl list, then run it again: what is done already is not done twice.'],
  });
}

/**
 * Until the former leader is seen in recovery, or its server refuses to be connected to. The latter is enough here: Patroni lets go of the leader
 * key only after a clean stop, and starts it again as a standby two seconds later, which traffic need not wait for. Throws `former-leader` (69).
 */
async function awaitFormer(ensemble: Ensemble, ctx: Ctx, {name, node}: Peer): Promise<void> {
  for (;;) {
    const standing = await readFacts(node, limitsOf(ctx)).then(
      ({recovering}) => (recovering ? 'left' : 'primary'),
      (error: unknown) => (isRegionctlError(error) && ['refused', 'starting'].includes(error.code) ? 'left' : 'unknown'),
    );
    if (standing === 'left') return;
    if (ctx.now() >= ctx.deadline) {
      const why = standing === 'primary' ? 'still answers as a primary' : 'does not say what it is';
      throw unavailable('former-leader', `${name} handed over and ${why} at the deadline.`, {suggestions: ['regionctl status']});
    }
    await ensemble.cluster.clock.sleep(LOOK_MS, ctx.signal);
  }
}

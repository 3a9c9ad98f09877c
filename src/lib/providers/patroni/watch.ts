import type {Ctx} from '../../plan/action.ts';
import type {ClusterView} from './answers.ts';
import {type Ensemble, peerOf, readView} from './ensemble.ts';

/** How often Patroni is asked: each of its answers is a read of the DCS. */
const VIEW_MS = 250;

/** The cluster as Patroni saw it last; null = nobody told yet. `stop` ends the asking. */
export type Watch = {latest(): ClusterView | null; stop(): void};

/** Goes on asking one Patroni after the other, beginning with `first`'s, beside whatever else is waited for. */
export function watchCluster(ensemble: Ensemble, ctx: Ctx, first: string): Watch {
  const done = new AbortController();
  let latest: ClusterView | null = null;
  const keep = (view: ClusterView): void => {
    latest = view;
  };
  void watch(ensemble, AbortSignal.any([ctx.signal, done.signal]), first, keep).catch(() => undefined);
  return {latest: () => latest, stop: () => done.abort()};
}

async function watch(ensemble: Ensemble, signal: AbortSignal, first: string, keep: (view: ClusterView) => void): Promise<void> {
  const target = peerOf(ensemble, first);
  const peers = [target, ...ensemble.peers.filter((peer) => peer !== target)];
  for (let turn = 0; !signal.aborted; ) {
    const peer = peers[turn % peers.length] ?? target;
    const view = await readView(ensemble, peer, {signal}).catch(() => null);
    if (view === null) turn++;
    else keep(view);
    await ensemble.cluster.clock.sleep(VIEW_MS, signal);
  }
}

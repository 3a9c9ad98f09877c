import {EXIT, type ExitCode} from '../exit-codes.ts';
import {quorumFit} from '../failover/quorum.ts';
import type {StoreSpec} from '../fleet/fleet.ts';
import {regionOf} from '../fleet/lookup.ts';
import type {State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type LagHistory, type LossDocument, previewLoss, type StoreForLoss, type TimedLoss} from '../replication/loss.ts';
import type {Cell} from '../snapshot/cell.ts';
import type {AckRule, Member, StoreSnapshot} from '../snapshot/snapshot.ts';
import {recallLag} from './remember-lag.ts';

/** What promoting a region now, as it stands, would lose in every store. Exit code: 0 nothing blocks, 1 an objective would be missed, 3 unknown. */
export async function readLoss(open: OpenFleet, to: string, signal: AbortSignal): Promise<{document: LossDocument; exit: ExitCode}> {
  const {name} = regionOf(open.fleet, to);
  const state = await open.state().catch(() => null);
  const stores = await Promise.all(open.fleet.stores.map((spec) => storeForLoss(open, spec, name, {state, signal})));
  const document = previewLoss(new Date(open.clock.wall()).toISOString(), name, stores);
  return {document, exit: exitOf(document)};
}

function exitOf({blocking, blockedBy, stores}: LossDocument): ExitCode {
  if (!blocking) return EXIT.good;
  return stores.some(({store, certainty}) => certainty === 'unknown' && blockedBy.includes(store)) ? EXIT.unknown : EXIT.warning;
}

async function storeForLoss(
  open: OpenFleet,
  spec: StoreSpec,
  to: string,
  {state, signal}: {state: State | null; signal: AbortSignal},
): Promise<StoreForLoss> {
  const store = open.stores[spec.name];
  const member = spec.members.find(({region}) => region === to)?.name ?? null;
  // A member far away takes most of its deadline to be connected: what is asked over the same connection meanwhile would run out of time in its queue.
  const members = (await store?.observe(signal)) ?? {};
  const [ack, reading] = await Promise.all([
    store?.ackRule(signal) ?? ({known: false, code: 'not-opened', reason: `${spec.name} was not opened`, at: 0} as const),
    readingOf(open, spec, member, signal),
  ]);
  const snapshot: StoreSnapshot = {
    engine: spec.engine,
    ...(store?.peers === undefined ? {} : {peers: store.peers}),
    ...(store?.watched === undefined ? {} : {watched: store.watched}),
    members: members as Readonly<Record<string, Cell<Member>>>,
    ack: ack as Cell<AckRule>,
  };
  const classes = open.fleet.dataClasses.filter(({name}) => spec.dataClasses.includes(name));
  const history = state === null || member === null ? undefined : historyOf(open, state, spec, member);
  return {
    store: spec.name,
    member,
    snapshot,
    quorum: quorumFit(spec, snapshot).seals === 0 ? 0 : spec.quorum,
    classes,
    reading,
    ...(history === undefined ? {} : {history}),
  };
}

/** The engine's own comparison of both ends; a store without one, or a primary that is gone, has none. */
async function readingOf(open: OpenFleet, spec: StoreSpec, member: string | null, signal: AbortSignal): Promise<TimedLoss | null> {
  const loss = open.stores[spec.name]?.abilities.loss;
  if (loss === undefined || member === null) return null;
  return loss.loss(member, signal).catch(() => null);
}

/** The last remembered sample of a member's lag. */
export function historyOf(open: OpenFleet, state: State, spec: StoreSpec, member: string): LagHistory | undefined {
  return recallLag(state, {fleet: open.fleet.name, store: spec.name, member, now: open.clock.wall()});
}

import {unavailable} from '../errors.ts';
import {EXIT, type ExitCode} from '../exit-codes.ts';
import {quorumFit} from '../failover/quorum.ts';
import type {StoreSpec} from '../fleet/fleet.ts';
import {regionOf} from '../fleet/lookup.ts';
import type {State} from '../ports/state.ts';
import type {Store} from '../ports/store.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type LagHistory, type LossDocument, previewLoss, type StoreForLoss, type TimedLoss} from '../replication/loss.ts';
import {unknown} from '../snapshot/cell.ts';
import {isPromotable, roleIn, type StoreSnapshot} from '../snapshot/snapshot.ts';
import {askInTime} from './ask-in-time.ts';
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
  const member = memberIn(spec, to);
  // A member far away takes most of its deadline to be connected: what is asked over the same connection meanwhile would run out of time in its queue.
  const members = await askInTime(signal, async (own) => opened(store, spec).observe(own));
  const [ack, reading] = await Promise.all([
    askInTime(signal, async (own) => opened(store, spec).ackRule(own)),
    readingOf(open, spec, member, signal),
  ]);
  const at = open.clock.wall();
  const snapshot: StoreSnapshot = {
    engine: spec.engine,
    ...(store?.peers === undefined ? {} : {peers: store.peers}),
    ...(store?.watched === undefined ? {} : {watched: store.watched}),
    members: members.ok
      ? members.value
      : Object.fromEntries(spec.members.map(({name}) => [name, unknown(members.code, members.reason, at)])),
    ack: ack.ok ? ack.value : unknown(ack.code, ack.reason, at),
  };
  return seenForLoss(open, spec, {member, snapshot, reading, state});
}

type Seen = Pick<StoreForLoss, 'member' | 'snapshot' | 'reading'> & {readonly state: State | null};

/** Everything that is known of a store that was looked at. */
function seenForLoss(open: OpenFleet, spec: StoreSpec, {member, snapshot, reading, state}: Seen): StoreForLoss {
  const history = state === null || member === null ? undefined : historyOf(open, state, spec, member);
  return {
    store: spec.name,
    member,
    snapshot,
    quorum: quorumFit(spec, snapshot).seals === 0 ? 0 : spec.quorum,
    classes: open.fleet.dataClasses.filter(({name}) => spec.dataClasses.includes(name)),
    reading,
    ...(history === undefined ? {} : {history}),
  };
}

/** `stores` = what a look at the fleet has seen; `forMs` = how long each comparison of both ends is waited for. */
export type LossLook = {
  readonly stores: Readonly<Record<string, StoreSnapshot>>;
  readonly state: State | null;
  readonly signal: AbortSignal;
  readonly forMs: number;
};

/** As `readLoss`, from a look at the fleet that was taken before, and only of the stores that a region could be promoted in. */
export async function lossFrom(open: OpenFleet, to: string, {stores, state, signal, forMs}: LossLook): Promise<LossDocument> {
  const known = await Promise.all(
    open.fleet.stores.flatMap((spec) => {
      const snapshot = stores[spec.name];
      const member = memberIn(spec, to);
      if (snapshot === undefined || member === null || !isPromotable(roleIn(snapshot, member))) return [];
      const asked = canCompare(snapshot, member) ? readingOf(open, spec, member, signal, forMs) : Promise.resolve(null);
      return [asked.then((reading) => seenForLoss(open, spec, {member, snapshot, reading, state}))];
    }),
  );
  return previewLoss(new Date(open.clock.wall()).toISOString(), to, known);
}

/** Who does not answer is not asked again: only of two ends that were both read there is anything to compare. */
function canCompare(snapshot: StoreSnapshot, member: string): boolean {
  if (snapshot.members[member]?.known !== true) return false;
  return Object.keys(snapshot.members).some((name) => name !== member && roleIn(snapshot, name) === 'primary');
}

const memberIn = ({members}: StoreSpec, to: string): string | null => members.find(({region}) => region === to)?.name ?? null;

function opened(store: Store | undefined, {name}: StoreSpec): Store {
  if (store === undefined) throw unavailable('not-opened', `${name} was not opened`);
  return store;
}

/** The engine's own comparison of both ends, as long as it takes no more than `forMs` (default 10 s); a store without one, or a primary that is gone, has none. */
export async function readingOf(
  open: Pick<OpenFleet, 'stores'>,
  spec: StoreSpec,
  member: string | null,
  signal: AbortSignal,
  forMs?: number,
): Promise<TimedLoss | null> {
  const loss = open.stores[spec.name]?.abilities.loss;
  if (loss === undefined || member === null) return null;
  const asked = await askInTime(signal, (own) => loss.loss(member, own), forMs);
  return asked.ok ? asked.value : null;
}

/** The last remembered sample of a member's lag. */
export function historyOf(open: OpenFleet, state: State, spec: StoreSpec, member: string): LagHistory | undefined {
  return recallLag(state, {fleet: open.fleet.name, store: spec.name, member, now: open.clock.wall()});
}

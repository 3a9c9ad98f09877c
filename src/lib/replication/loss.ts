import type {DataClass} from '../fleet/fleet.ts';
import {formatBytes, formatMs} from '../output/units.ts';
import type {Loss} from '../plan/plan.ts';
import {bytesBetween, comparePositions, type Position} from '../snapshot/position.ts';
import {isOfPeers, type Member, type StoreSnapshot} from '../snapshot/snapshot.ts';

/** A loss with the time that it covers; null = not known. */
export type TimedLoss = Loss & {readonly seconds: number | null};

/** An earlier sample of a store's lag: what it was, the highest rate at which the store was seen to be written, and how long ago. */
export type LagHistory = {
  readonly bytes: number;
  /** null = not known: that takes two looks between which something was written. */
  readonly bytesPerSecond: number | null;
  /** At most so much time was missing; null = not known. */
  readonly seconds: number | null;
  /** Transactions, and how many began in a second; null = not known. */
  readonly transactions: number | null;
  readonly transactionsPerSecond: number | null;
  /** Negative = it was taken by a clock that has been set back since, so nobody knows. */
  readonly ageMs: number;
};

/** One store, with everything that is known of it. */
export type StoreForLoss = {
  readonly store: string;
  /** The member that would be promoted; null when the store has none in that region. */
  readonly member: string | null;
  readonly snapshot: StoreSnapshot;
  /** How many others must hold a write, as the fleet file says: the primary cannot be asked when it matters. */
  readonly quorum: number;
  readonly classes: readonly DataClass[];
  /** The store's own live comparison of primary and target; null when it has none. */
  readonly reading: TimedLoss | null;
  /** Standbys that were seen sealed, and the ways by which a write may be acknowledged all the same. */
  readonly seal?: {readonly members: readonly string[]; readonly leaks: readonly string[]};
  /** Where the old primary's log ended, read after its fence. */
  readonly fencedAt?: Position;
  readonly history?: LagHistory;
};

/** One store in the document of `replication loss`. */
export type LossRow = TimedLoss & {
  readonly classes: readonly string[];
  /** The objective of each of its data classes, and whether this loss keeps it; null = it cannot be told. */
  readonly objectives: readonly {readonly class: string; readonly rpoMs: number; readonly withinRpo: boolean | null}[];
  readonly withinRpo: boolean | null;
  /** Others promote it: what it would lose is told, and only an objective that it misses blocks. */
  readonly watched?: true;
};

/** The document of `replication loss`. `blocking` = at least one store must not be promoted on this evidence; `blockedBy` names them. */
export type LossDocument = {
  readonly at: string;
  readonly to: string;
  readonly stores: readonly LossRow[];
  readonly blocking: boolean;
  readonly blockedBy: readonly string[];
};

/** What promoting the region `to` now would lose. `at` is ISO 8601. */
export function previewLoss(at: string, to: string, stores: readonly StoreForLoss[]): LossDocument {
  const rows = stores.map((store) => judgeStore(store, to));
  const blockedBy = rows.filter(isBlocking).map(({store}) => store);
  return {at, to, stores: rows, blocking: blockedBy.length > 0, blockedBy};
}

/**
 * Unknown blocks; so does an objective that is missed, or that cannot be shown to be met. Of a store that is only watched nothing is promoted here:
 * there only an objective that is missed blocks.
 */
export function isBlocking({certainty, withinRpo, classes, watched}: LossRow): boolean {
  if (watched === true) return withinRpo === false;
  return certainty === 'unknown' || withinRpo === false || (withinRpo === null && classes.length > 0);
}

function judgeStore(store: StoreForLoss, to: string): LossRow {
  const judged = tidy(judgeLoss(store, to));
  const isStrict = judged.certainty === 'estimate' && store.classes.some(({rpoMs}) => rpoMs === 0);
  const loss = isStrict ? {...judged, basis: `${judged.basis.replace(/\.?$/, '.')} An estimate never meets an objective of 0.`} : judged;
  const watched = store.snapshot.watched === true ? ({watched: true} as const) : {};
  const objectives = store.classes.map((each) => ({class: each.name, rpoMs: each.rpoMs, withinRpo: withinRpo(loss, [each])}));
  return {...loss, classes: store.classes.map(({name}) => name), objectives, withinRpo: withinRpo(loss, store.classes), ...watched};
}

function judgeLoss(store: StoreForLoss, to: string): TimedLoss {
  const {member, snapshot, fencedAt} = store;
  if (member === null) return nothing(store, `${store.store} has no member in ${to}.`);
  const target = snapshot.members[member];
  if (target === undefined) return nothing(store, `${member} was not observed.`);
  if (!target.known) return nothing(store, target.reason);
  if (isOfPeers(snapshot)) return ofPeers(store);
  const others = Object.entries(snapshot.members).flatMap(([name, cell]) =>
    name !== member && cell.known ? [{name, member: cell.value}] : [],
  );
  const primary = newest(others.filter((other) => other.member.role === 'primary'));
  const isNewer = primary !== null && (comparePositions(primary.member.durable, target.value.durable) ?? 1) > 0;
  if (target.value.role === 'primary' && primary !== null && isRival(primary.member, target.value))
    return nothing(store, `${primary.name} and ${member} both run as primaries: what either lacks of the other is not known.`);
  if (target.value.role === 'primary' && !isNewer)
    return figure(store, {bytes: 0, seconds: 0}, 'exact', `${member} is the primary already.${formerSays(member, others)}`);
  if (fencedAt !== undefined) return afterFence(store, member, target.value, fencedAt);
  if (primary !== null) return fromPrimary(store, member, target.value, primary);
  if (store.quorum > 0) return fromQuorum(store, member, target.value, others);
  return fromHistory(store);
}

/** To promote what is promoted already loses nothing more: what a former primary holds was left behind before, and is kept by the way back. */
function formerSays(member: string, others: readonly {name: string; member: Member}[]): string {
  const former = others.filter((other) => other.member.role === 'primary').map(({name}) => name);
  if (former.length === 0) return '';
  const [run, hold] = former.length === 1 ? ['a former primary, runs', 'it holds'] : ['former primaries, run', 'they hold'];
  return ` ${former.join(' and ')}, ${run} too: what ${hold} and ${member} lacks is not counted here; \`regionctl failback plan\` leads back, and keeps it first.`;
}

/** One that was left is no rival of its successor; two that were promoted beside one another are. */
const isRival = (one: Member, other: Member): boolean =>
  one.durable.lineage === other.durable.lineage && one.durable.epoch === other.durable.epoch;

function afterFence(store: StoreForLoss, member: string, target: Member, end: Position): TimedLoss {
  const bytes = bytesBetween(target.durable, end);
  if (bytes === null) return nothing(store, `${member} belongs to another lineage than the old primary.`);
  const seconds = bytes === 0 ? 0 : (store.reading?.seconds ?? null);
  return figure(store, {bytes, seconds}, 'exact', 'The old primary was read after its fence: nothing was acknowledged past that.');
}

/** Nobody is promoted: what counts is what the others took and have not passed on. */
function ofPeers(store: StoreForLoss): TimedLoss {
  const {reading} = store;
  if (reading === null)
    return nothing(store, `Every member of ${store.store} takes writes of its own, and it does not tell what is on its way.`);
  return reading.certainty === 'unknown' ? reading : {...reading, certainty: 'estimate'};
}

/** Both are reachable, but writes go on: what was read is out of date by the time that it is shown. */
function fromPrimary(store: StoreForLoss, member: string, target: Member, primary: {name: string; member: Member}): TimedLoss {
  if (store.reading !== null) return store.reading.certainty === 'unknown' ? store.reading : {...store.reading, certainty: 'estimate'};
  const bytes = bytesBetween(target.durable, primary.member.durable);
  if (bytes === null) return nothing(store, `${member} belongs to another lineage than ${primary.name}.`);
  return figure(
    store,
    {bytes, seconds: bytes === 0 ? 0 : null},
    'estimate',
    `${primary.name} and ${member} were both read; ${primary.name} may write on.`,
  );
}

/**
 * The primary is gone. What was acknowledged is on `quorum` of the n others, so n - quorum + 1 of them are sure to include one that has it:
 * what the most advanced of those holds is everything. What the target lacks of that it can still fetch.
 */
function fromQuorum(store: StoreForLoss, member: string, target: Member, others: readonly {name: string; member: Member}[]): TimedLoss {
  const n = Object.keys(store.snapshot.members).length - 1;
  const need = Math.max(1, n - store.quorum + 1);
  const standbys = [{name: member, member: target}, ...others].filter((other) => other.member.durable.lineage === target.durable.lineage);
  if (standbys.length < need) {
    return nothing(
      store,
      `The primary does not answer, and ${standbys.length} of the ${need} standbys that must be read to know what was acknowledged did.`,
    );
  }
  const ahead = bytesBetween(target.durable, newest(standbys)?.member.durable ?? target.durable) ?? 0;
  const fetch = ahead === 0 ? '' : ` ${member} first fetches ${ahead} bytes from the most advanced of them.`;
  const sealed = standbys.filter(({name}) => store.seal?.members.includes(name)).length;
  const isSealed = sealed >= need && store.seal?.leaks.length === 0;
  const why = isSealed
    ? `${sealed} of ${n} standbys have let go: no other write can have been acknowledged.`
    : `${standbys.length} of ${n} standbys were read, ${need} suffice under a quorum of ${store.quorum}; they are not all sealed, so the old primary may go on.`;
  return figure(store, {bytes: 0, seconds: 0}, isSealed ? 'bound' : 'estimate', `${why}${fetch}`);
}

/** Without a quorum only the past can be asked: what was outstanding then, and everything since at the highest rate that was seen. */
function fromHistory(store: StoreForLoss): TimedLoss {
  const {history} = store;
  if (history === undefined)
    return nothing(store, 'The primary does not answer, writes do not wait for a standby, and there is no earlier sample of the lag.');
  const {bytes, seconds, transactions, basis} = grownBy(history);
  // How much was written is not known then; for how long at most is, and that is what an objective is about.
  if (bytes === null) return {...nothing(store, basis), seconds, certainty: seconds === null ? 'unknown' : 'estimate'};
  return {...figure(store, {bytes, seconds}, 'estimate', basis), transactions};
}

/** After so long a rate says nothing of what has been written since. */
const MOST_AGE_MS = 60_000;

const NOT_YET =
  'The last sample of the lag is from a time that has not come yet by the clock of this machine: how old it is, is not known.';

/**
 * What an earlier sample has become: what was outstanding then, and everything since at the highest rate that was seen. Nobody knows how much is written
 * while nobody looks, so `bytes` and `transactions` are an estimate and no bound; without a rate, and after a minute, they are not known (null).
 * `seconds` is a bound however old the sample is. `basis` is a sentence or two.
 */
export function grownBy(history: LagHistory): Pick<TimedLoss, 'bytes' | 'transactions' | 'seconds' | 'basis'> {
  const ageSeconds = history.ageMs / 1000;
  if (ageSeconds < 0) return {bytes: null, transactions: null, seconds: null, basis: NOT_YET};
  const {bytes, bytesPerSecond, transactions, transactionsPerSecond} = history;
  // What was missing then is missing still.
  const seconds = history.seconds === null ? null : history.seconds + ageSeconds;
  const old = `The last sample of the lag is ${formatMs(history.ageMs)} old`;
  const then = `(${bytes} bytes were missing then)`;
  const most = seconds === null ? '' : ` At most ${formatMs(seconds * 1000)} of writes are missing.`;
  if (history.ageMs > MOST_AGE_MS)
    return {bytes: null, transactions: null, seconds, basis: `${old} ${then}: too old to tell what was written since.${most}`};
  if (bytesPerSecond === null)
    return {
      ...{bytes: null, transactions: null, seconds},
      basis: `${old} ${then}. What was written since is not known: no two looks have seen it being written.${most}`,
    };
  return {
    bytes: bytes + Math.max(0, bytesPerSecond) * ageSeconds,
    transactions:
      transactions === null || transactionsPerSecond === null
        ? null
        : Math.ceil(transactions + Math.max(0, transactionsPerSecond) * ageSeconds),
    seconds,
    basis: `${old} ${then}. Added is its age times the highest rate that was seen (${formatBytes(bytesPerSecond)}/s): what was written faster is not in it.`,
  };
}

function newest(members: readonly {name: string; member: Member}[]): {name: string; member: Member} | null {
  return members.reduce<{name: string; member: Member} | null>(
    (best, each) => (best === null || (comparePositions(each.member.durable, best.member.durable) ?? 0) > 0 ? each : best),
    null,
  );
}

/** Nothing outstanding on one timeline is no transaction; how many a number of bytes is, only the store can tell. */
function figure(
  store: StoreForLoss,
  {bytes, seconds}: {bytes: number; seconds: number | null},
  certainty: Loss['certainty'],
  basis: string,
): TimedLoss {
  const transactions = bytes === 0 ? 0 : (store.reading?.transactions ?? null);
  return {store: store.store, bytes, transactions, seconds, certainty, basis};
}

const nothing = (store: StoreForLoss, basis: string): TimedLoss => ({
  store: store.store,
  bytes: null,
  transactions: null,
  seconds: null,
  certainty: 'unknown',
  basis,
});

/** By the tightest class. An estimate never meets an objective of 0; an unknown meets and misses none. */
function withinRpo(loss: TimedLoss, classes: readonly DataClass[]): boolean | null {
  if (classes.length === 0 || loss.certainty === 'unknown') return null;
  const rpoMs = Math.min(...classes.map((each) => each.rpoMs));
  if (rpoMs === 0) return loss.certainty !== 'estimate' && (loss.bytes === 0 || (loss.certainty === 'exact' && loss.transactions === 0));
  return loss.seconds === null ? null : loss.seconds * 1000 <= rpoMs;
}

function tidy(loss: TimedLoss): TimedLoss {
  const whole = (value: number | null): number | null => (value === null || !Number.isFinite(value) ? null : Math.max(0, Math.ceil(value)));
  const seconds = loss.seconds === null || !Number.isFinite(loss.seconds) ? null : Math.max(0, loss.seconds);
  return {...loss, bytes: whole(loss.bytes), transactions: whole(loss.transactions), seconds};
}

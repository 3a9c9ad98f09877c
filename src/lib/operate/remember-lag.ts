import type {Json} from '../plan/json.ts';
import type {State} from '../ports/state.ts';
import {fromFirst, isHandedOn} from '../replication/chain.ts';
import type {LinkSample} from '../replication/lag.ts';
import type {LagHistory} from '../replication/loss.ts';
import {type KeptRate, type LogEnd, type WriteRate, withLogEnd} from '../replication/write-rate.ts';

type Memory = Pick<State, 'recall' | 'remember'>;

/** Which member of which store of a fleet. */
export type LagPlace = {readonly fleet: string; readonly store: string; readonly member: string};

/**
 * Keeps how far each member was behind, for a day on which the primary cannot be asked: behind the first of its chain, not behind who hands the log on.
 * `samples` = all links of the store, from one look. `at` (epoch ms) is when that was asked: what is written while the answer is under way, or a frozen
 * member is waited for, is not in it. What is no copy that could be promoted is left out.
 */
export function rememberLag(memory: Memory, place: Omit<LagPlace, 'member'>, samples: readonly LinkSample[], at: number): void {
  for (const sample of samples.filter(isHandedOn)) {
    const whole = fromFirst(sample, samples);
    if (whole !== null) rememberOne(memory, place, whole, at);
  }
  // Rows are not handed on: each stream between peers is behind for itself.
  for (const sample of samples.filter(({kind}) => kind === 'logical'))
    if (sample.link !== undefined) rememberOne(memory, place, {...sample, to: streamMember(sample.link)}, at);
}

/** Under which name the lag of a stream of rows is remembered: a member may have several. */
export const streamMember = (link: string): string => `stream:${link}`;

function rememberOne(memory: Memory, {fleet, store}: Omit<LagPlace, 'member'>, sample: LinkSample, at: number): void {
  const {to, flushBytes, replayBytes, replayOffset} = sample;
  if (flushBytes === null || replayBytes === null || replayOffset === null || replayOffset === undefined) return;
  const key = lagKey({fleet, store, member: to});
  const before = parseKept(memory.recall(key));
  const {outstandingTransactions: transactions = null, endTransaction = null} = sample;
  const end = Number(replayOffset) + replayBytes;
  const xid = endTransaction === null ? null : Number(endTransaction);
  const {last: _, ...rate} = withLogEnd(before === null ? null : before.rate, {end, xid, at});
  const heldAllAt = flushBytes === 0 ? at : (before?.heldAllAt ?? null);
  const seconds = secondsBehind(sample, heldAllAt, at);
  memory.remember(key, {...{bytes: flushBytes, end, xid, at, heldAllAt, seconds, transactions}, ...rate});
}

/** At most so long: since the last transaction that was replayed, and since the last look at which it held everything. */
function secondsBehind({flushBytes, lastReplayAgeSeconds}: LinkSample, heldAllAt: number | null, at: number): number | null {
  if (flushBytes === 0) return 0;
  const bounds = [lastReplayAgeSeconds, heldAllAt === null ? null : Math.max(0, at - heldAllAt) / 1000].filter((each) => each !== null);
  return bounds.length === 0 ? null : Math.min(...bounds);
}

/** What was remembered of the lag of one member, as an estimate can use it now (epoch ms). By a clock that was set back since it is of a negative age. */
export function recallLag(memory: Pick<Memory, 'recall'>, {now, ...place}: LagPlace & {readonly now: number}): LagHistory | undefined {
  const kept = parseKept(memory.recall(lagKey(place)));
  if (kept === null) return undefined;
  const {bytes, seconds, transactions, rate} = kept;
  const {bytesPerSecond, transactionsPerSecond} = rate;
  return {bytes, bytesPerSecond, seconds, transactions, transactionsPerSecond, ageMs: now - rate.last.at};
}

type Kept = Pick<LagHistory, 'bytes' | 'seconds' | 'transactions'> & {
  readonly rate: KeptRate;
  /** When it was last seen to hold everything. */
  readonly heldAllAt: number | null;
};

type Fields = Readonly<Record<string, Json>>;

const fieldsOf = (value: Json | undefined): Fields | null =>
  typeof value !== 'object' || value === null || Array.isArray(value) ? null : (value as Fields);

function parseKept(value: Json | undefined): Kept | null {
  const fields = fieldsOf(value);
  if (fields === null) return null;
  const {bytes, bytesPerSecond = null} = fields;
  const last = parseEnd(fields);
  if (typeof bytes !== 'number' || last === null) return null;
  if (bytesPerSecond !== null && typeof bytesPerSecond !== 'number') return null;
  const {transactions, seconds, heldAllAt, looks} = fields;
  const rate = {...parseRate(fields), last, since: parseEnd(fields.since) ?? last, looks: orNull(looks) ?? 0};
  const highest = parseRate(fieldsOf(fields.highest) ?? {});
  return {bytes, seconds: orNull(seconds), transactions: orNull(transactions), heldAllAt: orNull(heldAllAt), rate: {...rate, highest}};
}

function parseEnd(value: Json | undefined): LogEnd | null {
  const {end, at, xid} = fieldsOf(value) ?? {};
  return typeof end === 'number' && typeof at === 'number' ? {end, at, xid: orNull(xid)} : null;
}

/** An earlier version kept 0 where nothing had been written: that is no rate. */
function parseRate({bytesPerSecond, transactionsPerSecond}: Fields): WriteRate {
  return {bytesPerSecond: orNull(bytesPerSecond) || null, transactionsPerSecond: orNull(transactionsPerSecond) || null};
}

/** An earlier version kept bytes and their rate only. */
const orNull = (value: Json | undefined): number | null => (typeof value === 'number' ? value : null);

function lagKey({fleet, store, member}: LagPlace): string {
  return `lag/${fleet}/${store}/${member}`;
}

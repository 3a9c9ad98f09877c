import {type Verdict, worstVerdict} from '../health/verdict.ts';
import {formatBytes, formatMs} from '../output/units.ts';
import type {SlotReading} from '../ports/store.ts';
import type {Cell} from '../snapshot/cell.ts';

/**
 * `copy` = it waits for a promotion, while its original is on the primary; `at-risk` = what it needs may soon be removed; `orphan` = inactive and kept
 * for nobody who is known; `unknown` = its member could not be read.
 */
export type SlotState = 'ok' | 'copy' | 'inactive' | 'at-risk' | 'lost' | 'orphan' | 'unknown';

/**
 * One row of `replication slots`: a slot, or a member whose slots could not be read (`slot` null, state `unknown`). Sizes in bytes, times in seconds;
 * what is not known is null, and `reason` says why.
 */
export type SlotRow = {
  readonly store: string;
  readonly member: string;
  readonly slot: string | null;
  readonly kind: SlotReading['kind'] | null;
  readonly keptFor: string | null;
  /** The member whose slot of this name it is a copy of; null = it is none. */
  readonly copyOf: string | null;
  readonly active: boolean | null;
  readonly retainedBytes: number | null;
  readonly safeBytes: number | null;
  readonly status: string | null;
  /** How fast the member's log grows, by two looks; null = it was looked at once. */
  readonly bytesPerSecond: number | null;
  /** Until what it needs may be removed, at that rate; null = no limit, nothing is written, or not known. */
  readonly runwaySeconds: number | null;
  readonly inactiveSeconds: number | null;
  readonly state: SlotState;
  readonly verdict: Verdict;
  readonly code: string;
  readonly reason: string;
  readonly ageMs: number;
};

/** The document of `replication slots`. `reason` = that of its worst slot; `only` = the one store that was asked for, null = all; `stores` = those of them that keep log in slots at all. */
export type SlotsDocument = {
  readonly at: string;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly only: string | null;
  readonly stores: readonly string[];
  readonly slots: readonly SlotRow[];
};

/** The slots of a store's members, as its ability answers. */
export type SlotCells = Readonly<Record<string, Cell<readonly SlotReading[]>>>;

/** One store at `at` (epoch ms), looked at once, or twice for a rate. `second` null = once. */
export type StoreForSlots = {
  readonly store: string;
  readonly members: readonly string[];
  readonly at: number;
  readonly first: SlotCells;
  readonly second: SlotCells | null;
};

/** Below these a runway is a risk, and an emergency. */
const RISK_SECONDS = 3600;
const URGENT_SECONDS = 600;

/** Judges every slot. `at` is ISO 8601. Nothing to show is healthy, not unknown. */
export function judgeSlots(at: string, stores: readonly StoreForSlots[], only: string | null = null): SlotsDocument {
  const slots = stores.flatMap(judgeStore);
  const verdict = worstVerdict(['healthy', ...slots.map((row) => row.verdict)]);
  const worst = slots.find((row) => row.verdict === verdict);
  const reason = worst === undefined || verdict === 'healthy' ? 'No slot is at risk.' : `${worst.store} ${worst.member}: ${worst.reason}`;
  return {at, verdict, reason, only, stores: stores.map(({store}) => store), slots};
}

/** Whether a second look would tell more: only what has a limit, or retains log for nobody, needs a rate. */
export function needsRate(cells: SlotCells): boolean {
  return Object.values(cells).some((cell) => cell.known && cell.value.some((slot) => !isMoved(slot) || slot.safeBytes !== null));
}

/** Whether its limit goes on with it: a receiver moves it, or what makes it a copy does. */
const isMoved = ({active, copyOf}: SlotReading): boolean => active || copyOf !== undefined;

function judgeStore(store: StoreForSlots): readonly SlotRow[] {
  return store.members.flatMap((member) => {
    const first = store.first[member];
    const second = store.second?.[member];
    const latest = second?.known === true ? second : first;
    if (latest?.known !== true) return [unreadRow(store, member, latest)];
    const rate = rateOf(first, second);
    return latest.value.map((slot) =>
      slotRow({store: store.store, member, slot, rate, ageMs: Math.max(0, Math.round(store.at - slot.at))}),
    );
  });
}

function unreadRow({store, at}: StoreForSlots, member: string, cell: Cell<unknown> | undefined): SlotRow {
  const why = cell === undefined || cell.known ? `the store's provider said nothing of ${member}` : cell.reason;
  return {
    store,
    member,
    slot: null,
    kind: null,
    keptFor: null,
    copyOf: null,
    active: null,
    retainedBytes: null,
    safeBytes: null,
    status: null,
    bytesPerSecond: null,
    runwaySeconds: null,
    inactiveSeconds: null,
    state: 'unknown',
    verdict: 'unknown',
    code: cell === undefined || cell.known ? 'not-reported' : cell.code,
    reason: `The slots of ${member} could not be read: ${why.trim().replace(/[.\s]+$/u, '')}.`,
    ageMs: cell === undefined ? 0 : Math.max(0, Math.round(at - cell.at)),
  };
}

/** Bytes per second that a member's log grew between two looks; null = there was one look, or it did not go on from where it was. */
function rateOf(first: Cell<readonly SlotReading[]> | undefined, second: Cell<readonly SlotReading[]> | undefined): number | null {
  if (first?.known !== true || second?.known !== true) return null;
  const [before, after] = [first.value[0], second.value[0]];
  if (before === undefined || after === undefined || after.at <= before.at) return null;
  const grown = BigInt(after.end) - BigInt(before.end);
  return grown < 0n ? null : Math.round((Number(grown) * 1000) / (after.at - before.at));
}

type Judging = {
  readonly store: string;
  readonly member: string;
  readonly slot: SlotReading;
  readonly rate: number | null;
  readonly ageMs: number;
};
type Judged = Pick<SlotRow, 'state' | 'verdict' | 'code' | 'reason'>;

function slotRow({store, member, slot, rate, ageMs}: Judging): SlotRow {
  const safeBytes = slot.safeBytes === null ? null : Math.max(0, Math.round(slot.safeBytes));
  const lost = slot.status === 'lost' || slot.invalidated !== null;
  const runway = lost ? null : runwayOf(safeBytes, rate);
  const tidy = {...slot, safeBytes, retainedBytes: slot.retainedBytes === null ? null : Math.max(0, Math.round(slot.retainedBytes))};
  const judged = lost ? judgeLost(slot) : (judgeRunway(tidy, runway) ?? judgeUse(tidy, rate));
  return {
    store,
    member,
    slot: slot.name,
    kind: slot.kind,
    keptFor: slot.keptFor,
    copyOf: slot.copyOf ?? null,
    active: slot.active,
    retainedBytes: tidy.retainedBytes,
    safeBytes,
    status: slot.status,
    bytesPerSecond: rate,
    runwaySeconds: runway,
    inactiveSeconds: slot.inactiveSeconds === null ? null : Math.max(0, Math.round(slot.inactiveSeconds)),
    ...judged,
    reason: `${judged.reason}. ${runwayNote({lost, safeBytes, rate, runway, active: isMoved(slot)})}`,
    ageMs,
  };
}

function runwayOf(safeBytes: number | null, rate: number | null): number | null {
  if (safeBytes === null) return null;
  if (safeBytes === 0) return 0;
  return rate === null || rate === 0 ? null : Math.round(safeBytes / rate);
}

type Runway = {
  readonly active: boolean;
  readonly lost: boolean;
  readonly safeBytes: number | null;
  readonly rate: number | null;
  readonly runway: number | null;
};

/** Why the runway is what it is: above all why there is none. */
function runwayNote({lost, safeBytes, rate, runway, active}: Runway): string {
  if (lost) return 'No runway: what it needs is gone.';
  if (safeBytes === null) return 'No runway: no limit is set to what it may retain.';
  if (runway === 0) return 'No runway is left: it has reached its limit.';
  if (runway !== null && rate !== null)
    return `At the present ${formatBytes(rate)}/s it ${active ? 'would have' : 'has'} ${formatMs(runway * 1000)} left (${formatBytes(safeBytes)})${active ? ' if its receiver stopped now' : ''}.`;
  if (rate === 0) return `Nothing is written now; it reaches its limit after ${formatBytes(safeBytes)} more.`;
  return `The runway is not known, because a second look could not be had; ${formatBytes(safeBytes)} are left.`;
}

const whom = ({keptFor}: SlotReading): string => (keptFor === null ? 'nobody who is known' : keptFor);
const retains = ({retainedBytes}: SlotReading): string => (retainedBytes === null ? 'no log yet' : formatBytes(retainedBytes));

function judgeLost({keptFor, invalidated, copyOf}: SlotReading): Judged {
  const why = invalidated === null ? '' : ` (${invalidated})`;
  if (copyOf !== undefined) {
    const reason = `It is a copy of the slot on ${copyOf}, and what that needs has been removed here${why}: until it is made anew, its receiver could not go on after a promotion`;
    return {state: 'lost', verdict: 'degraded', code: 'copy-lost', reason};
  }
  const whose = keptFor === null ? 'a receiver that is not known' : keptFor;
  const what = keptFor === null ? 'nothing can be had from the slot any more, so drop it' : 'it has to be built anew, and the slot dropped';
  return {state: 'lost', verdict: 'unhealthy', code: 'lost', reason: `What ${whose} still needed has been removed${why}: ${what}`};
}

/** null = there is no risk that it is lost. */
function judgeRunway(slot: SlotReading, runway: number | null): Judged | null {
  // A receiver that keeps up moves its own limit on: one in use is at risk once more than half of its room is taken.
  const standsStill = !isMoved(slot) || (slot.retainedBytes ?? 0) > (slot.safeBytes ?? 0);
  const short = runway !== null && runway < RISK_SECONDS && standsStill;
  if (!short && slot.status !== 'unreserved') return null;
  const urgent = runway !== null && runway < URGENT_SECONDS;
  const use = slot.copyOf === undefined ? (slot.active ? 'active' : 'inactive') : `a copy of the slot on ${slot.copyOf}`;
  return {
    state: 'at-risk',
    verdict: urgent ? 'unhealthy' : 'degraded',
    code: slot.status === 'unreserved' ? 'unreserved' : 'short-runway',
    reason: `It is ${use}, retains ${retains(slot)} for ${whom(slot)}, and ${slot.status === 'unreserved' ? 'that may be removed at any time' : 'that will soon be removed'}`,
  };
}

function judgeUse(slot: SlotReading, rate: number | null): Judged {
  if (slot.copyOf !== undefined) {
    const reason = `It is a copy of the slot on ${slot.copyOf}, and goes when that is dropped; it retains ${retains(slot)}`;
    return {state: 'copy', verdict: 'healthy', code: 'copy', reason};
  }
  if (slot.active)
    return {
      state: 'ok',
      verdict: 'healthy',
      code: 'ok',
      reason: `${slot.keptFor ?? 'A receiver that is not known'} uses it; it retains ${retains(slot)}`,
    };
  const since = slot.inactiveSeconds === null ? '' : ` for ${formatMs(slot.inactiveSeconds * 1000)}`;
  const forWhom = slot.keptFor === null ? '; it is kept for nobody who is known' : `, for ${slot.keptFor}`;
  const state = slot.keptFor === null ? 'orphan' : 'inactive';
  if (slot.retainedBytes === null)
    return {state, verdict: 'healthy', code: state, reason: `Nobody uses it${since}${forWhom}; it retains no log yet`};
  const unlimited = slot.safeBytes === null;
  const grows = rate === null || rate === 0 ? '' : `, now by ${formatBytes(rate)}/s`;
  return {
    state,
    verdict: 'degraded',
    code: unlimited ? `${state}-unlimited` : state,
    reason: `Nobody uses it${since}, and it retains ${retains(slot)}${forWhom}${unlimited ? `: it grows until the disk is full${grows}` : ''}`,
  };
}

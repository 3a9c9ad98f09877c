import type {Fault} from '../ports/fault.ts';

/** How long the injector of a fleet says that it may take; `{}` = it does not say. */
export type FaultLimits = Pick<Fault, 'injectMs' | 'healMs' | 'lateMs'>;

/* Beside the injector, the place is asked from outside; before an injection a reaper is armed, too. */
const OUTSIDE_MS = 15_000;
const AROUND_MS = 45_000;
/** A longer timer would end at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** The deadline of one heal and the look whether it is the end, in ms: what the injector says, and `leastMs` at least. Pure. */
export function healWithin({healMs = 0}: FaultLimits, leastMs: number): number {
  return longest(leastMs, healMs === 0 ? 0 : healMs + OUTSIDE_MS);
}

/** The same for a heal that may have to wait until an injection that was cut short cannot come any more. Pure. */
export function settleWithin(limits: FaultLimits, leastMs: number): number {
  return longest(leastMs, healWithin(limits, 0) + (limits.lateMs ?? 0));
}

/** The deadline of an injection, in ms; its undo, a heal, has the same. Pure. */
export function injectWithin(limits: FaultLimits, leastMs: number): number {
  const {injectMs = 0} = limits;
  return longest(settleWithin(limits, leastMs), injectMs === 0 ? 0 : injectMs + AROUND_MS);
}

function longest(...ms: readonly number[]): number {
  return Math.min(LONGEST_MS, Math.max(...ms));
}

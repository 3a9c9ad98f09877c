import {messageOf} from '../errors.ts';
import type {Ctx} from '../plan/action.ts';
import type {Clock} from '../ports/clock.ts';
import type {Fault} from '../ports/fault.ts';
import type {Cell} from '../snapshot/cell.ts';
import type {Outside} from './fault-ledger.ts';

/**
 * A place seen from outside. `refused` = those of the silent ones whose connection was refused at once; `stopped` = databases that their hosts say are
 * stopped, which a fence does on purpose; `untold` = of these it is not known.
 */
export type Seen = Omit<Outside, 'untold'> & {
  readonly refused: readonly string[];
  readonly stopped: readonly string[];
  readonly untold: readonly string[];
};

/** Looks at the endpoints of a region, or at the URL of a route. Never throws for what the place does. */
export type LookOutside = (region: string, signal: AbortSignal) => Promise<Cell<Seen>>;

/** Whether a fault has ended: null = it cannot be told. `active` = what its injector says is active there, null = not known. One sentence says what was seen. */
export type Ended = {readonly proven: boolean | null; readonly active: readonly string[] | null; readonly says: string};

/** The place of a fault, and what answered there before it; `kind` null = every kind. */
export type FaultPlace = {readonly region: string; readonly kind: string | null; readonly before: Outside | null};

export type Looking = {readonly port: Fault; readonly outside: LookOutside};

/** Looks whether a fault has ended: by its injector, and from outside. */
export async function lookAtEnd({port, outside}: Looking, {region, kind, before}: FaultPlace, signal: AbortSignal): Promise<Ended> {
  const active = await port.active(region, signal);
  if (!active.known) return {proven: null, active: null, says: `it is not known whether a fault is active on ${region}: ${active.reason}`};
  const left = active.value.filter((each) => kind === null || each === kind);
  if (left.length > 0) return {proven: false, active: active.value, says: `${left.join(', ')} is still active on ${region}`};
  if (active.value.length > 0) {
    const says = `${kind} is not active on ${region} any more; ${active.value.join(', ')} is, so its endpoints were not asked`;
    return {proven: true, active: active.value, says};
  }
  const {proven, says} = judgeOutside(before, await outside(region, signal));
  return {proven, active: [], says: `no fault is active on ${region}, and ${says}`};
}

/**
 * What a look before a fault says of that time; null = nothing, also when nothing answered and not everything could be asked: then it may have been our own
 * way there. Pure.
 */
export function seenBefore(seen: Cell<Seen>): Outside | null {
  if (!seen.known) return null;
  const {answering, silent, untold} = seen.value;
  if (untold.length > 0 && answering.length === 0) return null;
  return {answering, silent, ...(untold.length === 0 ? {} : {untold})};
}

/**
 * Whether a place answers as it did before the fault. What could not be asked then must not be silent now. Not known what answered: something must answer, and
 * nothing may be silent but what refuses. Pure.
 */
export function judgeOutside(before: Outside | null, now: Cell<Seen>): Pick<Ended, 'proven' | 'says'> {
  if (!now.known) return {proven: null, says: `it is not known what answers: ${now.reason}`};
  const {answering, silent, refused, stopped, untold} = now.value;
  const awaited = before?.answering ?? null;
  const mustSpeak = [...(before?.answering ?? []), ...(before?.untold ?? [])];
  const mute = silent.filter((name) => (before === null ? !refused.includes(name) : mustSpeak.includes(name)));
  if (mute.length > 0) return {proven: false, says: `${listed(mute)} not answer`};
  // An endpoint that is not in the fleet file any more cannot be asked.
  const unsure = awaited === null ? untold : untold.filter((name) => awaited.includes(name));
  if (unsure.length > 0) return {proven: null, says: `it is not known whether ${unsure.join(', ')} answers`};
  if (awaited === null && answering.length === 0 && silent.length > 0) return {proven: false, says: 'nothing answers there'};
  const resting = stopped.length === 0 ? '' : `; ${stopped.join(', ')} was stopped through its host`;
  return {proven: true, says: `${wellSaid(answering, awaited)}${resting}`};
}

function wellSaid(answering: readonly string[], awaited: readonly string[] | null): string {
  if (answering.length > 0) return `${answering.join(', ')} ${answering.length === 1 ? 'answers' : 'answer'}`;
  return awaited === null ? 'nothing there can be asked' : 'nothing that answered before is silent';
}

function listed(names: readonly string[]): string {
  return `${names.join(', ')} ${names.length === 1 ? 'does' : 'do'}`;
}

/* How often is looked, and how long a heal that worked is given before it is done once more. */
const LOOK_MS = 250;
const AGAIN_MS = 2000;

/** Heals until the end is proven or the deadline of `ctx` is near. Answers what was seen last; throws only the reason of the signal. */
export async function healUntilProven(looking: Looking & {readonly clock: Clock}, ctx: Ctx, place: FaultPlace): Promise<Ended> {
  const {clock, port} = looking;
  let healAt = clock.now();
  for (;;) {
    const trouble = clock.now() >= healAt ? await healOnce(port, ctx, place) : null;
    const ended = trouble === null ? await lookAtEnd(looking, place, ctx.signal) : {proven: null, active: null, says: trouble};
    ctx.signal.throwIfAborted();
    if (ended.proven === true || clock.now() + LOOK_MS >= ctx.deadline) return ended;
    // What the injector still shows is healed again at once; what only does not answer yet may need a moment.
    if (ended.active?.length !== 0) healAt = clock.now();
    else if (clock.now() >= healAt) healAt = clock.now() + AGAIN_MS;
    await clock.sleep(LOOK_MS, ctx.signal);
  }
}

/** Null = the injector healed it. */
export async function healOnce(port: Fault, ctx: Ctx, {region, kind}: Pick<FaultPlace, 'region' | 'kind'>): Promise<string | null> {
  try {
    await port.heal(ctx, region, ...(kind === null ? [] : [kind]));
    return null;
  } catch (error) {
    ctx.signal.throwIfAborted();
    return messageOf(error);
  }
}

import {formatMs, formatTime} from '../output/units.ts';
import {isRecord, type Json, textOrNull} from '../plan/json.ts';
import type {Plan, Step} from '../plan/plan.ts';
import type {JournalEvent} from '../ports/state.ts';
import {neverInjected} from './not-injected.ts';
import type {FaultRow} from './report.ts';

/** When a fault ended, and how that is known. */
export type FaultEnding = Required<Pick<FaultRow, 'healedAt' | 'endBasis' | 'endFrom' | 'endTo' | 'endedBy' | 'endSays'>>;

/** The faults of a drill. A fault counts from its intent on, since a process that died may have injected it without a word, unless it is known that it never was. */
export function faultRows(plan: Plan, events: readonly JournalEvent[]): FaultRow[] {
  return plan.steps.flatMap((step) => {
    const {region, fault = 'fault'} = step.do.target;
    const intent = events.find((event) => event.step === step.id && event.type === 'intent');
    if (step.do.action !== 'fault.inject' || region === undefined || intent === undefined) return [];
    if (neverInjected(events, step.id)) return [];
    const injected = resultOf(events.findLast((event) => event.step === step.id && event.type === 'result'));
    const since = events.findLast((event) => event.step === step.id && event.type === 'intent')?.seq ?? 0;
    const later = events.filter(({seq}) => seq >= since);
    const healed = healOf(plan, later, step, region);
    const injectedAt = textOrNull(injected.injectedAt) ?? new Date(intent.at).toISOString();
    const noted = notedEnd(later, {fault, region, since: lastBegun(later, step) ?? injectedAt});
    const active = lastActive(plan, later, step);
    return [
      {
        ...{fault, region, injectedAt, leaseMs: step.leaseMs},
        ...faultEnding({fault, injectedAt, leaseMs: step.leaseMs, healed, noted, activeAt: active}),
        provenHealed: healed.provenHealed === true || noted !== null,
        says: textOrNull(injected.says),
        proof: textOrNull(healed.proof) ?? textOrNull(healed.says) ?? noted?.says ?? null,
      },
    ];
  });
}

/** The first proven heal of the region: by a step of its own, or by undoing the injection. */
function healOf(plan: Plan, later: readonly JournalEvent[], inject: Step, region: string): Record<string, Json> {
  const heals = stepsOf(plan, 'fault.heal').filter((step) => step.do.target.region === region);
  const ids = new Set(heals.map(({id}) => id));
  const healed = later.filter(
    (event) => (event.type === 'result' && ids.has(event.step ?? '')) || (event.type === 'undo-result' && event.step === inject.id),
  );
  // Later ones only look again at what has ended.
  return resultOf(healed.find((event) => resultOf(event).provenHealed === true) ?? healed.at(-1));
}

type Noted = {readonly at: string; readonly by: 'lease' | 'heal'; readonly says: string};

/** When the last injection was there, or was begun if it never said; ISO 8601. `later` begins with its intent. */
function lastBegun(later: readonly JournalEvent[], {id}: Step): string | null {
  const ours = later.filter(({step}) => step === id);
  const intent = ours.find(({type}) => type === 'intent');
  const said = textOrNull(resultOf(ours.find(({type}) => type === 'result')).injectedAt);
  return said ?? (intent === undefined ? null : new Date(intent.at).toISOString());
}

/**
 * What another process wrote into the journal when it had ended the fault: its reaper, `drill clean`. The note of an earlier injection's end may be written
 * only when the next was begun: it proves nothing of that.
 */
function notedEnd(later: readonly JournalEvent[], {fault, region, since}: {fault: string; region: string; since: string}): Noted | null {
  for (const {type, data} of later.toReversed()) {
    const ended = type === 'note' && isRecord(data) && isRecord(data.ended) ? data.ended : null;
    const at = textOrNull(ended?.at);
    if (ended?.fault !== fault || ended.region !== region || at === null || !(Date.parse(at) >= Date.parse(since))) continue;
    return {at, by: ended.by === 'lease' ? 'lease' : 'heal', says: isRecord(data) ? (textOrNull(data.says) ?? '') : ''};
  }
  return null;
}

/** When it was surely there for the last time, epoch ms: when its injection had ended, or when it was seen to have outlasted the reaction. */
function lastActive(plan: Plan, later: readonly JournalEvent[], inject: Step): number | null {
  const stills = new Set(stepsOf(plan, 'fault.still').map(({id}) => id));
  const held = later.flatMap((event, index) => {
    if (event.type !== 'result') return [];
    if (event.step === inject.id) return [event.at];
    if (!stills.has(event.step ?? '') || resultOf(event).held !== true) return [];
    // It was asked some time between these two lines.
    return [later.slice(0, index).findLast(({step, type}) => step === event.step && type === 'step-started')?.at ?? event.at];
  });
  return held.at(-1) ?? null;
}

/** What is known of the end of one fault. `activeAt` is epoch ms; `healed` what the heal says, empty = none was. */
export type EndSeen = {
  readonly fault: string;
  readonly injectedAt: string;
  readonly leaseMs: number | null;
  readonly healed: Readonly<Record<string, Json>>;
  readonly noted: Noted | null;
  readonly activeAt: number | null;
};

/**
 * When a fault ended. One that was there when it was healed ended then. One that was not had ended before: by the record of whoever ended it, else somewhere
 * between the last time it was seen and the first time it was not, most likely with its lease. Pure.
 */
export function faultEnding({fault, injectedAt, leaseMs, healed, noted, activeAt}: EndSeen): FaultEnding {
  const seenAt = textOrNull(healed.healedAt);
  const lookedAt = textOrNull(healed.lookedAt);
  const found = Array.isArray(healed.found) ? healed.found : null;
  if (found?.includes(fault)) return seen(seenAt);
  const ends = [...(noted === null ? [] : [noted]), ...recordsOf(healed, fault)];
  const record = ends.find(({at}) => isWithin(at, injectedAt, seenAt));
  if (record !== undefined) return recorded(record, leaseMs, seenAt);
  if (found === null || lookedAt === null) return seen(seenAt);
  const [began, to] = [Date.parse(injectedAt), Date.parse(lookedAt)];
  return estimated({from: Math.min(activeAt ?? began, to), to, leaseEnd: leaseMs === null ? null : began + leaseMs});
}

/** An injector may write an end down only when everything runs again, a moment after the place answers. */
const LATE_MS = 5000;
const NO_BOUNDS = {endFrom: null, endTo: null} as const;

/** Whether it is the end of this injection, not of an earlier one, nor by a clock that says something else. */
function isWithin(at: string, injectedAt: string, seenAt: string | null): boolean {
  const time = Date.parse(at);
  return time >= Date.parse(injectedAt) && (seenAt === null || time <= Date.parse(seenAt) + LATE_MS);
}

function seen(healedAt: string | null): FaultEnding {
  const known = healedAt === null ? ({endBasis: null, endedBy: null} as const) : ({endBasis: 'seen', endedBy: 'heal'} as const);
  return {...NO_BOUNDS, ...known, healedAt, endSays: null};
}

function recordsOf(healed: Readonly<Record<string, Json>>, fault: string): readonly Omit<Noted, 'says'>[] {
  const ends = Array.isArray(healed.ended) ? healed.ended.filter(isRecord) : [];
  return ends.flatMap(({kind, at, by}) => {
    const time = textOrNull(at);
    return kind !== fault || time === null ? [] : [{at: time, by: by === 'lease' ? ('lease' as const) : ('heal' as const)}];
  });
}

function recorded({at, by}: Omit<Noted, 'says'>, leaseMs: number | null, seenAt: string | null): FaultEnding {
  const healedAt = seenAt !== null && seenAt < at ? seenAt : at;
  const lease = leaseMs === null ? 'its lease' : `its lease of ${formatMs(leaseMs)}`;
  const how = by === 'lease' ? `it ended with ${lease}` : 'it was healed before that';
  const endSays = `${how} at ${formatTime(healedAt)}, as whoever ended it wrote down`;
  return {...NO_BOUNDS, healedAt, endBasis: 'recorded', endedBy: by, endSays};
}

function estimated({from, to, leaseEnd}: {from: number; to: number; leaseEnd: number | null}): FaultEnding {
  const byLease = leaseEnd !== null && leaseEnd <= to;
  const at = byLease ? Math.max(leaseEnd, from) : to;
  const bounds = {endFrom: new Date(from).toISOString(), endTo: new Date(to).toISOString()};
  const between = `it had ended by itself between ${formatTime(bounds.endFrom)} and ${formatTime(bounds.endTo)}`;
  return {
    ...bounds,
    healedAt: new Date(at).toISOString(),
    endBasis: 'estimated',
    endedBy: byLease ? 'lease' : null,
    endSays: byLease ? `${between}, most likely with its lease` : between,
  };
}

function stepsOf({steps, always}: Plan, action: string): readonly Step[] {
  return [...steps, ...always].filter((step) => step.do.action === action);
}

function resultOf(event: JournalEvent | undefined): Record<string, Json> {
  const data = event?.data;
  return isRecord(data) && isRecord(data.result) ? data.result : {};
}

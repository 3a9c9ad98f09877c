import type {HealthSpec} from '../fleet/fleet.ts';
import type {Json} from '../plan/json.ts';
import type {Memory} from '../ports/state.ts';
import {nextFlapping} from './flapping.ts';
import type {FleetJudgement, RegionJudgement} from './judge.ts';
import {nextState, type RegionState, RISE_FALL, type RiseFall, TRANSITIONS, type TransitionAction} from './region-states.ts';
import {type Remembered, readRemembered} from './remembered.ts';
import {type Verdict, worstVerdict} from './verdict.ts';

/** How states follow from observations; default: as a fleet file that says nothing. */
export type StateLimits = Pick<HealthSpec, 'riseFall' | 'flapping'>;

/** A region as it is shown: the judgement of this sweep, led by the state machine. `since` and `flappingSince` are epoch ms; null = it does not flap. */
export type RegionNow = RegionJudgement & {readonly since: number; readonly flappingSince: number | null};

/** A fleet as it is shown. */
export type FleetNow = Omit<FleetJudgement, 'regions'> & {readonly regions: readonly RegionNow[]};

/** A line of a region's history: what was shown before and from then on, and why. `from` null = nothing was known before. */
export type Change = {
  readonly region: string;
  readonly from: Verdict | null;
  readonly to: Verdict;
  readonly code: string;
  readonly reason: string;
  readonly action: TransitionAction;
};

/** The limits of a fleet file that says nothing. */
export const STATE_LIMITS: StateLimits = {riseFall: RISE_FALL, flapping: {changes: 6, withinMs: 900_000}};

/** The topic of a fleet's history. */
export const historyTopic = (fleet: string): string => `health/${fleet}`;

/** What was judged without a past: every state begins now. */
export function withoutMemory(judgement: FleetJudgement, at: number): FleetNow {
  return {...judgement, regions: judgement.regions.map((region) => ({...region, since: at, flappingSince: null}))};
}

type Past = {readonly fleet: string; readonly at: number; readonly memory: Memory; readonly limits?: StateLimits};

/**
 * Leads each region's judgement through its state machine, from what the last command remembered to what the next will recall, and notes each change
 * in the history. A value that cannot be read is as good as none. Throws only what `memory` throws.
 */
export function withMemory(judgement: FleetJudgement, {fleet, at, memory, limits = STATE_LIMITS}: Past): FleetNow {
  const follows = () => judgement.regions.map((region) => follow(region, {fleet, at, memory, limits}));
  const regions = unchanged(judgement, {fleet, at, memory, limits}) ?? memory.together(follows);
  const verdict = worstVerdict(regions.map((region) => region.verdict));
  if (verdict === judgement.verdict) return {...judgement, regions};
  const first = regions.find((region) => region.verdict === verdict);
  return {verdict, code: first?.code ?? judgement.code, reason: `${first?.region} ${verdict}: ${first?.reason}`, regions};
}

/** What a look would show that changes nothing; null = something changes. Most looks do not, and need nobody's lock. */
function unchanged(judgement: FleetJudgement, past: Required<Past>): readonly RegionNow[] | null {
  let changes = false;
  const change = (): void => {
    changes = true;
  };
  const reading: Memory = {recall: past.memory.recall, remember: change, note: change, together: (work) => work()};
  const regions = judgement.regions.map((region) => follow(region, {...past, memory: reading}));
  return changes ? null : regions;
}

function follow(region: RegionJudgement, {fleet, at, memory, limits}: Required<Past>): RegionNow {
  // A sweep never says recovering: that takes a past.
  const observed = region.verdict === 'recovering' ? 'degraded' : region.verdict;
  const key = `health/${fleet}/${region.region}`;
  const kept = memory.recall(key);
  const previous = readRemembered(kept);
  const state = nextState(previous, {verdict: observed, at}, limits.riseFall);
  if (state === null) return {...region, since: at, flappingSince: null};
  const changed = previous !== null && previous.state !== state.state;
  const flapping = nextFlapping(previous?.flapping ?? {at: [], since: null}, {changed, at}, limits.flapping);
  const next: Remembered = {...state, flapping, lookedAt: changed ? at : lookedAt(previous, at)};
  if (JSON.stringify(kept) !== JSON.stringify(next)) memory.remember(key, {...next, flapping: {...flapping}} as Json);
  const now = {...region, ...says(region, next, limits), flappingSince: flapping.since};
  noteChange(memory, fleet, previous, now);
  return now;
}

/** A look is noted once a minute: that is enough to know since when nobody looks, and writes little. */
function lookedAt(previous: Remembered | null, at: number): number {
  const before = previous?.lookedAt ?? null;
  return before !== null && at - before < NOTED_MS && at >= before ? before : at;
}

const NOTED_MS = 60_000;

/** The machine's word where it differs from the sweep's, with the sweep's reason behind it. */
function says(
  region: RegionJudgement,
  state: Remembered,
  {riseFall, flapping}: StateLimits,
): {verdict: Verdict; code: string; reason: string; since: number} {
  const {verdict, code} = region;
  const {at, since: flaps} = state.flapping;
  const often = `flapping: ${at.length} changes within ${Math.round(flapping.withinMs / 60_000)} min`;
  const reason = flaps === null ? region.reason : `${region.reason} (${often})`;
  if (verdict === 'unknown') return {verdict, code, reason, since: state.unseenSince ?? state.since};
  return {...ledBy(state, {verdict, code, reason}, riseFall), since: state.since};
}

type Said = {readonly verdict: Verdict; readonly code: string; readonly reason: string};

function ledBy(state: RegionState, {verdict, code, reason}: Said, {rise, fall}: RiseFall): Said {
  if (state.state === verdict) return {verdict, code, reason};
  if (state.state === 'recovering') {
    return {verdict: 'recovering', code: 'recovering', reason: `up again, seen ${state.rises} of ${rise} times in a row: ${reason}`};
  }
  return {verdict: state.state, code, reason: `${reason} (${state.falls} of ${fall} failures in a row)`};
}

/** What was shown is compared with what is shown: losing sight of a region changes no state, and is told all the same. */
function noteChange(memory: Memory, fleet: string, previous: Remembered | null, {region, verdict, code, reason}: RegionNow): void {
  const from = previous === null ? null : previous.unseenSince === null ? previous.state : 'unknown';
  if (from === verdict) return;
  const change: Change = {region, from, to: verdict, code, reason, action: actionOf(verdict)};
  memory.note(historyTopic(fleet), {...change});
}

/** As the table has it; losing sight of a region is a warning. */
function actionOf(to: Verdict): TransitionAction {
  return TRANSITIONS.find((row) => row.to === to && row.action !== 'none')?.action ?? 'warn';
}

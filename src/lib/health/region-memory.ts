import type {Json} from '../plan/json.ts';
import type {FleetJudgement, RegionJudgement} from './judge.ts';
import {nextState, type RegionState, RISE_FALL, type RiseFall} from './region-states.ts';
import {type Verdict, worstVerdict} from './verdict.ts';

/** The part of the State port that carries region states from one command to the next. */
export type Memory = {recall(key: string): Json | undefined; remember(key: string, value: Json): void};

/** A region as it is shown: the judgement of this sweep, led by the state machine. `since` is epoch ms. */
export type RegionNow = RegionJudgement & {readonly since: number};

/** A fleet as it is shown. */
export type FleetNow = Omit<FleetJudgement, 'regions'> & {readonly regions: readonly RegionNow[]};

/** What was judged without a past: every state begins now. */
export function withoutMemory(judgement: FleetJudgement, at: number): FleetNow {
  return {...judgement, regions: judgement.regions.map((region) => ({...region, since: at}))};
}

/**
 * Leads each region's judgement through its state machine, from what the last command remembered to what the next will recall. A value that
 * cannot be read is as good as none. Throws only what `memory` throws.
 */
export function withMemory(
  judgement: FleetJudgement,
  {fleet, at, memory, limits = RISE_FALL}: {fleet: string; at: number; memory: Memory; limits?: RiseFall},
): FleetNow {
  const regions = judgement.regions.map((region) => follow(region, {key: `health/${fleet}/${region.region}`, at, memory, limits}));
  const verdict = worstVerdict(regions.map((region) => region.verdict));
  if (verdict === judgement.verdict) return {...judgement, regions};
  const first = regions.find((region) => region.verdict === verdict);
  return {verdict, code: first?.code ?? judgement.code, reason: `${first?.region} ${verdict}: ${first?.reason}`, regions};
}

function follow(
  region: RegionJudgement,
  {key, at, memory, limits}: {key: string; at: number; memory: Memory; limits: RiseFall},
): RegionNow {
  // A sweep never says recovering: that takes a past.
  const observed = region.verdict === 'recovering' ? 'degraded' : region.verdict;
  const previous = parsed(memory.recall(key));
  const state = nextState(previous, {verdict: observed, at}, limits);
  if (state === null) return {...region, since: at};
  memory.remember(key, {...state});
  if (observed === 'unknown') return {...region, since: state.unseenSince ?? at};
  return {...region, ...says(region, state, limits), since: state.since};
}

/** The machine's word where it differs from the sweep's, with the sweep's reason behind it. */
function says(region: RegionJudgement, state: RegionState, {rise, fall}: RiseFall): {verdict: Verdict; code: string; reason: string} {
  const {verdict, code, reason} = region;
  if (state.state === verdict) return {verdict, code, reason};
  if (state.state === 'recovering') {
    return {verdict: 'recovering', code: 'recovering', reason: `up again, seen ${state.rises} of ${rise} times in a row: ${reason}`};
  }
  return {verdict: state.state, code, reason: `${reason} (${state.falls} of ${fall} failures in a row)`};
}

function parsed(value: Json | undefined): RegionState | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const {state, since, rises, falls, unseenSince} = value as Readonly<Record<string, Json>>;
  if (state !== 'healthy' && state !== 'degraded' && state !== 'unhealthy' && state !== 'recovering') return null;
  if (typeof since !== 'number' || typeof rises !== 'number' || typeof falls !== 'number') return null;
  return {state, since, rises, falls, unseenSince: typeof unseenSince === 'number' ? unseenSince : null};
}

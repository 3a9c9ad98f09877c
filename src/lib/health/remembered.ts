import {isRecord, type Json} from '../plan/json.ts';
import {type Flapping, STEADY} from './flapping.ts';
import type {RegionState} from './region-states.ts';

/** What is remembered of a region from one command to the next. */
export type Remembered = RegionState & {
  readonly flapping: Flapping;
  /** When it was last looked at (epoch ms), to a minute; null = an earlier version did not note it. */
  readonly lookedAt: number | null;
};

/** Reads what was remembered, also by an earlier version; null for what cannot be read. */
export function readRemembered(value: Json | undefined): Remembered | null {
  if (!isRecord(value)) return null;
  const {state, since, rises, falls, unseenSince, flapping, lookedAt} = value;
  if (state !== 'healthy' && state !== 'degraded' && state !== 'unhealthy' && state !== 'recovering') return null;
  if (typeof since !== 'number' || typeof rises !== 'number' || typeof falls !== 'number') return null;
  return {
    ...{state, since, rises, falls},
    unseenSince: typeof unseenSince === 'number' ? unseenSince : null,
    flapping: readFlapping(flapping),
    lookedAt: typeof lookedAt === 'number' ? lookedAt : null,
  };
}

function readFlapping(value: Json | undefined): Flapping {
  if (!isRecord(value) || !Array.isArray(value.at)) return STEADY;
  const at = value.at.filter((each): each is number => typeof each === 'number');
  return {at, since: typeof value.since === 'number' ? value.since : null};
}

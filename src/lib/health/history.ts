import type {Fleet} from '../fleet/fleet.ts';
import {regionOf} from '../fleet/lookup.ts';
import type {Json} from '../plan/json.ts';
import type {State} from '../ports/state.ts';
import {type Change, historyTopic} from './region-memory.ts';
import {readRemembered} from './remembered.ts';
import type {Verdict} from './verdict.ts';

/** A change of a region, with how long what it changed to has lasted (until the region's next change, or the last look), in ms. */
export type HistoryEntry = Change & {readonly at: string; readonly lastedMs: number};

/** How a region stands by the last check; `verdict` null = it was never checked. `changes` counts its entries that are shown. */
export type HistoryRegion = {
  readonly region: string;
  readonly verdict: Verdict | null;
  readonly since: string | null;
  readonly flappingSince: string | null;
  /** When it was last looked at, to a minute; null = that is not known. */
  readonly lookedAt: string | null;
  readonly changes: number;
};

/** What `health history --json` prints: oldest first. */
export type HistoryDocument = {
  readonly fleet: string;
  readonly at: string;
  readonly since: string;
  readonly regions: readonly HistoryRegion[];
  readonly entries: readonly HistoryEntry[];
};

export type HistoryOptions = {
  readonly region?: string | undefined;
  /** Epoch ms: now, and from when on. */
  readonly at: number;
  readonly since: number;
};

/** Every change of the regions that checks have noted. Throws a usage error for an unknown region, and what the state throws. */
export function healthHistory(fleet: Fleet, state: Pick<State, 'recall' | 'notes'>, options: HistoryOptions): HistoryDocument {
  const {at, since, region} = options;
  const regions = region === undefined ? fleet.regions : [regionOf(fleet, region)];
  const names = new Set(regions.map(({name}) => name));
  const kept = (name: string): Json | undefined => state.recall(`health/${fleet.name}/${name}`);
  const noted = state.notes(historyTopic(fleet.name), ALL, since).flatMap((note) => {
    const change = changeOf(note.data);
    return change === null || !names.has(change.region) ? [] : [{...change, ms: note.at}];
  });
  const entries = noted.map(({ms, ...change}, index) => {
    const next = noted.slice(index + 1).find((later) => later.region === change.region);
    const until = next?.ms ?? readRemembered(kept(change.region))?.lookedAt ?? at;
    return {...change, at: iso(ms), lastedMs: Math.max(0, until - ms)};
  });
  const stands = regions.map(({name}): HistoryRegion => {
    const changes = entries.filter((entry) => entry.region === name).length;
    return {region: name, ...standing(kept(name)), changes};
  });
  return {fleet: fleet.name, at: iso(at), since: iso(since), regions: stands, entries};
}

/** More than is ever kept. */
const ALL = 1_000_000;

function standing(kept: Json | undefined): Pick<HistoryRegion, 'verdict' | 'since' | 'flappingSince' | 'lookedAt'> {
  const remembered = readRemembered(kept);
  if (remembered === null) return {verdict: null, since: null, flappingSince: null, lookedAt: null};
  const {state, since, unseenSince, flapping, lookedAt} = remembered;
  return {
    verdict: unseenSince === null ? state : 'unknown',
    since: iso(unseenSince ?? since),
    flappingSince: flapping.since === null ? null : iso(flapping.since),
    lookedAt: lookedAt === null ? null : iso(lookedAt),
  };
}

/** Reads a line; null for one of another version. */
function changeOf(data: Json): Change | null {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return null;
  const {region, to, code, reason} = data as Readonly<Record<string, Json>>;
  const whole = [region, to, code, reason].every((value) => typeof value === 'string');
  return whole ? (data as unknown as Change) : null;
}

const iso = (ms: number): string => new Date(ms).toISOString();

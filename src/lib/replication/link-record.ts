import type {BreakerSpec} from '../fleet/fleet.ts';
import type {Json} from '../plan/json.ts';
import type {State} from '../ports/state.ts';
import type {LinkReading} from '../ports/store.ts';
import {type BreakerLook, type BreakerState, breakerSays, nextBreaker, readBreaker} from './breaker.ts';
import {fromFirst, handedOn} from './chain.ts';
import {holdsUp} from './chain-row.ts';
import type {LagRow} from './lag.ts';
import {EMPTY_SKETCH, merged, percentile, readSketch, type Sketch, withValue} from './sketch.ts';

/** Names a link: `link` only where a pair of members may have several. */
export type LinkName = Pick<LagRow, 'store' | 'from' | 'to' | 'link'>;

/** The part of the State port that the record of links needs. */
export type RecordState = Pick<State, 'recall' | 'remember' | 'note' | 'notes' | 'together'>;

/** How a link was over a time. In ms; null = there was no sample. `unseen` = looks at which its sender could not be asked. */
export type LinkPercentiles = {
  readonly since: string;
  readonly samples: number;
  readonly unseen: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
};

/** A change of a breaker, oldest first in lists. */
export type BreakerChange = LinkName & {
  readonly at: string;
  readonly was: BreakerState['state'];
  readonly state: BreakerState['state'];
  readonly reason: string;
};

/** What is late by itself, or on purpose, is no reason not to rely on a link. */
const LATE_CODES: readonly string[] = [
  'apply-delay',
  'replaying',
  'starting',
  'restoring',
  'connecting',
  'copying',
  'rebuilding',
  'syncing',
  'loading',
];

/** One look at a link, for its breaker: how it was judged, and what was read of it. A sender that is gone is no lag. `at` is epoch ms. */
export function breakerLook(
  {state, seconds, code}: Pick<LagRow, 'state' | 'seconds' | 'code'>,
  {senderRead, endOffset = null, replayOffset}: Pick<LinkReading, 'senderRead' | 'endOffset' | 'replayOffset'>,
  at: number,
): BreakerLook {
  const places = {end: endOffset, place: replayOffset};
  if (!senderRead || state === 'unknown') return {at, lagMs: null, link: 'unseen', ...places};
  if (state === 'broken' || state === 'stalled') return {at, lagMs: null, link: 'stuck', ...places};
  const lagMs = seconds === null ? null : seconds * 1000;
  return {at, lagMs, link: LATE_CODES.includes(code) ? 'late' : 'moves', ...places};
}

/**
 * One look at each link of a store, in their order. Whoever reads from a member that gets the log through others is as late as the whole chain: places are
 * those of its first, and what holds up one link holds up all behind it.
 */
export function breakerLooks(rows: readonly LagRow[], samples: readonly LinkReading[], at: number): readonly BreakerLook[] {
  return rows.map((row, index) => {
    const sample = samples[index] as LinkReading;
    const chain = handedOn(sample, samples);
    const whole = fromFirst(sample, samples);
    const own = breakerLook(row, whole ?? sample, at);
    if (chain === null) return own;
    const hops = chain.links.slice(0, -1).map((link) => rows[samples.indexOf(link)] as LagRow);
    const above = hops.filter(holdsUp).map((hop) => breakerLook(hop, {...sample, senderRead: true}, at).link);
    const unseen: readonly BreakerLook['link'][] = whole === null ? ['unseen'] : [];
    const link = (['stuck', 'unseen', 'late'] as const).find((each) => [own.link, ...above, ...unseen].includes(each)) ?? own.link;
    return link === own.link ? own : {...own, link, lagMs: link === 'late' ? own.lagMs : null};
  });
}

/** Leads the breaker of a link by one look, and keeps it; a change is noted. */
export function leadBreaker(state: RecordState, fleet: string, name: LinkName, look: BreakerLook, spec: BreakerSpec): BreakerState {
  const key = `breaker/${keyOf(fleet, name)}`;
  return state.together(() => {
    const before = readBreaker(state.recall(key));
    const after = nextBreaker(before, look, spec);
    state.remember(key, {...after});
    const was = before?.state ?? 'closed';
    if (was !== after.state)
      state.note(`breaker/${fleet}`, {...name, was, state: after.state, reason: breakerSays(after, spec)} as Json, look.at);
    return after;
  });
}

/** The breaker of a link as it was left; null = it was never looked at. */
export function recallBreaker(state: Pick<State, 'recall'>, fleet: string, name: LinkName): BreakerState | null {
  return readBreaker(state.recall(`breaker/${keyOf(fleet, name)}`));
}

/** Samples of one link that are kept together: those of a minute, or of one look. */
export type Samples = {readonly sketch: Sketch; readonly unseen: number};

export const NO_SAMPLES: Samples = {sketch: EMPTY_SKETCH, unseen: 0};

/** With one more look. What is not known is no sample of any lag. */
export function withLook({sketch, unseen}: Samples, {link, lagMs}: Pick<BreakerLook, 'link'> & Pick<BreakerState, 'lagMs'>): Samples {
  if (link === 'unseen' || lagMs === null) return {sketch, unseen: unseen + 1};
  return {sketch: withValue(sketch, lagMs), unseen};
}

/** Keeps the samples of a link as of `at` (epoch ms). */
export function keepSamples(state: Pick<State, 'note'>, fleet: string, name: LinkName, samples: Samples, at: number): void {
  if (samples.sketch.count + samples.unseen > 0) state.note(`lag/${keyOf(fleet, name)}`, samples as unknown as Json, at);
}

/** What was kept of a link from `since` to `until` (epoch ms; default: up to now), added up. */
export function keptSamples(
  state: Pick<State, 'notes'>,
  fleet: string,
  name: LinkName,
  {since, until = Number.POSITIVE_INFINITY}: {readonly since: number; readonly until?: number},
): Samples {
  const lines = state.notes(`lag/${keyOf(fleet, name)}`, ALL, since).filter(({at}) => at <= until);
  return addUp(lines.flatMap(({data}) => readSamples(data) ?? []));
}

/** Several times of one link as one. */
export function addUp(samples: readonly Samples[]): Samples {
  return {sketch: merged(samples.map(({sketch}) => sketch)), unseen: samples.reduce((sum, each) => sum + each.unseen, 0)};
}

/** How a link was since then (epoch ms), by its samples. */
export function percentilesOf({sketch, unseen}: Samples, since: number): LinkPercentiles {
  const at = (share: number): number | null => {
    const ms = percentile(sketch, share);
    return ms === null ? null : Math.round(ms);
  };
  return {since: iso(since), samples: sketch.count, unseen, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), maxMs: at(1)};
}

/** Every change of a breaker of the fleet since then (epoch ms), oldest first. */
export function breakerChanges(state: Pick<State, 'notes'>, fleet: string, since: number): readonly BreakerChange[] {
  return state.notes(`breaker/${fleet}`, ALL, since).flatMap(({at, data}) => {
    const isChange = typeof data === 'object' && data !== null && 'store' in data && 'was' in data;
    return isChange ? [{at: iso(at), ...(data as unknown as Omit<BreakerChange, 'at'>)}] : [];
  });
}

function readSamples(data: Json): Samples | null {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return null;
  const {sketch, unseen} = data as Readonly<Record<string, Json>>;
  const read = readSketch(sketch);
  return read === null || typeof unseen !== 'number' ? null : {sketch: read, unseen};
}

/** More than is ever kept. */
const ALL = 1_000_000;

function keyOf(fleet: string, {store, from, to, link}: LinkName): string {
  return [fleet, store, from, to, ...(link === undefined ? [] : [link])].join('/');
}

const iso = (ms: number): string => new Date(ms).toISOString();

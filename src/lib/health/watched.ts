import type {EndpointJudgement} from './judge-endpoint.ts';
import {isSilent, provesNetwork} from './quorum.ts';
import {FRESH, laneOf, type Pace} from './schedule.ts';
import type {EndpointReading, SweepTarget} from './sweep.ts';

/** An endpoint while it is watched: what is known of it, and when it is asked again. */
export type Watched = {
  readonly target: SweepTarget;
  readonly intervalMs: number;
  pace: Pace;
  reading: EndpointReading | null;
  judged: EndpointJudgement | null;
  history: (number | null)[];
  /** How often in a row it failed while our network was seen to be there: what has counted as down needs no other look until it answers. */
  confirmed: number;
  /** How often in a row it failed. */
  failures: number;
  /** The next look comes at a place of its own within the interval: all that begin together would stay in step. */
  spread: boolean;
  wake: () => void;
};

/** A region while it is watched. `awaited` = those that were not asked since it was last judged, and are waited for; `unasked` = never asked yet. */
export type Place = {readonly all: readonly Watched[]; readonly shortestMs: number; awaited: Set<Watched>; unasked: number};

/** An endpoint whose interval is so many times the shortest of its region is not waited for. */
const RARE = 3;

export function newWatched(target: SweepTarget, intervalMs: number): Watched {
  const unknown = {pace: FRESH, reading: null, judged: null, history: [], confirmed: 0, failures: 0};
  return {target, intervalMs, ...unknown, spread: true, wake: () => undefined};
}

/** The regions of those names, with their endpoints. */
export function placesOf(names: readonly string[], watched: readonly Watched[]): ReadonlyMap<string, Place> {
  const byRegion = Map.groupBy(watched, ({target}) => target.endpoint.region);
  return new Map(
    names.map((name) => {
      const all = byRegion.get(name) ?? [];
      const shortestMs = all.reduce((least, {intervalMs}) => Math.min(least, intervalMs), Number.POSITIVE_INFINITY);
      return [name, {all, shortestMs, awaited: new Set(all), unasked: all.length}];
    }),
  );
}

/** Whether the others of its region wait for it: not for the dead, nor for one that is asked much more rarely. */
export function isAwaited({pace, intervalMs}: Watched, {shortestMs}: Place): boolean {
  return laneOf(pace) === 'live' && intervalMs <= shortestMs * RARE;
}

/** Whether something came from it, well or not, that was asked for after `at` (monotonic ms). */
export function answeredSince({reading}: Watched, at: number): boolean {
  return reading !== null && reading.result.ok !== null && !isSilent(reading.result) && (reading.began ?? 0) > at;
}

/**
 * Whom to ask of a region whether our network is there: the fastest of those that answered last. With `wide`, up to so many of the others, also those
 * that did not answer. Never the one that failed, unless it has answered since: a look may come a second after the failure that called for it, and who
 * is left out of it then may be the only one that answers. Nor what answers on this machine; and none for the sake of others that is to be asked
 * rarely, as long as there is another.
 */
export function neighbours(place: Place, failed: EndpointReading, wide: number | null): readonly Watched[] {
  const others = place.all.filter(
    // What answers on this machine shows nothing.
    (each) => (!isOf(failed, each) || answeredSince(each, failed.began ?? 0)) && each.reading?.result.local !== true,
  );
  const rank = (each: Watched): number => (isAwaited(each, place) ? 0 : 1e9) + (each.reading?.result.latencyMs ?? 1e6);
  const answered = others.filter(hasAnswered);
  const [first, ...rest] = answered;
  if (first === undefined) return wide === null ? [] : others.slice(0, wide);
  const best = rest.reduce((least, each) => (rank(each) < rank(least) ? each : least), first);
  if (wide === null) return [best];
  const more = answered.filter((each) => each !== best).slice(0, wide);
  return more.length < wide ? [...more, ...others.filter((each) => !hasAnswered(each)).slice(0, wide - more.length)] : more;
}

const isOf = ({endpoint}: EndpointReading, {target}: Watched): boolean =>
  target.endpoint.region === endpoint.region && target.endpoint.name === endpoint.name;

/** Also a wrong answer came over a network that is there. */
const hasAnswered = ({reading}: Watched): boolean => reading !== null && provesNetwork(reading.result);

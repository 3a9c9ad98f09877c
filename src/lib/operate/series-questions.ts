import type {Grain} from '../capacity/series.ts';
import {usageError} from '../errors.ts';
import {OWN_HISTORY} from '../fleet/capacity-checks.ts';
import type {Fleet, SeriesRegion, SeriesSpec} from '../fleet/fleet.ts';
import {nearest, regionOf} from '../fleet/lookup.ts';

/** How far apart readings are asked for: a twelfth of an hour, a 24th of a day, a 28th of a week. More would be no news for the mean of a step. */
export const READ_EVERY_MS: Readonly<Record<Grain, number>> = {hourly: 300_000, daily: 3_600_000, weekly: 6 * 3_600_000};
/** A value that is older than this is not the current one. */
export const CURRENT_MS = 300_000;

const REGION = /\$region(?![A-Za-z0-9_])/g;

/** Which series: by their names, and by regions. Absent or empty = all. */
export type SeriesFilter = {readonly names?: readonly string[] | undefined; readonly regions?: readonly string[] | undefined};

/** One series in one region (null = of the whole fleet), and what is to be asked for it. `shared`: every region is asked the same. */
export type SeriesQuestion = {
  readonly spec: SeriesSpec;
  readonly place: SeriesRegion | null;
  readonly source: string;
  readonly query: string;
  readonly shared: boolean;
};

/**
 * What there is to ask: one question for each series and region of the filter. `collect` asks where the current values are, else where the history is. Throws a
 * usage error (64) for a series or region that the fleet file has not got, and when it names no series at all.
 */
export function seriesQuestions(
  fleet: Fleet,
  {names = [], regions = []}: SeriesFilter,
  purpose: 'history' | 'collect',
): readonly SeriesQuestion[] {
  const all = fleet.capacity?.series ?? [];
  if (all.length === 0)
    throw usageError('the fleet file names no series', {
      suggestions: ['Add capacity.series, and metrics for where they come from; see docs/capacity.md.'],
    });
  const known = all.map(({name}) => name);
  for (const name of names) if (!known.includes(name)) throw unknownSeries(name, known);
  for (const region of regions) regionOf(fleet, region);
  return all
    .filter(({name}) => names.length === 0 || names.includes(name))
    .flatMap((spec) => placesOf(spec, regions).map((place) => questionOf(fleet, spec, place, purpose)));
}

/**
 * `$region` and `$window` of a query replaced: the name of the region, and how far apart values are read, such as `5m`. A region's name has letters, digits, - and _
 * only: it needs no quoting anywhere.
 */
export function queryFor(query: string, {region, everyMs}: {readonly region: string | null; readonly everyMs: number}): string {
  const windowed = query.replaceAll(/\$window(?![A-Za-z0-9_])/g, () => `${Math.round(everyMs / 60_000)}m`);
  return region === null ? windowed : windowed.replaceAll(REGION, () => region);
}

function placesOf(spec: SeriesSpec, regions: readonly string[]): readonly (SeriesRegion | null)[] {
  if (spec.regions.length === 0) return regions.length === 0 ? [null] : [];
  return spec.regions.filter(({region}) => regions.length === 0 || regions.includes(region));
}

function questionOf(fleet: Fleet, spec: SeriesSpec, place: SeriesRegion | null, purpose: 'history' | 'collect'): SeriesQuestion {
  const source = purpose === 'collect' ? (spec.collect ?? spec.source) : spec.source;
  const isHistory = fleet.metrics?.find(({name}) => name === source)?.metrics.kind === OWN_HISTORY;
  // The own history knows series by their names.
  if (isHistory) return {spec, place, source, query: spec.name, shared: true};
  const common = spec.query ?? '';
  const written = place?.query ?? common;
  const everyMs = purpose === 'collect' ? CURRENT_MS : READ_EVERY_MS[spec.grain];
  const query = queryFor(written, {region: place?.region ?? null, everyMs});
  const isOwn = (place?.query ?? null) !== null || written.search(REGION) >= 0;
  return {spec, place, source, query, shared: !isOwn && spec.regions.length > 1};
}

function unknownSeries(name: string, known: readonly string[]) {
  const guess = nearest(name, known);
  const suggestion = guess === undefined ? 'Name one of them.' : `Did you mean "${guess}"?`;
  return usageError(`the fleet file has no series called "${name}"; it has ${known.join(', ')}`, {suggestions: [suggestion]});
}

import {isDeepStrictEqual} from 'node:util';
import {z} from 'zod';
import type {Json} from '../plan/json.ts';
import type {Memory} from '../ports/state.ts';
import type {DrainDecision, Held, RegionLag, Weights} from './read-drain.ts';

const weights = z.record(z.string(), z.number());
const held = z.record(
  z.string(),
  z.object({
    weight: z.number(),
    since: z.string(),
    run: z.string(),
    says: z.string(),
    fineSince: z.string().nullable(),
    seenAt: z.string(),
  }),
);
const left = z.array(z.string());
const schema = z.object({weights, held, left, pending: z.object({weights, held, left}).nullable()});

/** How a route was left: its weights, the regions that are held off it, and those that are left alone until their links have closed. */
type Left = {readonly weights: Weights; readonly held: Readonly<Record<string, Held>>; readonly left: readonly string[]};

/**
 * What is kept of a route: how it was left, and how a run that has begun would leave it (`pending`: whether that came to pass is told by the weights alone,
 * so it may be killed at any time). Written under the lease of the fleet only, but for `fineSince`.
 */
export type DrainRecord = Left & {readonly pending: Left | null};

const keyOf = (fleet: string, route: string): string => `drain/${fleet}/${route}`;

/** What is kept of a route; null = nothing, or nothing that can be read. */
export function recallDrain(state: Pick<Memory, 'recall'>, fleet: string, route: string): DrainRecord | null {
  const read = schema.safeParse(state.recall(keyOf(fleet, route)));
  return read.success ? read.data : null;
}

export function keepDrain(state: Pick<Memory, 'remember'>, fleet: string, route: string, record: DrainRecord): void {
  state.remember(keyOf(fleet, route), record as unknown as Json);
}

/** What has become of a region that was held off, by no run of ours. `isServing` = it has traffic again. */
export type Moved = {readonly region: string; readonly isServing: boolean; readonly weight: number};

/** The record as the route's weights prove it right now, with the regions that another hand has moved since. */
export function settled(record: DrainRecord | null, now: Weights): {readonly record: DrainRecord; readonly moved: readonly Moved[]} {
  const fresh: DrainRecord = {weights: now, held: {}, pending: null, left: record?.left ?? []};
  if (record === null) return {record: fresh, moved: []};
  const {pending} = record;
  if (pending !== null && isSame(pending.weights, now)) return {record: {...fresh, held: pending.held, left: pending.left}, moved: []};
  if (isSame(record.weights, now)) return {record: {...fresh, held: record.held}, moved: []};
  const all = {...pending?.held, ...record.held};
  const moved = Object.entries(all).map(([region, {weight}]) => ({region, weight, isServing: (now[region] ?? 0) > 0}));
  return {record: {...fresh, left: [...new Set([...fresh.left, ...moved.map(({region}) => region)])]}, moved};
}

/** As for breakers: after so long without a look it begins anew. */
const BLIND_MS = 300_000;

/** The record after one more look at the links: who is well is left alone no more, and who is fine is so since now, or still. `at` is ISO 8601. */
export function lookedAt(record: DrainRecord, lag: Readonly<Record<string, RegionLag>>, at: string): DrainRecord {
  const fine = Object.entries(record.held).map(([region, each]): [string, Held] => {
    const agoMs = Date.parse(at) - Date.parse(each.seenAt);
    // Nobody knows what was in between, nor what a clock that was set says of it.
    const since = agoMs < 0 || agoMs > BLIND_MS ? null : each.fineSince;
    return [region, {...each, fineSince: lag[region]?.isFine === true ? (since ?? at) : null, seenAt: at}];
  });
  const alone = record.left.filter((region) => lag[region] !== undefined && lag[region].state !== 'well');
  return {...record, held: Object.fromEntries(fine), left: alone};
}

/** Without regions that the route of the fleet file does not have any more; with these. */
export function withoutGone(
  record: DrainRecord,
  regions: readonly string[],
): {readonly record: DrainRecord; readonly moved: readonly Moved[]} {
  const gone = Object.entries(record.held).filter(([region]) => !regions.includes(region));
  if (gone.length === 0) return {record, moved: []};
  const stay = Object.fromEntries(Object.entries(record.held).filter(([region]) => regions.includes(region)));
  return {record: {...record, held: stay}, moved: gone.map(([region, {weight}]) => ({region, weight, isServing: false}))};
}

/** The record with what a run is about to do. `since` is ISO 8601. */
export function withPending(record: DrainRecord, {next, hold, giveBack}: DrainDecision, run: string, since: string): DrainRecord {
  const back = giveBack.map(({region}) => region);
  const stay = Object.entries(record.held).filter(([region]) => !back.includes(region));
  const more = hold.map(({region, weight, says}): [string, Held] => [region, {weight, since, run, says, fineSince: null, seenAt: since}]);
  const spared = giveBack.flatMap(({region, isSpared}) => (isSpared ? [region] : []));
  return {...record, pending: {weights: next, held: Object.fromEntries([...stay, ...more]), left: [...record.left, ...spared]}};
}

/** Whether two records differ by nothing but since when regions are fine: that may be written by anybody. */
export function isSameButFine(a: DrainRecord | null, b: DrainRecord): boolean {
  return a !== null && isDeepStrictEqual(timeless(a), timeless(b));
}

function timeless({held: all, ...record}: DrainRecord): unknown {
  return {...record, held: Object.entries(all).map(([region, each]) => [region, {...each, fineSince: null, seenAt: ''}])};
}

/** A region that is not named has no weight. */
function isSame(a: Weights, b: Weights): boolean {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((region) => (a[region] ?? 0) === (b[region] ?? 0));
}

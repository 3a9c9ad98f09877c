import {z} from 'zod';
import type {Json} from '../plan/json.ts';
import type {Memory} from '../ports/state.ts';
import type {DrainDecision, Held, RegionLag, Weights} from './read-drain.ts';

const weights = z.record(z.string(), z.number());
const held = z.record(z.string(), z.object({weight: z.number(), since: z.string(), run: z.string(), says: z.string()}));
const schema = z.object({weights, held, pending: z.object({weights, held}).nullable(), left: z.array(z.string())});

/** What a route was given, and which regions are held off it. */
type Left = {readonly weights: Weights; readonly held: Readonly<Record<string, Held>>};

/**
 * What is kept of a route: how it was left, how a run that has begun would leave it (`pending`: whether that came to pass is told by the weights alone, so
 * it may be killed at any time), and the regions that another hand has moved since (`left`): they are that one's until their links have closed.
 */
export type DrainRecord = Left & {readonly pending: Left | null; readonly left: readonly string[]};

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
  if (record.pending !== null && isSame(record.pending.weights, now)) return {record: {...fresh, held: record.pending.held}, moved: []};
  if (isSame(record.weights, now)) return {record: {...fresh, held: record.held}, moved: []};
  const all = {...record.pending?.held, ...record.held};
  const moved = Object.entries(all).map(([region, {weight}]) => ({region, weight, isServing: (now[region] ?? 0) > 0}));
  return {record: {...fresh, left: [...new Set([...fresh.left, ...moved.map(({region}) => region)])]}, moved};
}

/** Without the regions whose links have closed: from now on they are treated like any other. */
export function withoutClosed(record: DrainRecord, lag: Readonly<Record<string, RegionLag>>): DrainRecord {
  return {...record, left: record.left.filter((region) => (lag[region]?.state ?? 'closed') !== 'closed')};
}

/** The record with what a run is about to do. `since` is ISO 8601. */
export function withPending(record: DrainRecord, {next, hold, giveBack}: DrainDecision, run: string, since: string): DrainRecord {
  const back = giveBack.map(({region}) => region);
  const stay = Object.entries(record.held).filter(([region]) => !back.includes(region));
  const more = hold.map(({region, weight, says}): [string, Held] => [region, {weight, since, run, says}]);
  return {...record, pending: {weights: next, held: Object.fromEntries([...stay, ...more])}};
}

/** A region that is not named has no weight. */
function isSame(a: Weights, b: Weights): boolean {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((region) => (a[region] ?? 0) === (b[region] ?? 0));
}

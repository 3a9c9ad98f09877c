/** When a region flaps: so many changes of state within so long. */
export type FlapLimits = {readonly changes: number; readonly withinMs: number};

/** What is remembered of a region's changes. `at`: when they were (epoch ms), those that are recent. `since`: when it began to flap; null = it does not. */
export type Flapping = {readonly at: readonly number[]; readonly since: number | null};

/** No change yet. */
export const STEADY: Flapping = {at: [], since: null};

/**
 * What follows from one more observation, `changed` when it changed the state. It flaps from `changes` changes on, until fewer than half as many are
 * left within the time: what stops for a moment has not stopped flapping.
 */
export function nextFlapping(previous: Flapping, {changed, at}: {changed: boolean; at: number}, {changes, withinMs}: FlapLimits): Flapping {
  const recent = [...previous.at, ...(changed ? [at] : [])].filter((then) => then > at - withinMs && then <= at).slice(-2 * changes);
  if (recent.length >= changes) return {at: recent, since: previous.since ?? at};
  return {at: recent, since: recent.length * 2 < changes ? null : previous.since};
}

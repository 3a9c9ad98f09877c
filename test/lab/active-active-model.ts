/** The three mergeable values of the lab's mode active-active, as plain data, and how each is merged by its definition. */
export type Counts = Readonly<Record<string, readonly [number, number]>>;
export type OrSet = {readonly adds: Readonly<Record<string, string>>; readonly removes: Readonly<Record<string, boolean>>};
export type Versions = Readonly<Record<string, {readonly clock: Readonly<Record<string, number>>; readonly value: unknown}>>;

export function mergeCounts(a: Counts, b: Counts): Counts {
  const regions = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(
    regions.map((region) => {
      const [[upsA, downsA], [upsB, downsB]] = [a[region] ?? [0, 0], b[region] ?? [0, 0]];
      return [region, [Math.max(upsA, upsB), Math.max(downsA, downsB)]];
    }),
  );
}

export const mergeMembers = (a: OrSet, b: OrSet): OrSet => ({adds: {...a.adds, ...b.adds}, removes: {...a.removes, ...b.removes}});

export function mergeVersions(a: Versions, b: Versions): Versions {
  const all = Object.entries({...a, ...b});
  return Object.fromEntries(
    all.filter(([dot, {clock}]) => !all.some(([other, version]) => other !== dot && hasSeen(version.clock, clock))),
  );
}

/** A write has seen every version that is there. */
export function nextVersions(versions: Versions, region: string, value: unknown): Versions {
  const clock: Record<string, number> = {};
  for (const seen of Object.values(versions))
    for (const [by, count] of Object.entries(seen.clock)) clock[by] = Math.max(clock[by] ?? 0, count);
  const count = (clock[region] ?? 0) + 1;
  return {[`${region}:${count}`]: {clock: {...clock, [region]: count}, value}};
}

const hasSeen = (clock: Readonly<Record<string, number>>, of: Readonly<Record<string, number>>): boolean =>
  Object.entries(of).every(([region, count]) => (clock[region] ?? 0) >= count);

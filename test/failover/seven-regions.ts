import type {Series} from '../../src/lib/capacity/series.ts';
import {surviveFacts} from '../../src/lib/capacity/survive/facts-of-fleet.ts';
import type {PlanCapacity} from '../../src/lib/failover/capacity-gate.ts';
import type {Fleet} from '../../src/lib/fleet/fleet.ts';
import {kindsOf} from '../../src/lib/fleet/kinds.ts';
import {loadFleet} from '../../src/lib/fleet/load.ts';
import {builtinProviders} from '../../src/lib/providers/builtin.ts';
import {known, unknown} from '../../src/lib/snapshot/cell.ts';
import type {Member, RegionVerdict, Snapshot} from '../../src/lib/snapshot/snapshot.ts';
import {load, NOW, sameAgain} from '../capacity/survive/world.ts';

/** The fleet of examples/seven-regions.yaml, as its file is read. */
export const sevenRegions = (): Promise<Fleet> =>
  loadFleet('examples/seven-regions.yaml', kindsOf(builtinProviders), {CATALOG_PASSWORD: 'x'});

/** Loads by region: `base` all day, `peak` between 14:00 and 16:00 UTC (it is 12:00), 0 in the newest `away` hours. */
export type LevelsByRegion = Readonly<Record<string, {readonly base: number; readonly peak?: number; readonly away?: number}>>;

/** Every series of the fleet at these levels. `missing` = names of series whose source is dead. */
export function capacityOf(fleet: Fleet, levels: Readonly<Record<string, LevelsByRegion>>, missing: readonly string[] = []): PlanCapacity {
  const facts = surviveFacts(fleet, {limited: true});
  if (facts === null) throw new Error('the example has no series that move');
  const names = (fleet.capacity?.series ?? []).filter(({name}) => !missing.includes(name));
  const series = names.flatMap(({name, unit, purpose, regions}) =>
    regions.flatMap(({region, limit}): Series[] => {
      const level = levels[name]?.[region];
      if (level === undefined) return [];
      const at = (hour: number) => (hour >= 14 && hour < 16 ? (level.peak ?? level.base) : level.base);
      return [load({name, region, unit, purpose, limit, at, gone: level.away ?? 0, fill: 0})];
    }),
  );
  const dead = missing.map((name) => ({name, region: null, reason: 'federation: no answer within 5 s'}));
  return {facts, loads: {at: NOW, series, missing: dead, forecastOf: sameAgain}};
}

export type SevenOptions = {
  readonly verdicts?: Readonly<Record<string, RegionVerdict>>;
  /** Where the primary of the catalog is; its member answers unless its region is unhealthy. `peers` = every member takes writes. */
  readonly primary?: string | null;
  readonly weights?: Readonly<Record<string, Readonly<Record<string, number>>>>;
};

/** The fleet as it is looked at: all well, but for what is said. */
export function sevenSnapshot(fleet: Fleet, {verdicts = {}, primary = 'jp-tokyo', weights = {}}: SevenOptions = {}): Snapshot {
  const catalog = fleet.stores.find(({name}) => name === 'catalog');
  const isDown = (region: string): boolean => verdicts[region] === 'unhealthy';
  const members = (catalog?.members ?? []).map(({name, region}) => {
    const cell = isDown(region) ? unknown('timeout', 'no answer', NOW) : known(memberIn(region, primary), NOW, 'here');
    return [name, cell] as const;
  });
  const peers = primary === null;
  return {
    version: 1,
    ...{takenAt: new Date(NOW).toISOString(), fleetDigest: fleet.digest, vantage: 'here'},
    regions: Object.fromEntries(
      fleet.regions.map(({name}) => {
        const verdict = verdicts[name] ?? 'healthy';
        return [name, known({verdict, agree: 3, asked: 3, code: verdict, reason: `${name} is ${verdict}`}, NOW, 'here')];
      }),
    ),
    stores: {
      catalog: {
        engine: 'postgres',
        ack: unknown('no-primary', 'no primary answers', NOW),
        members: Object.fromEntries(members),
        ...(peers ? {peers} : {}),
      },
    },
    routers: Object.fromEntries(fleet.routes.map(({name, weights: normal}) => [name, known(weights[name] ?? normal, NOW, 'here')])),
  };
}

function memberIn(region: string, primary: string | null): Member {
  const position = {lineage: 'L', epoch: 1, offset: '1000'};
  const isPrimary = region === primary;
  return {
    ...{region, durable: position, applied: position, heardUpstreamAgoMs: null},
    ...(primary === null
      ? {role: 'peer', writable: true, upstream: null}
      : {role: isPrimary ? 'primary' : 'standby', writable: isPrimary, upstream: isPrimary ? null : primary}),
  };
}

import type {z} from 'zod';
import type {capacityPlanKeys} from './capacity-plan-schema.ts';
import {unknownName, unknownNames} from './name-checks.ts';
import type {Finding, Path} from './problem.ts';

type Written = {readonly [Key in keyof typeof capacityPlanKeys]: z.output<(typeof capacityPlanKeys)[Key]>};
type Known = {readonly series: readonly string[]; readonly regions: readonly string[]; readonly routes: readonly string[]};

/** Cross checks of what capacity is planned for: the series, regions and routes that it names are there. */
export function checkCapacityPlan({failover, scaling, cost}: Written, known: Known): readonly Finding[] {
  const series = (name: string, path: Path, at: 'key' | 'value'): readonly Finding[] =>
    known.series.includes(name) ? [] : [unknownName(name, known.series, 'series', path, at)];
  const unit = cost?.objectives.unit ?? null;
  return [
    ...Object.entries(failover.routes).flatMap(([name, routes]) => {
      const path = ['capacity', 'failover', 'routes', name];
      return [...series(name, path, 'key'), ...unknownNames(routes, known.routes, 'route', path)];
    }),
    ...Object.keys(scaling).flatMap((name) => series(name, ['capacity', 'scaling', name], 'key')),
    ...(unit === null ? [] : series(unit.series, ['capacity', 'cost', 'objectives', 'unit', 'series'], 'value')),
    ...Object.entries(cost?.transfer ?? {}).flatMap(([name, {route, to, from}]) => {
      const path = ['capacity', 'cost', 'transfer', name];
      return [
        ...(known.routes.includes(route) ? [] : [unknownName(route, known.routes, 'route', [...path, 'route'], 'value')]),
        ...unknownNames(to ?? [], known.regions, 'region', [...path, 'to']),
        ...(from === null || known.regions.includes(from) ? [] : [unknownName(from, known.regions, 'region', [...path, 'from'], 'value')]),
      ];
    }),
  ];
}

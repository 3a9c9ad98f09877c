import type {Fleet} from '../fleet/fleet.ts';
import {nearest} from '../fleet/lookup.ts';
import type {Finding, Path} from '../fleet/problem.ts';
import type {FileCheck} from './check-schema.ts';
import type {DrillFileData} from './drill-schema.ts';

/** What a drill names that the fleet does not have, and faults that its injector does not know. Pure: nothing is asked of the fleet itself. */
export function fitsFleet(data: DrillFileData, fleet: Fleet, faultKinds?: readonly string[]): Finding[] {
  const regions = fleet.regions.map(({name}) => name);
  const routes = fleet.routes.map(({name}) => name);
  const stores = fleet.stores.map(({name}) => name);
  const finder = (what: string, known: readonly string[]) => (path: Path, name: string | null | undefined) =>
    name === null || name === undefined || known.includes(name) ? [] : [unknownName(fleet, path, {what, name, known})];
  const ask = {
    region: finder('region', regions),
    place: finder('region or route', ['primary', ...regions, ...routes]),
    held: finder('region', ['primary', ...regions]),
    store: finder('store', stores),
    service: finder(
      'service class',
      fleet.services.map((service) => service.class),
    ),
    data: finder(
      'data class',
      fleet.dataClasses.map(({name}) => name),
    ),
  };
  const {failover, switchover, failback, traffic, person} = data.reaction;
  return [
    ...kindsOf(data, fleet, faultKinds),
    ...(data.fault === undefined ? [] : ask.place(['fault', 'region'], data.fault.region)),
    ...(data.faults ?? []).flatMap((fault, index) => ask.place(['faults', index, 'region'], fault.region)),
    ...ask.region(['reaction', 'failover', 'to'], failover?.to),
    ...ask.region(['reaction', 'switchover', 'to'], switchover?.to),
    ...ask.region(['reaction', 'failback', 'to'], failback?.to),
    ...ask.held(['reaction', 'traffic', 'from'], traffic?.from),
    ...ask.region(['reaction', 'traffic', 'to'], traffic?.to),
    ...ask.region(['setUp', 'switchover', 'to'], data.setUp?.switchover.to),
    ...Object.keys(data.objectives.services).flatMap((name) => ask.service(['objectives', 'services', name], name)),
    ...Object.keys(data.objectives.data).flatMap((name) => ask.data(['objectives', 'data', name], name)),
    ...checksOf(data, person?.until).flatMap(({path, check}) => [
      ...ask.held([...path, 'region'], check.region),
      ...ask.held([...path, 'primary'], check.primary === 'unmoved' ? undefined : check.primary),
      ...ask.store([...path, 'store'], check.store),
    ]),
  ];
}

function kindsOf(data: DrillFileData, {name}: Fleet, known: readonly string[] | undefined): Finding[] {
  const faults: readonly (readonly [Path, string])[] = [
    ...(data.fault === undefined ? [] : [[['fault', 'kind'], data.fault.kind] as const]),
    ...(data.faults ?? []).map((fault, index) => [['faults', index, 'kind'], fault.kind] as const),
  ];
  return faults.flatMap(([path, kind]): Finding[] => {
    if (known === undefined || known.includes(kind)) return [];
    const guess = nearest(kind, known);
    const suggestion = guess === undefined ? `It knows ${known.join(', ')}.` : `Did you mean "${guess}"?`;
    return [{path, at: 'value', message: `the fault injector of ${name} knows no fault "${kind}"`, suggestion}];
  });
}

function checksOf(data: DrillFileData, until: readonly FileCheck[] = []): {readonly path: Path; readonly check: FileCheck}[] {
  const lists: readonly (readonly [Path, readonly FileCheck[]])[] = [
    [['steadyState', 'before'], data.steadyState.before],
    [['steadyState', 'after'], data.steadyState.after],
    [['detect', 'until'], data.detect.until ?? []],
    [['abortIf'], data.abortIf],
    [['reaction', 'person', 'until'], until],
  ];
  return lists.flatMap(([path, checks]) => checks.map((check, index) => ({path: [...path, index], check})));
}

function unknownName(fleet: Fleet, path: Path, {what, name, known}: {what: string; name: string; known: readonly string[]}): Finding {
  const guess = nearest(name, known);
  const suggestion = guess === undefined ? `It has ${known.join(', ') || 'none'}.` : `Did you mean "${guess}"?`;
  return {path, at: 'value', message: `the fleet ${fleet.name} has no ${what} "${name}"`, suggestion};
}

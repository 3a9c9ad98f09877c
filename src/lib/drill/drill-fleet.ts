import type {Fleet} from '../fleet/fleet.ts';
import {nearest} from '../fleet/lookup.ts';
import {type Finding, got, type Path} from '../fleet/problem.ts';
import {formatMs} from '../output/units.ts';
import type {FileCheck} from './check-schema.ts';
import type {DrillFileData} from './drill-schema.ts';
import {type FaultJudge, faultFindings} from './fault-fit.ts';
import {MOST_UNDER_WAY} from './load-arguments.ts';

/** What a drill names that the fleet does not have, and faults that its injector cannot have; `judge` null = it is not asked. Pure: nothing is asked of the fleet itself. */
export function fitsFleet(data: DrillFileData, fleet: Fleet, judge: FaultJudge | null = null): Finding[] {
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
    ...(judge === null ? [] : faultFindings(data, fleet, judge)),
    ...trafficFindings(data, fleet),
    ...personFindings(data, fleet),
    ...witnessFindings(data, fleet),
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

/** Traffic that could not move: to where it is, or where no route leads. */
function trafficFindings({reaction: {traffic}}: DrillFileData, {name, regions, routes}: Fleet): Finding[] {
  if (traffic === undefined) return [];
  const {from, to} = traffic;
  const wrong = (message: string, suggestion: string): Finding[] => [
    {path: ['reaction', 'traffic', 'to'], at: 'value', message, suggestion},
  ];
  if (from === to) return wrong(`traffic cannot move from ${from} to itself`, 'Name another region.');
  const isRegion = regions.some((one) => one.name === to);
  if (!isRegion || routes.some(({weights}) => to in weights)) return [];
  return wrong(`no route of ${name} leads to ${to}: no traffic could move`, 'Name a region that a route has a weight for.');
}

/** Not every fault keeps clients from writing: where it is not noticed by that, what a person is waited for by default may hold from the start. */
function personFindings({reaction: {person}, detect, fault, faults = []}: DrillFileData, {routes}: Fleet): Finding[] {
  if (person === undefined || person.until !== undefined) return [];
  const [first] = fault === undefined ? faults : [fault];
  const isOfRoute = routes.some(({name}) => name === first?.region);
  if (detect.until === undefined ? isOfRoute : detect.until.some(({writable}) => writable === false)) return [];
  const message = 'is missing; clients may be able to write all along, and then the person would be done at once';
  const suggestion = 'Write what tells that it is done and does not hold before, such as until: [{primary: REGION}, {writable: true}].';
  return [{path: ['reaction', 'person', 'until'], at: 'key', message, suggestion}];
}

/** While nobody answers, each write of the witness waits for its deadline, on a connection of its own. */
function witnessFindings({witness: {every}}: DrillFileData, {witness}: Fleet): Finding[] {
  if (witness === null || witness.deadlineMs / every <= MOST_UNDER_WAY) return [];
  const message = `one write every ${formatMs(every)}, each with the deadline of ${formatMs(witness.deadlineMs)} of the fleet file, is more than ${MOST_UNDER_WAY} under way at once`;
  return [
    {path: ['witness', 'every'], at: 'value', message, suggestion: 'Write less often, or shorten witness.deadline of the fleet file.'},
  ];
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
  return {path, at: 'value', message: `the fleet ${fleet.name} has no ${what} ${got(name)}`, suggestion};
}

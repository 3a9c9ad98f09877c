import {refused} from '../errors.ts';
import type {Fleet} from '../fleet/fleet.ts';
import {nearest} from '../fleet/lookup.ts';
import {type Finding, got, type Path, seen} from '../fleet/problem.ts';
import type {Json} from '../plan/json.ts';
import type {Plan} from '../plan/plan.ts';
import type {Fault, FaultOrder, FaultTrouble} from '../ports/fault.ts';
import type {DrillFileData} from './drill-schema.ts';

const LONGEST_SAYS = 300;

/** What is asked of an injector before anything is begun. `cannot`: kinds that cannot be had here, each with the reason. */
export type FaultJudge = {
  readonly kinds: Fault['kinds'];
  readonly accepts?: Fault['accepts'] | undefined;
  readonly cannot?: Readonly<Record<string, string>>;
};

/** A fault as the file has it, and where. */
type Placed = {readonly path: Path; readonly order: FaultOrder};

/**
 * Faults of a drill file that the fleet's injector cannot have: a kind that it does not know, a place or arguments that it does not accept, and the same
 * fault twice. Where a fault speaks of the region with the primary it is only wrong if it is wherever the primary may be. Pure.
 */
export function faultFindings(data: DrillFileData, fleet: Fleet, judge: FaultJudge): Finding[] {
  const faults = placedFaults(data);
  return faults.flatMap(({path, order}, index): Finding[] => {
    if (!judge.kinds.includes(order.kind)) return [unknownKind([...path, 'kind'], order.kind, fleet, judge.kinds)];
    // That there is no such place is said by whoever knows the fleet's names.
    if (!isPlace(order.region, fleet)) return [];
    const earlier = faults.slice(0, index).map((one) => one.order);
    const troubles = holders(fleet).map((primary) =>
      troubleOf(
        judge,
        withPrimary(order, primary),
        earlier.map((one) => withPrimary(one, primary)),
      ),
    );
    const [first] = troubles;
    return first === undefined || first === null || troubles.includes(null) ? [] : [findingOf(path, first)];
  });
}

/** The faults of a drill's plan, asked of the injector now that it is known where the primary is. Throws `fault-refused` (77) for one that cannot be had there. */
export function refuseUnfitFaults(plan: Pick<Plan, 'steps' | 'drill'>, judge: FaultJudge): void {
  const orders = plan.steps.flatMap(({do: {action, target, args}}): FaultOrder[] =>
    action === 'fault.inject' && target.region !== undefined ? [{...(args as unknown as FaultOrder), region: target.region}] : [],
  );
  for (const [index, order] of orders.entries()) {
    const trouble = troubleOf(judge, order, orders.slice(0, index));
    if (trouble === null) continue;
    const says = `no drill was started: ${order.kind} cannot be injected into ${order.region}, as ${plan.drill} has it now: ${trouble.says}`;
    throw refused('fault-refused', says, {suggestions: [trouble.fix]});
  }
}

/** A fault in which "primary" is a region: as its place, and among its arguments. */
export function withPrimary<T extends Pick<FaultOrder, 'region' | 'args'>>(fault: T, primary: string): T {
  const named = (value: Json): Json => (value === 'primary' ? primary : value);
  const args = Object.fromEntries(Object.entries(fault.args as object).map(([key, value]) => [key, named(value as Json)]));
  return {...fault, region: fault.region === 'primary' ? primary : fault.region, args};
}

function placedFaults({fault, faults = []}: DrillFileData): Placed[] {
  const placed = (path: Path, {kind, region, lease, args}: NonNullable<DrillFileData['fault']>): Placed => ({
    path,
    order: {kind, region, leaseMs: lease, args: args as Json},
  });
  return [...(fault === undefined ? [] : [placed(['fault'], fault)]), ...faults.map((each, index) => placed(['faults', index], each))];
}

/** What no injector can do, then what this one cannot. */
function troubleOf(judge: FaultJudge, order: FaultOrder, earlier: readonly FaultOrder[]): FaultTrouble | null {
  const same = earlier.some((other) => textOf(other) === textOf(order));
  if (same) return {field: 'kind', says: `${order.kind} is at ${order.region} already`, fix: 'Take one of the two out.'};
  const why = judge.cannot?.[order.kind];
  if (why !== undefined)
    return {field: 'kind', says: `${order.kind} cannot be had here: ${why}`, fix: 'Install what it needs, or run another drill.'};
  return judge.accepts?.(order, earlier) ?? null;
}

function textOf({kind, region, args}: FaultOrder): string {
  const sorted = Object.entries(args as object).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([kind, region, sorted]);
}

function isPlace(name: string, {regions, routes}: Fleet): boolean {
  return name === 'primary' || [...regions, ...routes].some((one) => one.name === name);
}

/** Regions that may hold the primary: those with a member of a store. */
function holders({regions, stores}: Fleet): readonly string[] {
  const names = regions.map(({name}) => name);
  const held = names.filter((name) => stores.some(({members}) => members.some(({region}) => region === name)));
  return held.length > 0 ? held : names;
}

function findingOf(path: Path, {field, arg, says, fix}: FaultTrouble): Finding {
  return {path: [...path, field, ...(arg === undefined ? [] : [arg])], at: 'value', message: clipped(says), suggestion: fix};
}

/** What an injector says may hold what the file says, however long. */
function clipped(text: string): string {
  return seen(text.length > LONGEST_SAYS ? `${text.slice(0, LONGEST_SAYS)}…` : text);
}

function unknownKind(path: Path, kind: string, {name, fault}: Fleet, known: readonly string[]): Finding {
  const guess = nearest(kind, known);
  const ofKind = fault === null ? '' : ` (${fault.kind})`;
  const suggestion = guess === undefined ? `It knows ${known.join(', ')}.` : `Did you mean "${guess}"?`;
  return {path, at: 'value', message: `the fault injector of ${name}${ofKind} knows no fault ${got(kind)}`, suggestion};
}

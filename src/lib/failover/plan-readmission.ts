import {refused, usageError} from '../errors.ts';
import type {Fleet, RouteSpec, StoreSpec} from '../fleet/fleet.ts';
import type {Gate, Objective, Override, Plan, Step} from '../plan/plan.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {withApprovals} from './approvals.ts';
import {type PlanCapacity, withCapacity} from './capacity-gate.ts';
import {clocksSane, judged, ourselvesSane, routersReachable, runAlone, takesOver, targetHealthy, unclaimed} from './gates.ts';
import {watchedRemarks} from './left-alone.ts';
import {caughtUp, membersAnswer, residencyIn, streamsRun} from './peer-gates.ts';
import {readyFacts, returnSteps, returnStoreSteps, stagesOf, standsOnRoute, wholeReturn, writesStep} from './peer-steps.ts';
import {peerStores, sidesOf, weightsNow} from './peers.ts';
import {answering, named, namesOf} from './plan-failover.ts';
import {expect, inOrder, storeSteps, underClaims} from './steps.ts';
import {witnessSteps} from './traffic-steps.ts';
import {byUrgency} from './urgency.ts';
import {verifySteps} from './verify-steps.ts';

const WARM_UP_MS = 200;

/** Per member: what it had when the region was left, to count from. */
export type Marks = Readonly<Record<string, Mark>>;

/** As the store made it; kept in journals. */
export type Mark = {readonly snapshot: string; readonly streams?: Readonly<Record<string, string>> | undefined};

/** How much the audit of one store reads, as the engines estimate it: rows and bytes of one member; a text = why that is not known. */
export type AuditSize = {readonly tables: number; readonly rows: number; readonly bytes: string} | string;

/** What a readmission is planned from, by store. */
export type ReadmissionInput = {
  readonly id: string;
  readonly fleet: Fleet;
  readonly snapshot: Snapshot;
  readonly to: string;
  readonly objectives: readonly Objective[];
  readonly overrides: readonly Override[];
  /** What tells whether the region can carry its share; absent = it is not asked. */
  readonly capacity?: PlanCapacity | undefined;
  /** What the run that left the region has noted; a store that is missing has nothing to count from. */
  readonly marks: Readonly<Record<string, Marks>>;
  readonly sizes: Readonly<Record<string, AuditSize>>;
};

/** Routes that send a region less than in normal operation. */
function shortRoutes({routes}: Fleet, snapshot: Snapshot, region: string): readonly RouteSpec[] {
  return routes.filter((route) => (weightsNow(route, snapshot)[region] ?? 0) < (route.weights[region] ?? 0));
}

/** The region that is to be taken back: the given one, or the only one that some route sends less than normal. Refuses (77) with one sentence when none is. */
export function chooseReadmitted(fleet: Fleet, snapshot: Snapshot, given: string | undefined): string {
  const short = fleet.regions.map(({name}) => name).filter((name) => shortRoutes(fleet, snapshot, name).length > 0);
  if (given !== undefined) {
    if (short.includes(given)) return given;
    throw refused('nothing-to-do', `nothing was done: every route sends ${given} what the fleet file says`);
  }
  const [only, another] = short;
  if (only === undefined) throw refused('nothing-to-do', 'nothing was done: every route sends every region what the fleet file says');
  if (another !== undefined) throw usageError(`${short.join(' and ')} get less than normal: name the region to take back with --to`);
  return only;
}

/** Plans the return of a region whose stores are of peers: no traffic before it has caught up and an audit has found every row the same. Pure, from one snapshot. */
export function planReadmission(input: ReadmissionInput): Plan {
  const {id, fleet, snapshot, to, objectives} = input;
  const stores = byUrgency(
    fleet,
    peerStores(fleet, snapshot).filter((spec) => sidesOf(spec, to).inside.length > 0),
  );
  const routes = shortRoutes(fleet, snapshot, to);
  // Its last stage has the most: what the region can carry then it can carry before.
  const shares = routes.flatMap((route) => returnSteps(route, to, {snapshot, requires: []}));
  const coming = {fleet, snapshot, steps: shares, from: null, takers: [], isDown: false};
  const {gates, overrides, remarks} = withCapacity(input, gatesOf(input, stores, routes), coming);
  const passed = ({name}: StoreSpec) => {
    const isPassed = (gate: string): boolean => overrides.some((override) => override.gate === `${gate}:${name}`);
    return {catchUp: isPassed('catch-up') || isPassed('streams'), audit: isPassed('audit')};
  };
  const last = routes.at(-1);
  const until = last === undefined ? null : wholeReturn(last);
  const requires = [
    expect('region.verdict', {region: to}, ['healthy', 'degraded', 'recovering']),
    ...stores.flatMap((spec) => readyFacts(spec, to, {snapshot, passed: passed(spec)})),
  ];
  const verify = verifySteps(fleet, [], routes);
  const steps: Step[] = [
    ...stores.map((spec) => storeSteps(named(spec, stores)).claim(answering(snapshot, spec), {evict: takesOver(spec, overrides)})),
    ...stores.flatMap((spec) =>
      returnStoreSteps(named(spec, stores), spec, to, {
        snapshot,
        marks: input.marks[spec.name] ?? null,
        passed: passed(spec),
        until,
      }),
    ),
    ...witnessSteps(fleet.witness, WARM_UP_MS).start,
    ...routes.flatMap((route) => returnSteps(route, to, {snapshot, requires})),
    ...writesStep(fleet, routes.some((route) => isOfWitness(fleet, route)) ? [to] : [], {without: null, isWell: true}),
    ...verify.checks,
  ];
  return {
    version: 1,
    ...{id, kind: 'readmission', from: null, to, snapshot},
    expects: [],
    standsOn: routes.flatMap((route) =>
      standsOnRoute(
        route,
        snapshot,
        stagesOf(route, to, snapshot).map(({weights}) => weights),
      ),
    ),
    gates,
    overrides,
    steps: withApprovals(inOrder(underClaims(steps, namesOf(stores.map((spec) => ({spec}))))), fleet.approval),
    abortIf: [],
    always: [...stores.map((spec) => storeSteps(named(spec, stores)).release()), ...witnessSteps(fleet.witness).stop],
    files: [],
    objectives,
    expected: {gapMs: null, loss: []},
    remarks: [...uncounted(input, stores), ...watchedRemarks(fleet.stores, snapshot, to), ...remarks],
    drill: null,
  };
}

/** A region that was taken out by hand, or by a run that did not come so far, has nothing to count from. */
function uncounted({marks, to}: ReadmissionInput, stores: readonly StoreSpec[]): readonly string[] {
  return stores.flatMap(({name}) =>
    marks[name] === undefined
      ? [`what came of ${name} from ${to} since it was left is not counted: no run has noted what the others had then`]
      : [],
  );
}

const isOfWitness = ({witness}: Fleet, {url}: RouteSpec): boolean => witness !== null && url !== null && witness.url.startsWith(url);

function gatesOf({fleet, snapshot, to, sizes}: ReadmissionInput, stores: readonly StoreSpec[], routes: readonly RouteSpec[]): Gate[] {
  return [
    runAlone(),
    ...stores.map((spec) => unclaimed(spec, answering(snapshot, spec))),
    ourselvesSane(),
    targetHealthy(fleet, snapshot, to),
    routersReachable(
      snapshot,
      routes.map(({name}) => name),
    ),
    ...stores.flatMap((spec) => [
      residencyIn(fleet, spec, [to]),
      membersAnswer(snapshot, spec),
      clocksSane(spec, answering(snapshot, spec)),
      streamsRun(snapshot, spec, to),
      caughtUp(snapshot, spec, to),
      auditable(spec, sizes[spec.name] ?? 'it was not asked'),
    ]),
  ];
}

/** The audit itself is a step of the run: it may take hours. Whoever passes this by name lets traffic in whatever it finds. */
function auditable({name}: StoreSpec, size: AuditSize): Gate {
  const id = `audit:${name}`;
  if (typeof size === 'string')
    return judged(id, true, {verdict: 'unknown', says: `whether ${name} can be audited is not known: ${size.replace(/\.$/, '')}`});
  const {tables, rows, bytes} = size;
  if (tables === 0) return judged(id, true, {verdict: 'refuse', says: `${name} has no table that can be audited`});
  const says = `the run audits ${tables} ${tables === 1 ? 'table' : 'tables'} of ${name} before any traffic: about ${rows} rows, ${bytes} in each region`;
  return judged(id, true, {verdict: 'pass', says, measured: {tables, rows}});
}

import {isDeepStrictEqual} from 'node:util';
import {refused, usageError} from '../errors.ts';
import {missingGuards} from '../failover/check-guards.ts';
import type {Json} from '../plan/json.ts';
import type {Plan} from '../plan/plan.ts';
import {readPlan} from '../plan/read-plan.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {Prepared, PrepareOptions} from './prepare.ts';

/** A saved plan: the text of its file, and what kind of plan the command runs. */
export type SavedPlan = {readonly text: string; readonly file: string; readonly kind: Plan['kind']};

/**
 * Makes a reviewed plan ready to run: its steps as they were reviewed, its gates (that of capacity, too) and remarks of now. Refused (77) when the fleet file, the primary or its
 * timeline changed since, when it was run already, and when it lost a guard that every promotion needs.
 */
export async function prepareReviewed(
  open: OpenFleet,
  saved: SavedPlan,
  options: PrepareOptions,
  prepare: (options: PrepareOptions) => Promise<Prepared>,
): Promise<Prepared> {
  const plan = readPlan(saved.text, saved.file);
  const command = COMMANDS[plan.kind] ?? plan.kind;
  if (command !== saved.kind)
    throw usageError(`${saved.file} is a ${plan.kind} plan`, {suggestions: [`regionctl ${command} run --plan ${saved.file}`]});
  refuseOutdated(open, plan);
  const guards = missingGuards(plan);
  if (guards.length > 0) throw refused('plan-unsafe', `nothing was done: ${guards.join('; ')}`, {suggestions: [REPLAN]});
  if ((await open.state()).plan(plan.id) !== null)
    throw refused('plan-used', `nothing was done: this plan was run already, as run ${plan.id}`, {
      suggestions: [`regionctl runs show ${plan.id}`],
    });
  const named = {from: plan.from ?? undefined, to: plan.to ?? undefined};
  const fresh = await prepare({...options, ...named, overrides: [...plan.overrides, ...options.overrides]});
  refuseMoved(plan, fresh.plan);
  refuseOtherWay(plan, fresh.plan);
  // Whether somebody is to be evicted is said when it runs.
  const claims = new Map(
    fresh.plan.steps.flatMap(({id, title, do: call}) => (call.action === 'store.claim' ? [[id, {title, do: call}]] : [])),
  );
  const steps = plan.steps.map((step) => ({...step, ...(step.do.action === 'store.claim' ? claims.get(step.id) : {})}));
  // Of what is known now: a gate that nobody waits for is told of in a remark.
  const {gates, overrides, remarks} = fresh.plan;
  const {remarks: _, ...reviewed} = plan;
  return {plan: {...reviewed, steps, gates, overrides, ...(remarks === undefined ? {} : {remarks})}, marks: fresh.marks};
}

/** Plans that are run by the command of another kind. */
const COMMANDS: Partial<Record<Plan['kind'], Plan['kind']>> = {evacuation: 'failover', readmission: 'failback'};

/** The fleet file of a plan that was made earlier, also of a run that is taken up again. */
export function refuseOutdated(open: OpenFleet, plan: Plan): void {
  if (plan.snapshot.fleetDigest === open.fleet.digest) return;
  throw refused('fleet-changed', `nothing was done: ${open.fleet.file} was changed since the plan ${plan.id} was made`, {
    suggestions: [REPLAN],
  });
}

/** Compare-and-set: the primary of each store and its timeline. */
function refuseMoved(plan: Plan, fresh: Plan): void {
  const before = plan.standsOn ?? [];
  const now = fresh.standsOn ?? [];
  if (isDeepStrictEqual(before, now)) return;
  const text = (facts: typeof before) => facts.map(factText).join(', ');
  throw refused('plan-outdated', `nothing was done: the plan was made for ${text(before)}, and now it is ${text(now)}`, {
    suggestions: [REPLAN],
  });
}

/** Of a route, what it sent when the plan was made: what else it may send is the plan's own doing. */
function factText({check, target, want}: NonNullable<Plan['standsOn']>[number]): string {
  const now = check === 'route.weights-among' && Array.isArray(want) ? (want[0] ?? null) : want;
  return `${target.store ?? target.router ?? ''} ${JSON.stringify(now)}`;
}

/** Members that have come, gone or stopped following since, or another rule for who must acknowledge: the same move would be made in another way now. */
function refuseOtherWay(plan: Plan, fresh: Plan): void {
  const [before, now] = [wayOf(plan), wayOf(fresh)];
  if (isDeepStrictEqual(before, now)) return;
  const differs = [...new Set([...before, ...now].map(({id}) => id))].filter((id) => {
    const [one, other] = [before, now].map((steps) => steps.find((each) => each.id === id));
    return !isDeepStrictEqual(one, other);
  });
  const text = differs.length === 0 ? 'in another order' : `with another ${differs.join(', ')}`;
  throw refused('plan-outdated', `nothing was done: its stores are not what they were, and the plan would now be made ${text}`, {
    suggestions: [REPLAN],
  });
}

/** What moves traffic and primaries, without what is said anew when it runs (which proofs are accepted) and steps that only wait for a manager. */
function wayOf({steps}: Plan) {
  const moving = steps.filter(({phase, do: {action}}) => (MOVING.has(phase) && action !== 'store.await-following') || AMONG.has(action));
  return moving.map(({id, onFailure, do: {action, target, args}}) => {
    const {accept: _accept, ...said} = args as Readonly<Record<string, Json>>;
    return {id, onFailure, action, target: {...target}, args: said};
  });
}

const MOVING: ReadonlySet<string> = new Set(['fence', 'promote', 'follow', 'reroute']);
/** Among peers, who is waited for and who is compared. */
const AMONG: ReadonlySet<string> = new Set(['peers.await-sent', 'peers.await-caught-up', 'verify.audit']);
const REPLAN = 'make the plan anew, and review it again';

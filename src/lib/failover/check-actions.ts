import {z} from 'zod';
import {timeoutAwake} from '../awake.ts';
import {refused, unavailable} from '../errors.ts';
import type {CheckSpec} from '../fleet/fleet.ts';
import type {Action, Answer, Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Target} from '../plan/plan.ts';
import {primariesOf} from '../snapshot/primaries.ts';
import {evaluate, type ReadStore} from './fleet-check.ts';
import {type Baseline, judgeLatency, measureP95} from './latency.ts';
import {action} from './store-actions.ts';
import {memberOf, type StoreWorld, storeFor} from './store-world.ts';

const AGAIN_MS = 250;
/** How long one asking may take. */
const EACH_MS = 5000;
const checkArguments = z.object({name: z.string()});
const latencyArguments = z.object({url: z.url()});
const none = z.object({});

/** What the verification of a run works with. `baseline` answers what a route's p95 was before; null = nothing is known. */
export type CheckWorld = StoreWorld & {baseline(route: string): Promise<Baseline | null>};

/** Proofs by other paths than those that acted: functional and business checks, latency, and that the old primary takes no write. */
export function checkActions(world: CheckWorld): readonly Action[] {
  return [
    action({
      name: 'verify.check',
      effect: 'none',
      schema: checkArguments,
      describe: (_target, {name}) => `ask the check ${name} of the fleet file until it holds`,
      apply: (ctx, _target, {name}) => holdsInTime(world, ctx, checkNamed(world, name)),
    }),
    action({
      name: 'verify.latency',
      effect: 'none',
      schema: latencyArguments,
      describe: (target, {url}) => `GET ${url} and compare the p95 of ${target.router} with what it was`,
      apply: (ctx, target, {url}) => latency(world, ctx, target, url),
    }),
    action({
      name: 'verify.rejected',
      effect: 'none',
      schema: none,
      describe: (target) => `see, in a session of its own, that ${target.member} takes no write`,
      apply: (ctx, target) => rejected(world, ctx, target),
    }),
  ];
}

function checkNamed({fleet}: CheckWorld, name: string): CheckSpec {
  const check = fleet.checks.find((each) => each.name === name);
  if (check === undefined) throw refused('unknown-check', `the fleet file has no check called "${name}" any more`);
  return check;
}

async function holdsInTime(world: CheckWorld, ctx: Ctx, check: CheckSpec): Promise<Json> {
  let last: Answer | null = null;
  for (;;) {
    const answer = await evaluate(check, readStore(world), AbortSignal.any([ctx.signal, timeoutAwake(EACH_MS)]));
    if (answer.holds === true) return {says: answer.says, measured: answer.measured};
    // Cut short by the deadline it told nothing: what was answered before says more.
    if (!ctx.signal.aborted) last = answer;
    const isLast = answer.forGood || ctx.signal.aborted || ctx.now() + AGAIN_MS >= ctx.deadline;
    if (isLast) throw unavailable('check-failed', (last ?? answer).says);
    await world.clock.sleep(AGAIN_MS, ctx.signal);
  }
}

function readStore(world: CheckWorld): ReadStore {
  return async (name, query, signal) => {
    const store = await world.independent(name);
    const {scalar} = store.abilities;
    if (scalar === undefined) throw unavailable('no-ability', `${name} (${store.engine}) cannot be asked by a query`);
    const snapshot = {engine: store.engine, ack: NOT_READ, members: await store.observe(signal)};
    const [primary] = primariesOf(snapshot);
    if (primary === undefined) throw unavailable('no-primary', `no member of ${name} answers as primary`);
    return scalar.scalar(primary.name, query, signal);
  };
}

const NOT_READ = {known: false, code: 'not-read', reason: 'it was not asked', at: 0} as const;

async function latency(world: CheckWorld, ctx: Ctx, target: Target, url: string): Promise<Json> {
  const route = target.router ?? '';
  const p95Ms = await measureP95(url, ctx.signal, () => world.clock.now());
  const answer = judgeLatency(route, p95Ms, await world.baseline(route));
  if (answer.holds !== true) throw unavailable('slower', answer.says);
  return {says: answer.says, measured: answer.measured};
}

/** Nothing is written: whoever is a writable primary that lets a stranger in would take it. */
async function rejected(world: CheckWorld, ctx: Ctx, target: Target): Promise<Json> {
  const member = memberOf(target);
  const store = await world.independent(storeFor(world, target).name);
  const cell = (await store.observe(ctx.signal, [member]))[member];
  if (cell?.known !== true) return {says: `${member} does not answer (${cell?.reason ?? 'unknown'}), so it takes no write from here`};
  if (cell.value.role !== 'primary') return {says: `${member} is in recovery and takes no write`};
  const proof = await store.abilities.fence?.prove(ctx, member);
  if (proof != null) return {says: `${member} is ${proof.kind} and takes no write`};
  throw unavailable('old-primary-writes', `${member} answers as a primary and is not fenced: it may take writes`);
}

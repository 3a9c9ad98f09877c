import {z} from 'zod';
import {messageOf, unavailable} from '../errors.ts';
import {formatMs} from '../output/units.ts';
import type {Action, Answer, Check, Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Step, Target} from '../plan/plan.ts';
import type {Proof} from '../ports/store.ts';
import type {Cell} from '../snapshot/cell.ts';
import {isStale} from '../snapshot/primaries.ts';
import type {Member} from '../snapshot/snapshot.ts';
import {proofJson} from './proofs.ts';
import {call, expect, type StoreScope, step} from './steps.ts';
import {action} from './store-actions.ts';
import {abilityOf, memberOf, type StoreWorld, storeFor} from './store-world.ts';

/** How often the old primary is tried, so that one that thaws or is started again is met at once. */
const TRY_MS = 200;
/** As long as anybody could wait for a region to come back. */
const LONGEST_MS = 7 * 24 * 3_600_000;

const guardArguments = z.object({upstream: z.string(), forMs: z.number().min(0).nullable()});
const guardedWanted = z.object({upstream: z.string()});

/** How often it sees to its claim. */
const KEEP_MS = 2000;

/** How long the guard stays: null = until the old primary is fenced for good or follows; 0 = one look. */
export type Guard = {readonly forMs: number | null};

/**
 * Stays with the old primary until it can do no harm: closed so that a restart does not open it, or following the new one. One that comes back
 * as a primary meanwhile is closed at once. Leaving it early is possible at any time, and makes the run end with a warning.
 */
export function guardStep(
  scope: StoreScope,
  {member, region, upstream, forMs}: Guard & {member: string; region: string; upstream: string},
): Step {
  const target = {store: scope.store, member, region};
  return step({
    id: `guard-${member}${scope.suffix}`,
    phase: 'converge',
    title: `guard ${member}: close it as soon as it comes back`,
    do: call('store.guard', target, {upstream, forMs}),
    ensures: [expect('store.guarded', target, {upstream})],
    onFailure: 'continue',
    mayLeave: true,
    deadlineMs: forMs === null ? LONGEST_MS : forMs + 30_000,
  });
}

/** The guard's action. */
export function guardAction(world: StoreWorld): Action {
  return action({
    name: 'store.guard',
    effect: 'irreversible',
    schema: guardArguments,
    describe: (target, {forMs}) =>
      `try ${target.member} every ${TRY_MS} ms${forMs === null ? '' : ` for ${formatMs(forMs)}`}, and close it as soon as it answers as a primary`,
    apply: (ctx, target, args) => guard(world, ctx, target, args),
  });
}

/** Whether the old primary can do no harm any more. */
export function guardCheck(world: StoreWorld): Check {
  return {
    name: 'store.guarded',
    ask: async (ctx, target, want) => {
      const {upstream} = guardedWanted.parse(want);
      const member = memberOf(target);
      const seen = await storeFor(world, target).store.observe(ctx.signal, [member]);
      const answer = await guarded(world, ctx, target, upstream, seen[member]);
      if (answer.holds !== true || !isToCount(world, target)) return answer;
      return {...answer, holds: false, says: `${answer.says}; what it acknowledged alone before is not counted yet`};
    },
  };
}

/** One that this run's fence found alive and closed: it came back in the middle of the failover. */
function isToCount(world: StoreWorld, target: Target): boolean {
  const member = memberOf(target);
  const proof = world.proofs.get(member);
  return proof?.kind === 'closed' && proof.untold !== undefined && !world.counted.has(member);
}

async function guard(world: StoreWorld, ctx: Ctx, target: Target, {upstream, forMs}: z.infer<typeof guardArguments>): Promise<Json> {
  const limit = world.guardForMs ?? forMs;
  const end = limit === null ? ctx.deadline : Math.min(ctx.deadline, ctx.now() + limit);
  // Sealed out or given up on: this run's fence has not touched it.
  const keep = keeper(world, ctx, target);
  let wasSilent = ['sealed', 'break-glass'].includes(world.tried.get(memberOf(target)) ?? '');
  for (;;) {
    const began = ctx.now();
    // Both at once: what closes the one that is back asks the other whether it has passed it by, and clients write there meanwhile.
    const both = await storeFor(world, target).store.observe(ctx.signal, [memberOf(target), upstream]);
    const cell = both[memberOf(target)];
    // One that was silent or untouched until now and answers as a primary has just come back: it is not asked for proofs that it cannot have.
    const isBack = wasSilent && cell?.known === true && cell.value.role === 'primary';
    wasSilent = cell?.known !== true;
    const answer = isBack ? null : await guarded(world, ctx, target, upstream, cell);
    if (answer?.holds === true) return {late: null, ...(await countFenced(world, ctx, target, answer.says))};
    // What could not be closed this time may be next time: a guard does not give up.
    const closed = wasSilent ? null : await closeIfBack(world, ctx, target, both).catch((error: unknown) => messageOf(error));
    if (closed !== null && typeof closed !== 'string') return closed;
    const why = closed ?? answer?.says ?? `${memberOf(target)} answers as a primary`;
    if (ctx.now() >= end) throw unavailable('unguarded', `${why.replace(/\.$/, '')}; it was left unguarded`);
    await keep();
    await world.clock.sleep(Math.max(20, Math.min(TRY_MS - (ctx.now() - began), end - ctx.now())), ctx.signal);
  }
}

async function guarded(world: StoreWorld, ctx: Ctx, target: Target, upstream: string, cell: Cell<Member> | undefined): Promise<Answer> {
  const member = memberOf(target);
  if (cell?.known === true && cell.value.role === 'standby') {
    const follows = cell.value.upstream === upstream;
    return {
      holds: follows ? true : null,
      measured: cell.value.upstream,
      says: follows ? `${member} follows ${upstream}` : `${member} is a standby of ${cell.value.upstream ?? 'nobody'}`,
    };
  }
  const durable = await durableProof(world, ctx, target, cell?.known === true);
  if (durable !== null)
    return {holds: true, measured: proofJson(durable), says: `${member} is ${durable.kind}, and a restart does not change that`};
  const reason = cell?.known === true ? 'answers as a primary' : (cell?.reason ?? 'does not answer');
  return {holds: false, measured: null, says: `${member} is not fenced for good: ${reason}`};
}

/** A server that stopped by itself comes back as it was; only one that was closed first, by this run, stays harmless. */
async function durableProof(world: StoreWorld, ctx: Ctx, target: Target, answers: boolean): Promise<Proof | null> {
  const member = memberOf(target);
  const had = world.proofs.get(member);
  if (!answers) return had?.survivesRestart === true && had.kind === 'stopped' ? had : null;
  const proof = await abilityOf(world, target, 'fence').prove(ctx, member);
  return proof?.survivesRestart === true ? proof : null;
}

/** Sees to the claim every now and then. */
function keeper(world: StoreWorld, ctx: Ctx, target: Target): () => Promise<void> {
  let keptAt = ctx.now();
  return async () => {
    if (ctx.now() - keptAt < KEEP_MS) return;
    keptAt = ctx.now();
    await keepClaim(world, ctx, target).catch(() => undefined);
  };
}

/**
 * A guard may stay for days, and connections break meanwhile. A claim that has lapsed by itself is taken again where nobody else has it: what is
 * closed under it has been passed by, whoever did that.
 */
async function keepClaim(world: StoreWorld, ctx: Ctx, target: Target): Promise<void> {
  const {claim} = storeFor(world, target).store.abilities;
  if (claim === undefined || (await claim.held(ctx))) return;
  const holders = Object.values(await claim.holders(ctx));
  if (holders.length > 0 && holders.every((holder) => holder === null)) await claim.claim(ctx);
}

/** What it acknowledged since it came back is counted: those writes are lost. `both` = what was just seen of it and of the new primary. */
async function closeIfBack(
  world: StoreWorld,
  ctx: Ctx,
  target: Target,
  both: Readonly<Record<string, Cell<Member>>>,
): Promise<{readonly [key: string]: Json} | null> {
  const member = memberOf(target);
  const {store} = storeFor(world, target);
  const cell = both[member];
  if (cell?.known !== true || cell.value.role !== 'primary') return null;
  // Nobody closes what may be the only true primary: another one must have passed it by.
  const passed = (cells: typeof both): boolean => isStale({members: cells}, cell.value);
  if (!passed(both) && !passed(await store.observe(ctx.signal))) return null;
  await keepClaim(world, ctx, target);
  const proof = await abilityOf(world, target, 'fence').fence(ctx, member, {untold: true, keepRunning: true});
  world.proofs.set(member, proof);
  const lost = await countLost(world, ctx, target, proof);
  const counted = lost === null ? 'what it acknowledged since could not be counted' : `${lostText(lost)} lost`;
  return {says: `${member} came back and was ${proof.kind}; ${counted}`, proof: proofJson(proof), late: true, lostWrites: lost};
}

/** One that came back before the failover was done was closed by its fence, and may have acknowledged writes alone until then. */
async function countFenced(world: StoreWorld, ctx: Ctx, target: Target, says: string): Promise<{readonly [key: string]: Json}> {
  const proof = world.proofs.get(memberOf(target));
  const lost = proof !== undefined && isToCount(world, target) ? await countLost(world, ctx, target, proof) : null;
  if (lost === null) return {says};
  return {says: lost === 0 ? says : `${says}; ${lostText(lost)} lost`, lostWrites: lost};
}

const lostText = (lost: number): string =>
  `${lost} ${lost === 1 ? 'write that it acknowledged alone is' : 'writes that it acknowledged alone are'}`;

/** What a closed primary committed and the new one does not have, without those whose client was never told; null = it could not be counted. */
async function countLost(world: StoreWorld, ctx: Ctx, target: Target, {untold}: Proof): Promise<number | null> {
  const {name, store} = storeFor(world, target);
  world.counted.add(memberOf(target));
  const mark = world.marks.get(name);
  const since =
    mark === undefined ? null : await store.abilities.loss?.since?.(memberOf(target), mark, ctx.signal, untold).catch(() => null);
  return since?.transactions ?? null;
}

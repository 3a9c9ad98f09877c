import {z} from 'zod';
import {isNotOurs} from '../errors.ts';
import type {Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Target} from '../plan/plan.ts';
import type {Abilities, Proof, Store} from '../ports/store.ts';
import {runUntilItHolds} from './run-hook.ts';
import {abilityOf, memberOf, type StoreWorld, storeFor} from './store-world.ts';

/** What a fence accepts. `need` standbys must be sealed for a proof by quorum (0 = the quorum proves nothing). */
export const fenceArguments = z.object({
  need: z.number().int().min(0),
  others: z.number().int().min(0),
  standbys: z.array(z.string()),
  accept: z.array(z.enum(['stopped', 'closed', 'sealed', 'hook', 'break-glass'])),
  /** A seal counts only after this process has tried for a better proof: what can be closed must be closed. */
  tried: z.boolean().optional(),
  /** It must be able to follow at once: a clean stop, however fast it could be closed. */
  clean: z.boolean().optional(),
});
export type FenceArguments = z.infer<typeof fenceArguments>;

/** Ways in which a sealed primary may still acknowledge: the session asked for less, or a wait was cancelled. Its sessions must be cut. */
export const SEAL_LEAKS = ['synchronous_commit=local', 'cancelled commits'] as const;

/** How long a member may take to say that it can be reached at all, when sealing is a proof already. */
const REACH_MS = 250;
/** As long as that only its host is waited for, when its port is closed. */
const REFUSED_MS = 50;

/** A proof that holds now, without touching anything. null = none of the accepted ones. */
export async function findProof(world: StoreWorld, ctx: Ctx, target: Target, args: FenceArguments): Promise<Proof | null> {
  const began = ctx.now();
  const fresh = freshProof(world, ctx, target, args);
  if (fresh !== null) return fresh;
  const proof = await lookForProof(world, ctx, target, args);
  // Where it lasts, however long its host took to say so, it held when it had.
  const made = world.proofs.get(memberOf(target));
  const held = proof?.kind === 'stopped' && made !== undefined && lasts(made);
  if (proof !== null) world.provenAt.set(target.store ?? '', held ? ctx.now() : began);
  return proof;
}

/**
 * The proof that this very process made a moment ago. A promotion takes place within a second of the proof that it rests on, by the server's own
 * check; what is much younger is not asked again while traffic is held. A process that was stopped meanwhile finds it too old.
 */
function freshProof(world: StoreWorld, ctx: Ctx, target: Target, {accept}: FenceArguments): Proof | null {
  const proof = world.proofs.get(memberOf(target));
  const at = world.provenAt.get(target.store ?? '');
  if (proof === undefined || at === undefined || ctx.now() - at > FRESH_MS) return null;
  // Only what a restart does not undo: a server that stopped by itself may be back by now.
  return lasts(proof) && accept.includes(proof.kind) ? proof : null;
}

/** Closed, or stopped after it was: started again by whoever, it lets nobody in. */
const lasts = ({kind, survivesRestart}: Proof): boolean => (kind === 'closed' || kind === 'stopped') && survivesRestart;

/** Well below the second that a proof may be old when a promotion takes effect. */
const FRESH_MS = 300;

async function lookForProof(world: StoreWorld, ctx: Ctx, target: Target, args: FenceArguments): Promise<Proof | null> {
  const member = memberOf(target);
  if (args.tried === true && !world.tried.has(member)) return null;
  const sealed = await sealedProof(world, ctx, target, args);
  const hadBetter = world.tried.has(member) && world.tried.get(member) !== 'sealed';
  if (sealed !== null && !hadBetter) return sealed;
  const hooked = args.accept.includes('hook') ? await hookStillHolds(world, ctx, target) : null;
  if (hooked !== null) return hooked;
  const looked = abilityOf(world, target, 'fence').prove(ctx, member);
  const onMember = sealed === null ? await looked : await soon(world, ctx, looked);
  return onMember !== null && args.accept.includes(onMember.kind) ? onMember : sealed;
}

/** Fences by the best means that can be had; falls back on the seal that already holds. Throws (77) when neither is there. */
export async function makeProof(world: StoreWorld, ctx: Ctx, target: Target, args: FenceArguments): Promise<Proof> {
  world.spared?.add(memberOf(target));
  const began = ctx.now();
  const sealed = await sealedProof(world, ctx, target, args);
  // A lost region must not cost the time that the seal saves; one that can be reached is closed properly, however long that takes.
  const best = sealed === null || (await reachable(world, ctx, target)) ? await bestOnMember(world, ctx, target, args, sealed) : sealed;
  world.tried.set(memberOf(target), best.kind);
  world.proofs.set(memberOf(target), best);
  world.provenAt.set(target.store ?? '', lasts(best) && best.found !== true ? ctx.now() : began);
  return best;
}

async function bestOnMember(world: StoreWorld, ctx: Ctx, target: Target, args: FenceArguments, sealed: Proof | null): Promise<Proof> {
  const member = memberOf(target);
  // Cut short, the look at the seal told nothing, and nothing has been touched so far.
  ctx.signal.throwIfAborted();
  world.spared?.delete(member);
  try {
    const proof = await abilityOf(world, target, 'fence').fence(ctx, member, await howToFence(world, ctx, target, args));
    if (proof.found) world.spared?.add(member);
    return proof;
  } catch (error) {
    if (sealed !== null) return sealed;
    // Another's now, or nobody's: not to be fenced in another way either.
    if (isNotOurs(error)) throw error;
    const hooked = args.accept.includes('hook') ? await hookProof(world, ctx, target) : null;
    if (hooked !== null) return hooked;
    if (!args.accept.includes('break-glass')) throw error;
    return {kind: 'break-glass', at: isoNow(world), survivesRestart: false, leaks: ['everything: nobody proved that it stopped']};
  }
}

type FenceHow = NonNullable<Parameters<Abilities['fence']['fence']>[2]>;

/** One that came back in the middle of a failover is kept readable: what it acknowledged alone meanwhile is counted once there is a new primary. */
async function howToFence(world: StoreWorld, ctx: Ctx, target: Target, {accept, standbys, clean}: FenceArguments): Promise<FenceHow> {
  if (accept.includes('sealed')) return {untold: true, keepRunning: true};
  // Standbys take what it writes until then, so clients may write until then.
  const lossless = standbys.length > 0 ? ({lossless: true} as const) : {};
  return clean !== true && (await canRewind(world, ctx, target)) ? {...lossless, keepRunning: true} : lossless;
}

/**
 * A planned stop ships everything and lets the member follow later, but clients wait for it. Closed is as good a proof; what the member
 * writes to its log after the promotion is then taken back by a rewind, if its host has one.
 */
async function canRewind(world: StoreWorld, ctx: Ctx, target: Target): Promise<boolean> {
  const {rejoin} = storeFor(world, target).store.abilities;
  const options = await rejoin?.rewinds?.(memberOf(target), ctx.signal).catch(() => false);
  return options === true;
}

/** The fleet file's own way to fence, and its own check that it did. null = it has none. Throws when it ran and proved nothing. */
async function hookProof(world: StoreWorld, ctx: Ctx, target: Target): Promise<Proof | null> {
  const {spec} = storeFor(world, target);
  if (spec.fenceHook === null) return null;
  const place = {region: target.region ?? null, store: spec.name, member: memberOf(target)};
  await runUntilItHolds(world.hooks, spec.fenceHook, place, ctx, (ms, signal) => world.clock.sleep(ms, signal));
  return {kind: 'hook', at: isoNow(world), survivesRestart: true, leaks: [`what the hook ${spec.fenceHook} does not see`]};
}

/** A hook's proof asked again: its verify, without running it. */
async function hookStillHolds(world: StoreWorld, ctx: Ctx, target: Target): Promise<Proof | null> {
  const {spec} = storeFor(world, target);
  if (spec.fenceHook === null || world.tried.get(memberOf(target)) !== 'hook') return null;
  const place = {region: target.region ?? null, store: spec.name, member: memberOf(target)};
  const {holds} = await world.hooks.verify(spec.fenceHook, place, ctx);
  return holds === true ? (world.proofs.get(memberOf(target)) ?? null) : null;
}

/** Whether the member, or its host, says anything within a moment. */
async function reachable(world: StoreWorld, ctx: Ctx, target: Target): Promise<boolean> {
  const member = memberOf(target);
  const done = new AbortController();
  const bounded = {...ctx, signal: AbortSignal.any([ctx.signal, done.signal])};
  const seen = storeFor(world, target).store.observe(bounded.signal, [member]);
  const answers = seen.then((cells) => cells[member]?.known === true || Promise.reject(new Error('it does not answer')));
  const proven = abilityOf(world, target, 'fence')
    .prove(bounded, member)
    .then((proof) => proof !== null || Promise.reject(new Error('nothing is proven')));
  const found = await soon(world, ctx, Promise.race([Promise.any([answers, proven]), givenUp(world, bounded, seen, member)]));
  done.abort();
  return found === true;
}

/** Nobody listens there: its host may still say so itself, but is waited for no longer than clients can spare. */
async function givenUp(world: StoreWorld, ctx: Ctx, seen: ReturnType<Store['observe']>, member: string): Promise<false> {
  const cell = (await seen)[member];
  const refused = cell?.known === false && cell.code === 'refused';
  await world.clock.sleep(refused ? REFUSED_MS : REACH_MS, ctx.signal);
  return false;
}

/** What is asked if it answers within a moment, else null. Its failure is no answer either. */
async function soon<T>(world: StoreWorld, ctx: Ctx, asked: Promise<T>): Promise<T | null> {
  const done = new AbortController();
  const late = world.clock.sleep(REACH_MS, AbortSignal.any([ctx.signal, done.signal])).then(
    () => null,
    () => null,
  );
  const found = await Promise.race([asked.catch(() => null), late]);
  done.abort();
  return found;
}

/** Sealed: so many standbys have let go that no quorum can be formed behind our back. */
async function sealedProof(world: StoreWorld, ctx: Ctx, target: Target, args: FenceArguments): Promise<Proof | null> {
  if (args.need === 0 || !args.accept.includes('sealed')) return null;
  const cells = await abilityOf(world, target, 'seal').sealed(ctx, args.standbys);
  const sealed = args.standbys.filter((name) => {
    const cell = cells[name];
    return cell?.known === true && cell.value;
  });
  return sealed.length < args.need ? null : {kind: 'sealed', at: isoNow(world), survivesRestart: true, leaks: SEAL_LEAKS};
}

function isoNow(world: StoreWorld): string {
  return new Date(world.clock.wall()).toISOString();
}

/** A proof as it is journaled and shown. */
export function proofJson(proof: Proof): Json {
  return {
    kind: proof.kind,
    at: proof.at,
    survivesRestart: proof.survivesRestart,
    leaks: [...proof.leaks],
    position: proof.position ?? null,
  };
}

import {z} from 'zod';
import type {Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Target} from '../plan/plan.ts';
import type {Proof} from '../ports/store.ts';
import {abilityOf, memberOf, type StoreWorld} from './store-world.ts';

/** What a fence accepts. `need` standbys must be sealed for a proof by quorum (0 = the quorum proves nothing). */
export const fenceArguments = z.object({
  need: z.number().int().min(0),
  others: z.number().int().min(0),
  standbys: z.array(z.string()),
  accept: z.array(z.enum(['stopped', 'closed', 'sealed', 'hook', 'break-glass'])),
  /** A seal counts only after this process has tried for a better proof: what can be closed must be closed. */
  tried: z.boolean().optional(),
});
export type FenceArguments = z.infer<typeof fenceArguments>;

/** Ways in which a sealed primary may still acknowledge: the session asked for less, or a wait was cancelled. Its sessions must be cut. */
export const SEAL_LEAKS = ['synchronous_commit=local', 'cancelled commits'] as const;

/** How long a better proof is looked for when sealing is one already. */
const BETTER_PROOF_MS = 250;

/** The best proof there is now, without touching anything. null = none of the accepted ones. */
export async function findProof(world: StoreWorld, ctx: Ctx, target: Target, args: FenceArguments): Promise<Proof | null> {
  const member = memberOf(target);
  const sealed = args.accept.includes('sealed') ? await sealedProof(world, ctx, target, args) : null;
  if (sealed !== null && (args.tried !== true || world.tried.has(member))) return sealed;
  const looked = abilityOf(world, target, 'fence').prove(within(ctx, sealed === null ? null : BETTER_PROOF_MS), member);
  const onMember = sealed === null ? await looked : await better(looked, world);
  return onMember !== null && args.accept.includes(onMember.kind) ? onMember : null;
}

/** Fences by the best means that can be had; falls back on the seal that already holds. Throws (77) when neither is there. */
export async function makeProof(world: StoreWorld, ctx: Ctx, target: Target, args: FenceArguments): Promise<Proof> {
  const sealed = args.accept.includes('sealed') ? await sealedProof(world, ctx, target, args) : null;
  const member = memberOf(target);
  const fencing = abilityOf(world, target, 'fence').fence(within(ctx, sealed === null ? null : BETTER_PROOF_MS), member);
  if (sealed !== null) {
    const best = await better(fencing, world);
    world.tried.add(member);
    return best ?? sealed;
  }
  try {
    return await fencing;
  } catch (error) {
    if (!args.accept.includes('break-glass')) throw error;
    return {kind: 'break-glass', at: isoNow(world), survivesRestart: false, leaks: ['everything: nobody proved that it stopped']};
  }
}

/** Sealed: so many standbys have let go that no quorum can be formed behind our back. */
async function sealedProof(world: StoreWorld, ctx: Ctx, target: Target, args: FenceArguments): Promise<Proof | null> {
  if (args.need === 0) return null;
  const cells = await abilityOf(world, target, 'seal').sealed(ctx, args.standbys);
  const sealed = args.standbys.filter((name) => {
    const cell = cells[name];
    return cell?.known === true && cell.value;
  });
  return sealed.length < args.need ? null : {kind: 'sealed', at: isoNow(world), survivesRestart: true, leaks: SEAL_LEAKS};
}

/** A better proof must not cost the time that the weaker one saves: it is waited for only shortly, and its failure is no failure. */
async function better(looked: Promise<Proof | null>, world: StoreWorld): Promise<Proof | null> {
  const give = new AbortController();
  const late = world.clock.sleep(BETTER_PROOF_MS, give.signal).then(
    () => null,
    () => null,
  );
  const found = await Promise.race([looked.catch(() => null), late]);
  give.abort();
  return found;
}

function within(ctx: Ctx, ms: number | null): Ctx {
  if (ms === null) return ctx;
  return {...ctx, deadline: Math.min(ctx.deadline, ctx.now() + ms), signal: AbortSignal.any([ctx.signal, AbortSignal.timeout(ms)])};
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

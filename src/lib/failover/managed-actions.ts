import {z} from 'zod';
import type {Action, Answer, Check, Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Target} from '../plan/plan.ts';
import {action, lookAtPromotion, stillPrimary, until} from './store-actions.ts';
import {abilityOf, memberOf, readMembers, type StoreWorld, storeFor, withFix} from './store-world.ts';

const handoverArguments = z.object({from: z.string(), epoch: z.number().int(), planned: z.boolean()});
const upstreamArguments = z.object({upstream: z.string()});
const fitWanted = z.object({from: z.string(), planned: z.boolean()});

/** The actions on stores whose own manager moves the primary: it is asked, and nothing is done around it. */
export function managedActions(world: StoreWorld): readonly Action[] {
  return [
    action({
      name: 'store.handover',
      effect: 'irreversible',
      schema: handoverArguments,
      describe: (target, {from, planned}) =>
        `ask the manager of ${target.store} to ${planned ? `hand over from ${from}` : 'fail over'} to ${target.member}`,
      still: (ctx, target, _args, result) => stillPrimary(world, ctx, target, result),
      look: (ctx, target, {epoch}) => lookAtPromotion(world, ctx, target, epoch),
      apply: async (ctx, target, {from, planned}) => {
        const position = await abilityOf(world, target, 'manage').handover(ctx, {from, to: memberOf(target), planned});
        return {position: {...position}};
      },
    }),
    action({
      name: 'store.await-following',
      effect: 'none',
      schema: upstreamArguments,
      describe: (target, {upstream}) => `wait until ${target.member} streams from ${upstream}`,
      apply: (ctx, target, args) => awaitFollowing(world, ctx, target, args.upstream),
    }),
  ];
}

/** Whether the manager has anything against the move. */
export function managedChecks(world: StoreWorld): readonly Check[] {
  return [{name: 'store.fit', ask: (ctx, target, want) => fitness(world, ctx, target, fitWanted.parse(want))}];
}

async function fitness(world: StoreWorld, ctx: Ctx, target: Target, {from, planned}: z.infer<typeof fitWanted>): Promise<Answer> {
  const findings = await abilityOf(world, target, 'manage').fit({from, to: memberOf(target), planned}, ctx.signal);
  const errors = findings.filter(({verdict}) => verdict === 'error');
  const unknowns = findings.filter(({verdict}) => verdict === 'unknown');
  const [first] = [...errors, ...unknowns];
  const others = findings.filter(({verdict}) => verdict === 'warning').map(({says}) => says);
  return {
    holds: errors.length > 0 ? false : unknowns.length > 0 ? null : true,
    measured: findings.map(({check, verdict}) => ({check, verdict})),
    says: first === undefined ? others.join('; ') || `the manager of ${target.store} has nothing against it` : withFix(first),
  };
}

async function awaitFollowing(world: StoreWorld, ctx: Ctx, target: Target, upstream: string): Promise<Json> {
  const {store} = storeFor(world, target);
  await until(world, ctx, `${target.member} does not follow ${upstream}`, async () => {
    // Its manager may just be starting it again as a standby: who does not answer yet is waited for.
    const [seen] = await readMembers(store, [memberOf(target)], ctx);
    return seen?.member.role === 'standby' && seen.member.upstream === upstream && seen.member.heardUpstreamAgoMs !== null;
  });
  return {says: `${target.member} streams from ${upstream}`};
}

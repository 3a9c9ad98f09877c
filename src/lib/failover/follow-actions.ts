import {z} from 'zod';
import type {Action} from '../plan/action.ts';
import {action} from './store-actions.ts';
import {abilityOf, memberOf, type StoreWorld} from './store-world.ts';

const upstream = z.object({upstream: z.string()});

/** The actions that bring a standby under another primary as it is. */
export function followActions(world: StoreWorld): readonly Action[] {
  return [follow(world), point(world)];
}

const follow = (world: StoreWorld) =>
  action({
    name: 'store.follow',
    effect: 'reversible',
    schema: upstream,
    describe: (target, args) => `point ${target.member} at ${args.upstream} and wait until it streams`,
    apply: async (ctx, target, args) => {
      await abilityOf(world, target, 'follow').follow(ctx, memberOf(target), args.upstream);
      return null;
    },
  });

/** For one that cannot follow yet. */
const point = (world: StoreWorld) =>
  action({
    name: 'store.point',
    effect: 'reversible',
    schema: upstream,
    describe: (target, args) => `point ${target.member} at ${args.upstream}, and wait for nothing`,
    apply: async (ctx, target, args) => {
      await abilityOf(world, target, 'follow').point(ctx, memberOf(target), args.upstream);
      return null;
    },
  });

import {isDeepStrictEqual} from 'node:util';
import {z} from 'zod';
import {timeoutAwake} from '../awake.ts';
import {refused, unavailable} from '../errors.ts';
import type {Action, Check} from '../plan/action.ts';
import type {Target} from '../plan/plan.ts';
import type {Clock} from '../ports/clock.ts';
import type {Router} from '../ports/router.ts';
import {postOrder} from './post-order.ts';
import {action} from './store-actions.ts';

const weightsArguments = z.object({weights: z.record(z.string(), z.number().min(0).max(100)), cut: z.boolean()});
const writeArguments = z.object({url: z.url(), deadlineMs: z.number().positive()});
const WRITE_PAUSE_MS = 20;

export type TrafficWorld = {readonly clock: Clock; readonly routers: Readonly<Record<string, Router>>};

/** Moves traffic, and proves from outside that a write is accepted where it should be. */
export function trafficActions(world: TrafficWorld): readonly Action[] {
  return [setWeights(world), verifyWrite(world)];
}

/** Questions about routers. */
export function trafficChecks(world: TrafficWorld): readonly Check[] {
  return [
    {
      name: 'route.weights',
      ask: async (ctx, target, want) => {
        const weights = await routerOf(world, target).read(ctx.signal);
        const holds = isDeepStrictEqual({...weights}, want);
        return {holds, measured: {...weights}, says: `${target.router} sends ${describeWeights(weights)}`};
      },
    },
    {
      name: 'route.weights-among',
      ask: async (ctx, target, want) => {
        const weights = await routerOf(world, target).read(ctx.signal);
        const all = z.array(z.record(z.string(), z.number())).parse(want);
        const holds = all.some((each) => isDeepStrictEqual({...weights}, each));
        const says = `${target.router} sends ${describeWeights(weights)}`;
        return {holds, measured: {...weights}, says: holds ? says : `${says}, and not ${all.map(describeWeights).join(' or ')}`};
      },
    },
  ];
}

const setWeights = (world: TrafficWorld) =>
  action({
    name: 'route.weights',
    effect: 'reversible',
    schema: weightsArguments,
    describe: (target, {weights, cut}) => `set ${target.router} to ${describeWeights(weights)}${cut ? ' and cut open sessions' : ''}`,
    apply: async (ctx, target, {weights, cut}) => {
      const router = routerOf(world, target);
      await router.write(ctx, weights);
      if (!cut || router.cut === undefined) return {cut: null};
      let ended = 0;
      for (const region of Object.keys(weights)) ended += await router.cut(ctx, region);
      return {cut: ended};
    },
  });

const verifyWrite = (world: TrafficWorld) =>
  action({
    name: 'verify.write',
    effect: 'none',
    schema: writeArguments,
    describe: (target, {url}) => `POST a numbered order to ${url} until ${target.region} answers it`,
    apply: async (ctx, target, args) => {
      let last = 'no answer';
      while (ctx.now() < ctx.deadline) {
        const signal = AbortSignal.any([ctx.signal, timeoutAwake(args.deadlineMs)]);
        const answer = await postOrder(args.url, `verify-${ctx.runId}-${Math.round(ctx.now())}`, signal);
        if (answer.ok && answer.region === target.region) return {region: answer.region, says: `${answer.region} accepted a write`};
        last = answer.ok ? `${answer.region ?? 'an unnamed region'} answered` : answer.text;
        // Cut short by the deadline, what was answered last is told below: it says more than that time is over.
        await world.clock.sleep(WRITE_PAUSE_MS, ctx.signal).catch((error: unknown) => {
          if (ctx.now() < ctx.deadline) throw error;
        });
      }
      throw unavailable('write-refused', `no write was accepted by ${target.region} through the front door: ${last}`);
    },
  });

/** The router of a route. */
export function routerOf(world: TrafficWorld, target: Target): Router {
  const router = world.routers[target.router ?? ''];
  if (router === undefined) throw refused('unknown-route', `the fleet file has no route called "${target.router}" any more`);
  return router;
}

function describeWeights(weights: Readonly<Record<string, number>>): string {
  return Object.entries(weights)
    .map(([region, weight]) => `${region} ${weight}`)
    .join(', ');
}

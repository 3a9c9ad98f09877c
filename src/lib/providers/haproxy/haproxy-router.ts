import {isDeepStrictEqual} from 'node:util';
import {isRegionctlError, messageOf, unavailable} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Clock} from '../../ports/clock.ts';
import type {Router} from '../../ports/router.ts';
import {countHalfClosed} from './half-closed.ts';
import {ask, type Bounds, order, type RuntimePlace} from './runtime-api.ts';
import {parseServersState, parseSessions, pick, type ServerStates} from './servers.ts';
import {keepState, requireWritable} from './state-file.ts';
import {
  checkConfigured,
  checkTaken,
  checkWanted,
  commandsFor,
  type RegionServers,
  type RegionWeights,
  regionWeights,
  requireRegion,
  serverWeights,
} from './weights.ts';

/** One HAProxy of a route, and where its state is kept for its next start. */
export type Instance = {readonly place: RuntimePlace; readonly stateFile: string | null};

/** A route through one or more HAProxy. `name` is the route's, for people. */
export type HaproxyRoute = {
  readonly name: string;
  readonly servers: RegionServers;
  readonly instances: readonly Instance[];
  readonly clock: Clock;
};

const COMMAND_MS = 2000;
/** How long sessions may take to be gone after they were told to end. */
const CUT_MS = 5000;
const CUT_PAUSE_MS = 10;
/** Left of a step's deadline for the last look, so that it tells what it saw. */
const LAST_LOOK_MS = 200;

/**
 * Router over the runtime API of HAProxy. Every instance takes part in everything: one that does not answer, or that differs from the others,
 * is an error that names it. A write looks at all of them before it changes anything, and has succeeded when each was read back as wanted.
 */
export function haproxyRouter(route: HaproxyRoute): Router & Required<Pick<Router, 'cut'>> {
  return {
    async read(signal) {
      return agreed(await onEach(route, ({place}) => readWeights(route, place, {deadlineMs: COMMAND_MS, signal})));
    },
    async write(ctx, weights) {
      ctx.signal.throwIfAborted();
      checkWanted(weights, route.servers, route.name);
      await onEach(route, (instance) => ready(route, instance, ctx));
      await onEach(route, (instance) => apply(route, instance, ctx, weights));
    },
    async cut(ctx, region) {
      requireRegion(region, route.servers, route.name);
      const counts = await onEach(route, (instance) => endSessions(route, instance, ctx, route.servers[region] ?? []));
      return counts.reduce((sum, [, count]) => sum + count, 0);
    },
  };
}

async function readWeights(route: HaproxyRoute, place: RuntimePlace, bounds: Bounds): Promise<RegionWeights> {
  const {states} = await look(place, Object.values(route.servers).flat(), bounds);
  checkConfigured(states, place.name);
  return regionWeights(states, route.servers, place.name);
}

/** Answers and could be written to: what can be known before the first change. */
async function ready(route: HaproxyRoute, {place, stateFile}: Instance, ctx: Ctx): Promise<void> {
  const {states} = await look(place, Object.values(route.servers).flat(), boundsOf(ctx));
  checkConfigured(states, place.name);
  if (stateFile !== null) await requireWritable(stateFile);
}

async function apply(route: HaproxyRoute, {place, stateFile}: Instance, ctx: Ctx, weights: RegionWeights): Promise<void> {
  const wanted = serverWeights(weights, route.servers);
  for (const [server, weight] of wanted) for (const command of commandsFor(server, weight)) await order(place, command, boundsOf(ctx));
  const {states, reply} = await look(
    place,
    wanted.map(([server]) => server),
    boundsOf(ctx),
  );
  if (stateFile !== null) await keepState(stateFile, reply);
  checkTaken(states, wanted, place.name);
}

/** Ends the sessions of the servers, and answers how many there were. Where no new ones can come, it waits until none is left. */
async function endSessions({clock}: HaproxyRoute, {place}: Instance, ctx: Ctx, servers: readonly string[]): Promise<number> {
  const {states} = await look(place, servers, boundsOf(ctx));
  const before = await sessionsOf(place, servers, ctx);
  for (const server of servers) await order(place, `shutdown sessions server ${server}`, boundsOf(ctx));
  // Drained is not enough: clients that stick to a server may still come.
  const held = servers.filter((server) => states.get(server)?.maintenance === true);
  const until = Math.min(clock.now() + CUT_MS, ctx.deadline - LAST_LOOK_MS);
  for (;;) {
    const left = held.length === 0 ? 0 : await sessionsOf(place, held, ctx);
    if (left === 0 || left === (await halfClosed(place, held, ctx))) return before;
    if (clock.now() >= until)
      throw unavailable('sessions-left', `${place.name} still has ${left} sessions to ${held.join(', ')} after they were shut down`, {
        suggestions: ['set "timeout client-fin 1s" in HAProxy: it never ends sessions by itself whose client has closed its half'],
      });
    await clock.sleep(CUT_PAUSE_MS, ctx.signal);
    // One that came in between the weight and the first order.
    for (const server of held) await order(place, `shutdown sessions server ${server}`, boundsOf(ctx));
  }
}

/** They send nothing more, and what they sent was passed on before: they are as good as gone. */
async function halfClosed(place: RuntimePlace, servers: readonly string[], ctx: Ctx): Promise<number | null> {
  const info = await ask(place, 'show info', boundsOf(ctx));
  return countHalfClosed(info, await ask(place, 'show sess', boundsOf(ctx)), servers);
}

async function sessionsOf(place: RuntimePlace, servers: readonly string[], ctx: Ctx): Promise<number> {
  const sessions = parseSessions(await ask(place, 'show stat -1 4 -1', boundsOf(ctx)), place.name);
  return [...pick(sessions, servers, place.name).values()].reduce((sum, count) => sum + count, 0);
}

async function look(place: RuntimePlace, servers: readonly string[], bounds: Bounds): Promise<{states: ServerStates; reply: string}> {
  const reply = await ask(place, 'show servers state', bounds);
  return {reply, states: pick(parseServersState(reply, place.name), servers, place.name)};
}

/** Asks every instance at once, and waits for all: one that fails must not hide another. Throws one error that names each. */
async function onEach<T>({instances}: HaproxyRoute, work: (instance: Instance) => Promise<T>): Promise<readonly (readonly [string, T])[]> {
  const results = await Promise.allSettled(instances.map(async (each) => [each.place.name, await work(each)] as const));
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (failures.length === 0) return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const [first] = failures;
  if (failures.length === 1 || !failures.every(isRegionctlError)) throw first;
  const [leading] = failures.filter(isRegionctlError);
  throw unavailable(leading?.code ?? 'router-unreachable', failures.map(messageOf).join('; '), {suggestions: leading?.suggestions ?? []});
}

/** The weights that all instances have. Throws `router-differs` (exit 69) when they do not have the same. */
function agreed([first, ...others]: readonly (readonly [string, RegionWeights])[]): RegionWeights {
  const other = others.find(([, weights]) => !isDeepStrictEqual(weights, first?.[1]));
  if (other === undefined) return first?.[1] ?? {};
  const says = [first, other].map((each) => `${each?.[0]} has ${told(each?.[1] ?? {})}`);
  throw unavailable('router-differs', `the instances do not agree: ${says.join(', ')}`, {
    suggestions: ['set the weights of all of them alike: they may have been restarted without a state file'],
  });
}

function told(weights: RegionWeights): string {
  return Object.entries(weights)
    .map(([region, weight]) => `${region} ${weight}`)
    .join(' and ');
}

/** The bounds of one command within an effect: never past the effect's own deadline. */
function boundsOf(ctx: Ctx): Bounds {
  return {deadlineMs: Math.min(COMMAND_MS, ctx.deadline - ctx.now()), signal: ctx.signal};
}

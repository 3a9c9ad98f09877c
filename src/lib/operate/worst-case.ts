import {timeoutAwake} from '../awake.ts';
import {messageOf} from '../errors.ts';
import {findPrimary} from '../failover/find-primary.ts';
import {type Contribution, worstCases} from '../failover/worst-case.ts';
import {worstCaseFinding} from '../failover/worst-case-says.ts';
import type {Endpoint, Fleet, RouteSpec, StoreSpec} from '../fleet/fleet.ts';
import {ATTEMPTS, longestAskMs} from '../health/ask.ts';
import {formatMs} from '../output/units.ts';
import type {Finding} from '../ports/finding.ts';
import type {Delay, Store} from '../ports/store.ts';
import type {Viewer} from '../ports/vantage.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {unknown} from '../snapshot/cell.ts';
import {nameIn, ttlSeconds} from './dns-ttl.ts';

/** What is asked here. For tests: how a name's time to live is found, in seconds, and how long one store may take to tell its settings. */
export type WorstCaseWorld = Pick<OpenFleet, 'fleet' | 'stores'> & {
  /** Who looks at which endpoint besides us. Default: nobody. */
  readonly probes?: OpenFleet['probes'];
  readonly ttl?: (name: string, signal: AbortSignal) => Promise<number>;
  readonly storeMs?: number;
};

const STORE_MS = 5000;
/** The looks at endpoints and stores that go on at the same time: a plan waits for all of them. */
const LOOKING = 'looking';
/** Only one region takes over. */
const WARMING = 'warm-up';

/**
 * How long a failover of each service class takes at worst, from settings as they are now: one finding each. The time until somebody, or
 * something, starts it is not in it. Reads only; never rejects for the state of the world.
 */
export async function worstCaseFindings(world: WorstCaseWorld, signal: AbortSignal): Promise<readonly Finding[]> {
  const {stores, ttl = ttlSeconds, storeMs = STORE_MS} = world;
  // What no plan moves takes no part in a failover: nobody waits for it.
  const isMoved = (store: Store | undefined): boolean => store?.peers !== true && store?.watched !== true;
  const fleet = {...world.fleet, stores: world.fleet.stores.filter(({name}) => isMoved(stores[name]))};
  if (fleet.services.length === 0) return [];
  const [told, names] = await Promise.all([
    Promise.all(fleet.stores.map((spec) => storeSays(spec, stores[spec.name], fleet, {signal, forMs: storeMs}))),
    Promise.all(fleet.routes.map((route) => ttlOf(route, ttl, signal))),
  ]);
  const primaries = Object.fromEntries(told.map(({name, primary}) => [name, primary]));
  const contributions = [
    ...fleet.regions.flatMap(({endpoints}) => endpoints.map((endpoint) => endpointSays(endpoint, slowestViewer(world, endpoint)))),
    ...told.flatMap((each) => each.contributions),
    ...names.flat(),
    ...warmUps(fleet),
  ];
  const peopleMs = fleet.approval === null ? null : fleet.approval.expiresMs * fleet.approval.before.length;
  return worstCases({fleet, primaries, contributions}).map((worst) => worstCaseFinding(worst, peopleMs));
}

/** A verdict waits for the vantage points as well, and the way to them takes longer. */
function slowestViewer({probes = []}: WorstCaseWorld, asked: Endpoint): Viewer | null {
  const others = probes.find(({endpoint}) => endpoint.region === asked.region && endpoint.name === asked.name)?.others ?? [];
  return others.reduce<Viewer | null>((slowest, viewer) => (viewer.timeoutMs > (slowest?.timeoutMs ?? 0) ? viewer : slowest), null);
}

function endpointSays({name, region, timeoutMs}: Endpoint, viewer: Viewer | null): Contribution {
  const who = `${region}/${name}`;
  const besides = viewer === null ? '' : `, and by ${viewer.vantage} within ${formatMs(viewer.timeoutMs)}`;
  return {
    stage: 'detect',
    what: who,
    ms: longestAskMs(Math.max(timeoutMs, viewer?.timeoutMs ?? 0)),
    why: `the endpoint ${who} has a timeout of ${formatMs(timeoutMs)}${besides} and is asked ${ATTEMPTS.fall} times, ${ATTEMPTS.pauseMs} ms apart`,
    fix: `lower the timeout of the endpoint ${who}`,
    together: LOOKING,
    concerns: {},
  };
}

type StoreSays = {readonly name: string; readonly primary: string | null; readonly contributions: readonly Contribution[]};

type Bounds = {readonly signal: AbortSignal; readonly forMs: number};

async function storeSays(spec: StoreSpec, store: Store | undefined, fleet: Fleet, {signal, forMs}: Bounds): Promise<StoreSays> {
  const {name} = spec;
  if (store === undefined) return {name, primary: null, contributions: [unread(name, 'it was not opened')]};
  const limited = AbortSignal.any([signal, timeoutAwake(forMs)]);
  const [primary, delays] = await Promise.all([primaryRegion(spec, store, limited), delaysOf(name, store, limited)]);
  signal.throwIfAborted();
  return {name, primary, contributions: [...delays, ...fenceHook(spec, fleet)]};
}

async function primaryRegion(spec: StoreSpec, store: Store, signal: AbortSignal): Promise<string | null> {
  try {
    const members = await within(store.observe(signal), signal);
    return findPrimary({engine: store.engine, ack: unknown('not-read', 'it was not asked', 0), members}, spec)?.region ?? null;
  } catch {
    return null;
  }
}

async function delaysOf(name: string, store: Store, signal: AbortSignal): Promise<readonly Contribution[]> {
  const {delays, timings} = store.abilities;
  try {
    if (timings !== undefined) return [managed(name, store, await within(timings.timings(signal), signal))];
    if (delays !== undefined) return (await within(delays.delays(signal), signal)).map((delay) => ofStore(name, delay));
    return [unread(name, `its engine (${store.engine}) does not tell what a failover waits for`)];
  } catch (error) {
    return [unread(name, messageOf(error).replace(/\.$/, ''))];
  }
}

/** A look goes on beside the others, whichever store it is at; what is waited for later belongs to the stores that move. */
function ofStore(store: string, delay: Delay): Contribution {
  return delay.stage === 'detect' ? {...delay, together: LOOKING, concerns: {}} : {...delay, together: null, concerns: {store}};
}

/** It moves on by itself from the moment of the loss, while we still look. */
function managed(store: string, {manager = 'its manager'}: Store, {detectMs, why}: {detectMs: number; why: string}): Contribution {
  const fix = `shorten the timers of ${manager} for ${store}`;
  return {stage: 'detect', what: `${manager} of ${store}`, ms: detectMs, why, fix, together: LOOKING, concerns: {store}};
}

function unread(store: string, why: string): Contribution {
  return {stage: 'cut-over', what: `the settings of ${store}`, ms: null, why, fix: null, together: null, concerns: {store}};
}

/** Under a quorum the seal is the proof, and the hook is not run. */
function fenceHook({name, quorum, fenceHook: hook}: StoreSpec, {hooks}: Fleet): readonly Contribution[] {
  const spec = hook === null || quorum > 0 ? undefined : hooks[hook];
  if (hook === null || spec === undefined) return [];
  const why = `the hook ${hook}, which fences ${name}, has a timeout of ${formatMs(spec.timeoutMs)}`;
  const fix = `lower the timeout of the hook ${hook}, or give ${name} a quorum`;
  return [{stage: 'cut-over', what: `the hook ${hook}`, ms: spec.timeoutMs, why, fix, together: null, concerns: {store: name}}];
}

function warmUps({regions, hooks}: Fleet): readonly Contribution[] {
  return regions.flatMap(({name, tier, scaleUp}) => {
    const spec = tier !== 'warm' || scaleUp === null ? undefined : hooks[scaleUp];
    if (spec === undefined) return [];
    const why = `${name} is warm: the hook ${scaleUp} makes it ready, with a timeout of ${formatMs(spec.timeoutMs)}`;
    const fix = `lower the timeout of the hook ${scaleUp}, or keep ${name} hot`;
    return [{stage: 'cut-over', what: `warming ${name} up`, ms: spec.timeoutMs, why, fix, together: WARMING, concerns: {region: name}}];
  });
}

async function ttlOf(
  {name, url}: RouteSpec,
  ttl: (host: string, signal: AbortSignal) => Promise<number>,
  signal: AbortSignal,
): Promise<readonly Contribution[]> {
  const host = url === null ? null : nameIn(url);
  if (host === null) return [];
  const part = {stage: 'cut-over', what: `the name ${host}`, together: `dns:${host}`, concerns: {route: name}} as const;
  try {
    const seconds = await ttl(host, signal);
    const why = `clients of ${name} may keep the address of ${host} for ${formatMs(seconds * 1000)} (DNS TTL)`;
    return [{...part, ms: seconds * 1000, why, fix: `lower the TTL of ${host}`}];
  } catch (error) {
    signal.throwIfAborted();
    return [{...part, ms: null, why: messageOf(error), fix: null}];
  }
}

/** A store that does not heed its signal must not hold up the others. */
async function within<T>(asked: Promise<T>, signal: AbortSignal): Promise<T> {
  const done = new AbortController();
  const late = new Promise<never>((_, reject) => {
    const give = (): void => reject(new Error('it did not tell in time'));
    if (signal.aborted) give();
    signal.addEventListener('abort', give, {signal: done.signal});
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    done.abort();
  }
}

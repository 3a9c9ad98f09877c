import {setImmediate as nextTurn} from 'node:timers/promises';
import type {Endpoint} from '../fleet/fleet.ts';
import type {Clock} from '../ports/clock.ts';
import type {Probe, ProbeResult} from '../ports/probe.ts';
import type {Uplink, Viewer} from '../ports/vantage.ts';
import {type AskOptions, ATTEMPTS, type Attempts, askUntilSure} from './ask.ts';
import {type Observer, startObserver} from './observer.ts';
import {isOnTheWay, type OtherView} from './quorum.ts';
import {createSlots} from './slots.ts';

/** An endpoint with the probe that asks it, and the vantage points that look at it besides. */
export type SweepTarget = {readonly endpoint: Endpoint; readonly probe: Probe; readonly others?: readonly Viewer[]};

/** What one endpoint answered in the end. `at` is when (epoch ms), `attempts` how often it was asked. */
export type EndpointReading = {
  readonly endpoint: Endpoint;
  readonly result: ProbeResult;
  readonly at: number;
  readonly attempts: number;
  /** What other vantage points saw of it; absent = none looked. */
  readonly others?: readonly OtherView[];
};

export type SweepOptions = {
  readonly endpoints: readonly SweepTarget[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly attempts?: Attempts;
  /** What answers as long as this machine is not cut off itself. Default: none, and it is not asked. */
  readonly uplinks?: readonly Uplink[];
  /** For tests: who watches us. */
  readonly observer?: () => Observer;
};

/** So many begin in one turn of the event loop; what came in meanwhile is read before the next ones, so that none waits for the others to begin. */
const BATCH = 16;
/** Asked at once: more than this is only reached by endpoints that hang. */
const AT_ONCE = {each: 1024, all: 2048};

/**
 * Asks every endpoint, each with its own deadline: a slow, hanging or broken one neither delays nor hides another. Readings come in the order of
 * `endpoints`. What failed on the way while none of our uplinks answered says nothing of the endpoint and is not judged. Never rejects; when `signal`
 * is aborted, what had not answered is unknown with code `interrupted`.
 */
export async function probeAll(options: SweepOptions): Promise<EndpointReading[]> {
  const {endpoints, clock, signal, attempts = ATTEMPTS, uplinks = []} = options;
  const observer = (options.observer ?? startObserver)();
  const how: AskOptions = {clock, signal, attempts, observer};
  try {
    const [readings, cut] = await Promise.all([paced(endpoints, how), cutOffBy(uplinks, how)]);
    return cut === null ? readings : readings.map((reading) => withoutUplink(reading, cut));
  } finally {
    observer.stop();
  }
}

async function paced(endpoints: readonly SweepTarget[], how: AskOptions): Promise<EndpointReading[]> {
  const slots = createSlots(AT_ONCE);
  const readings: Promise<EndpointReading>[] = [];
  for (const [index, target] of endpoints.entries()) {
    if (index % BATCH === BATCH - 1) await nextTurn();
    readings.push(slots.take(target.endpoint.region, () => readEndpoint(target, how)));
  }
  return Promise.all(readings);
}

/** One endpoint, by its own probe and by whoever looks at it besides, all at once. */
export async function readEndpoint({endpoint, probe, others = []}: SweepTarget, how: AskOptions): Promise<EndpointReading> {
  const [{result, attempts, at}, ...views] = await Promise.all([
    askUntilSure(probe, endpoint.timeoutMs, how).then((answered) => ({...answered, at: how.clock.wall()})),
    ...others.map((viewer) => viewOf(viewer, how)),
  ]);
  return {endpoint, result, at, attempts, ...(views.length === 0 ? {} : {others: views})};
}

async function viewOf({vantage, region, sees, timeoutMs, probe}: Viewer, how: AskOptions): Promise<OtherView> {
  const {result, attempts} = await askUntilSure(probe, timeoutMs, how);
  // A vantage point that is late itself has not seen the endpoint fail.
  const silent = result.code === 'timeout' && result.facts === undefined;
  const said: ProbeResult = silent ? {...result, ok: null, code: 'vantage-silent', detail: `${vantage} does not answer in time`} : result;
  return {vantage, region, sees, result: said, attempts};
}

/** Why none of our uplinks answers; null = one does, or there are none. */
export async function cutOffBy(uplinks: readonly Uplink[], how: AskOptions): Promise<string | null> {
  const asked = await Promise.all(
    uplinks.map(async ({name, probe, timeoutMs}) => ({name, result: (await askUntilSure(probe, timeoutMs, how)).result})),
  );
  const [first] = asked;
  if (first === undefined || asked.some(({result}) => result.ok === true)) return null;
  return `${first.name}: ${first.result.detail}`;
}

/** A reading of a time when no uplink answered: what failed on the way is not judged. */
export function withoutUplink(reading: EndpointReading, why: string): EndpointReading {
  if (!isOnTheWay(reading.result)) return reading;
  const detail = `not judged: this machine is cut off itself, no uplink answers (${why})`;
  return {...reading, result: {ok: null, latencyMs: null, code: 'no-uplink', detail}};
}

import {setImmediate as nextTurn} from 'node:timers/promises';
import type {Endpoint} from '../fleet/fleet.ts';
import {after, type Clock} from '../ports/clock.ts';
import type {Probe, ProbeResult} from '../ports/probe.ts';
import type {Uplink, Viewer} from '../ports/vantage.ts';
import {type AskOptions, ATTEMPTS, type Attempts, askUntilSure} from './ask.ts';
import {type Observer, startObserver} from './observer.ts';
import {countVotes, isSilent, isUnanswered, type OtherView, provesNetwork} from './quorum.ts';
import {createSlots} from './slots.ts';

/** An endpoint with the probe that asks it, and the vantage points that look at it besides. */
export type SweepTarget = {readonly endpoint: Endpoint; readonly probe: Probe; readonly others?: readonly Viewer[]};

/** What one endpoint answered in the end. `at` is when (epoch ms), `attempts` how often it was asked. */
export type EndpointReading = {
  readonly endpoint: Endpoint;
  readonly result: ProbeResult;
  readonly at: number;
  readonly attempts: number;
  /** When asking began, by the monotonic clock; absent = it does not matter. */
  readonly began?: number;
  /** Its place among the readings of a process that goes on asking; absent = it is the only one. */
  readonly order?: number;
  /** How often its endpoint has failed in a row, this time included; absent = that is not counted. */
  readonly failures?: number;
  /** An uplink answered at the same time: the network is there, and what failed on the way failed by itself. */
  readonly networkSeen?: true;
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
  /** Every vantage point is waited for, also when the rest can change no verdict. Default false. */
  readonly all?: boolean;
  /** For tests: who watches us. */
  readonly observer?: () => Observer;
};

/** So many begin in one turn of the event loop; what came in meanwhile is read before the next ones, so that none waits for the others to begin. */
const BATCH = 16;
/** Asked at once: more than this is only reached by endpoints that hang. */
const AT_ONCE = {each: 1024, all: 2048};

/**
 * Asks every endpoint, each with its own deadline: a slow, hanging or broken one neither delays nor hides another. Readings come in the order of
 * `endpoints`. What failed on the way while no uplink answered says nothing of the endpoint and is not judged. Never rejects; when `signal` is aborted,
 * what had not answered is unknown with code `interrupted`.
 */
export async function probeAll(options: SweepOptions): Promise<EndpointReading[]> {
  const {endpoints, clock, signal, attempts = ATTEMPTS, uplinks = [], all = false} = options;
  const observer = (options.observer ?? startObserver)();
  const how: ReadOptions = {clock, signal, attempts, observer, all};
  const links = askUplinks(uplinks, how);
  try {
    const readings = await paced(endpoints, how);
    // Nobody waits for an uplink while nothing needs it.
    if (uplinks.length === 0 || !readings.some(({result}) => isSilent(result))) return readings;
    const {cut, answered} = await links.state;
    return readings.map((reading) => (cut !== null ? withoutUplink(reading, cut) : answered ? {...reading, networkSeen: true} : reading));
  } finally {
    links.end();
    observer.stop();
  }
}

async function paced(endpoints: readonly SweepTarget[], how: ReadOptions): Promise<EndpointReading[]> {
  const slots = createSlots(AT_ONCE);
  const readings: Promise<EndpointReading>[] = [];
  for (const [index, target] of endpoints.entries()) {
    if (index % BATCH === BATCH - 1) await nextTurn();
    readings.push(slots.take(target.endpoint.region, () => readEndpoint(target, how)));
  }
  return Promise.all(readings);
}

/** How an endpoint is read. `all`: every vantage point is waited for, also when the rest can change nothing. Default false. */
export type ReadOptions = AskOptions & {readonly all?: boolean};

/** How long the other vantage points are still waited for once the verdict stands, in ms. */
const STRAGGLERS_MS = 250;

/** One endpoint, by its own probe and by whoever looks at it besides, all at once. */
export async function readEndpoint({endpoint, probe, others = []}: SweepTarget, how: ReadOptions): Promise<EndpointReading> {
  const began = how.clock.now();
  const own = askUntilSure(probe, endpoint.timeoutMs, how).then((answered) => ({...answered, began, at: how.clock.wall()}));
  if (others.length === 0) return {endpoint, ...(await own)};
  const stop = new AbortController();
  const cancel = (): void => stop.abort(how.signal.reason);
  how.signal.addEventListener('abort', cancel, {once: true});
  if (how.signal.aborted) cancel();
  const views: OtherView[] = others.map(({vantage, region, sees, whole}) => ({
    vantage,
    region,
    sees,
    whole,
    result: NOT_AWAITED,
    attempts: 0,
  }));
  let seen = (): void => undefined;
  const asked = others.map(async (viewer, index) => {
    views[index] = await viewOf(viewer, {...how, signal: stop.signal});
    seen();
  });
  const answered = await own;
  const reading = (): EndpointReading => ({endpoint, ...answered, others: [...views]});
  const decided =
    how.all === true ? new Promise<never>(() => undefined) : whenDecided(reading, {...how, signal: stop.signal}, (told) => (seen = told));
  await Promise.race([Promise.all(asked), decided]);
  const result = reading();
  how.signal.removeEventListener('abort', cancel);
  stop.abort(new Error('the verdict stands'));
  return result;
}

const NOT_AWAITED: ProbeResult = {ok: null, latencyMs: null, code: 'not-awaited', detail: 'it was not waited for: the others agree'};

/** A moment after enough votes are in that the rest can change nothing. */
async function whenDecided(reading: () => EndpointReading, how: ReadOptions, onSeen: (told: () => void) => void): Promise<void> {
  const isDecided = (): boolean => {
    const {result, others = []} = reading();
    const {good, bad, need} = countVotes(result, others);
    return good >= need || bad >= need;
  };
  if (!isDecided()) await new Promise<void>((resolve) => onSeen(() => isDecided() && resolve()));
  await new Promise<void>((resolve) => {
    const callOff = after(how.clock, STRAGGLERS_MS, resolve);
    how.signal.addEventListener('abort', callOff, {once: true});
  });
}

async function viewOf({vantage, region, sees, whole, timeoutMs, probe}: Viewer, how: AskOptions): Promise<OtherView> {
  const {result, attempts} = await askUntilSure(probe, timeoutMs, how);
  // A vantage point that is late itself has not seen the endpoint fail.
  const silent = result.code === 'timeout' && result.facts === undefined;
  const said: ProbeResult = silent ? {...result, ok: null, code: 'vantage-silent', detail: `${vantage} does not answer in time`} : result;
  return {vantage, region, sees, whole, result: said, attempts};
}

/** Why we are cut off (null = we are not, or nobody could be asked), and whether an uplink answered. */
export type UplinkState = {readonly cut: string | null; readonly answered: boolean};

/** Asks all uplinks at once. An answer of any kind came over a network that is there. `end` stops asking. */
export function askUplinks(uplinks: readonly Uplink[], how: AskOptions): {readonly state: Promise<UplinkState>; end(): void} {
  const stop = new AbortController();
  const signal = AbortSignal.any([how.signal, stop.signal]);
  const state = new Promise<UplinkState>((resolve) => {
    const asked = uplinks.map(async ({name, probe, timeoutMs}) => {
      const {result} = await askUntilSure(probe, timeoutMs, {...how, signal});
      if (provesNetwork(result)) resolve({cut: null, answered: true});
      return isUnanswered(result) ? `${name}: ${result.detail}` : null;
    });
    void Promise.all(asked).then((failures) => {
      const cut = failures.every((failure) => failure !== null) ? (failures[0] ?? null) : null;
      resolve({cut, answered: false});
    });
  });
  return {state, end: () => stop.abort(new Error('nobody needs it any more'))};
}

/** A reading of a time when no uplink answered: what failed on the way is not judged. */
export function withoutUplink(reading: EndpointReading, why: string): EndpointReading {
  if (!isSilent(reading.result)) return reading;
  const detail = `not judged: this machine is cut off itself, no uplink answers (${why})`;
  return {...reading, result: {ok: null, latencyMs: null, code: 'no-uplink', detail}};
}

import {bounded, timeoutAwake} from '../awake.ts';
import type {Seen} from '../drill/fault-end.ts';
import {messageOf} from '../errors.ts';
import {httpText} from '../failover/http-text.ts';
import type {Endpoint, StoreMember} from '../fleet/fleet.ts';
import {isUnanswered} from '../health/quorum.ts';
import {type EndpointReading, probeAll} from '../health/sweep.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type Cell, known, unknown} from '../snapshot/cell.ts';

type Fleet = Pick<OpenFleet, 'fleet' | 'probes' | 'uplinks' | 'clock' | 'host'>;

/** How long a route's URL, and a host's `status`, may take. */
const URL_MS = 3000;
const STATUS_MS = 5000;

/**
 * What answers at a place, asked from here: every endpoint of a region, the URL of a route. Any answer counts, also a login that is refused, a wrong role or
 * an HTTP 503; a timeout and a connection that is refused do not. Never throws; unknown when the fleet file has no such place.
 */
export async function lookOutside(open: Fleet, place: string, signal: AbortSignal): Promise<Cell<Seen>> {
  const at = open.clock.wall();
  const region = open.fleet.regions.find(({name}) => name === place);
  const route = open.fleet.routes.find(({name}) => name === place);
  if (region === undefined && route === undefined)
    return unknown('unknown-place', `the fleet file has no region and no route "${place}"`, at);
  const [endpoints, urls] = await Promise.all([
    region === undefined ? [] : endpointsOf(open, place, signal),
    route === undefined || route.url === null ? [] : [await askUrl(route.url, signal)],
  ]);
  if (signal.aborted) return unknown('interrupted', `${place} was not looked at to the end`, at);
  return known(seenOf([...endpoints, ...urls]), open.clock.wall(), 'here');
}

type Look = {readonly name: string; readonly is: 'answering' | 'silent' | 'refused' | 'stopped' | 'untold'};

function seenOf(looks: readonly Look[]): Seen {
  const those = (...kinds: readonly Look['is'][]) => looks.filter(({is}) => kinds.includes(is)).map(({name}) => name);
  return {
    answering: those('answering'),
    silent: those('silent', 'refused'),
    ...{refused: those('refused'), stopped: those('stopped'), untold: those('untold')},
  };
}

async function endpointsOf(open: Fleet, region: string, signal: AbortSignal): Promise<readonly Look[]> {
  const endpoints = open.probes.filter(({endpoint}) => endpoint.region === region).map(({endpoint, probe}) => ({endpoint, probe}));
  const {clock, uplinks} = open;
  const readings = await probeAll({endpoints, uplinks, clock, signal, attempts: {fall: 1, pauseMs: 0}});
  return Promise.all(
    readings.map(async (reading): Promise<Look> => ({name: reading.endpoint.name, is: await lookOf(open, reading, signal)})),
  );
}

async function lookOf(open: Fleet, {endpoint, result}: EndpointReading, signal: AbortSignal): Promise<Look['is']> {
  if (result.ok === null) return 'untold';
  if (!isUnanswered(result)) return 'answering';
  if (await isStoppedOnPurpose(open, endpoint, signal)) return 'stopped';
  return result.code === 'refused' ? 'refused' : 'silent';
}

/** A fence stops a database through its host. The host's word counts: a fault does not stop the server and leave its host answering so. */
async function isStoppedOnPurpose({fleet, host}: Fleet, endpoint: Endpoint, signal: AbortSignal): Promise<boolean> {
  const address = addressOf(endpoint.probe.config);
  if (host === undefined || address === null) return false;
  const members = fleet.stores.flatMap(({name: store, members: all}) => all.map((member) => ({store, member})));
  const same = members.filter(({member}) => isAt(member, endpoint.region, address));
  const stopped = same.map(async ({store, member}) => {
    const end = bounded(signal, STATUS_MS);
    try {
      return (await (await host(store, member.name))?.status(end.signal))?.running === false;
    } catch {
      return false; // Who cannot be asked says nothing.
    } finally {
      end.end();
    }
  });
  return (await Promise.all(stopped)).includes(true);
}

function isAt({region, config}: StoreMember, where: string, address: string): boolean {
  return region === where && addressOf(config) === address;
}

/** Host and port of an endpoint or of a member, whatever its kind; null = it says none. */
function addressOf(config: unknown): string | null {
  const {address, host, port} = Object(config) as {address?: unknown; host?: unknown; port?: unknown};
  const at = (typeof address === 'object' && address !== null ? address : {host, port}) as {host?: unknown; port?: unknown};
  return typeof at.host === 'string' && typeof at.port === 'number' ? `${at.host}:${at.port}` : null;
}

/** Any status is an answer. */
async function askUrl(url: string, signal: AbortSignal): Promise<Look> {
  const late = timeoutAwake(URL_MS);
  try {
    await httpText(url, AbortSignal.any([signal, late]));
    return {name: url, is: 'answering'};
  } catch (error) {
    return {name: url, is: /ECONNREFUSED/u.test(messageOf(error)) ? 'refused' : 'silent'};
  }
}

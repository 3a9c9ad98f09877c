import type {Fleet} from '../fleet/fleet.ts';
import type {EndpointReading} from './sweep.ts';
import {type Verdict, worstVerdict} from './verdict.ts';

/** A verdict with its stable code and one sentence with the values that decided. */
export type Judged = {readonly verdict: Verdict; readonly code: string; readonly reason: string};

/** An endpoint's verdict beside what it was judged by. */
export type EndpointJudgement = Judged & {readonly reading: EndpointReading};

/** A region's verdict and its endpoints'. */
export type RegionJudgement = Judged & {readonly region: string; readonly endpoints: readonly EndpointJudgement[]};

/** The fleet's verdict and its regions', in the order of the fleet file. */
export type FleetJudgement = Judged & {readonly regions: readonly RegionJudgement[]};

/** Failures that come from the way to an endpoint as well as from the endpoint. */
const CONNECTION_CODES: ReadonlySet<string> = new Set(['timeout', 'refused', 'reset', 'unreachable', 'dns']);

/** Judges one sweep. Regions come from the fleet file, so one without any reading is there too, as unknown. */
export function judgeFleet(fleet: Pick<Fleet, 'regions'>, readings: readonly EndpointReading[]): FleetJudgement {
  const cutOff = isCutOff(readings);
  const regions = fleet.regions.map(({name}) => {
    const own = readings.filter(({endpoint}) => endpoint.region === name);
    return own.length > 0 && cutOff ? cutOffRegion(name, own) : judgeRegion(name, own.map(judgeEndpoint));
  });
  return {...fleetSays(regions, cutOff), regions};
}

/** One endpoint by its reading alone. */
export function judgeEndpoint(reading: EndpointReading): EndpointJudgement {
  const {endpoint, result, attempts} = reading;
  const {slowMs} = endpoint;
  // Reasons are put together from details, so a full stop would stand in the middle.
  const says = result.detail.replace(/\.$/, '');
  if (result.ok === null) return {verdict: 'unknown', code: result.code, reason: says, reading};
  if (!result.ok) return {verdict: 'unhealthy', code: result.code, reason: `${says}${inARow(attempts)}`, reading};
  if (result.warning !== undefined)
    return {verdict: 'degraded', code: result.warning.code, reason: result.warning.says.replace(/\.$/, ''), reading};
  if (slowMs !== null && result.latencyMs !== null && result.latencyMs > slowMs) {
    const reason = `answered in ${Math.round(result.latencyMs)} ms, slow above ${slowMs} ms`;
    return {verdict: 'degraded', code: 'slow', reason, reading};
  }
  return {verdict: 'healthy', code: 'ok', reason: says, reading};
}

/**
 * A region from its endpoints. Down when a critical one is, or when all are. Unknown when it is not down and a critical one could not be judged, or
 * none could. Otherwise anything that is not healthy degrades it: healthy means that all were seen to be.
 */
export function judgeRegion(region: string, endpoints: readonly EndpointJudgement[]): RegionJudgement {
  return {...regionSays(endpoints), region, endpoints};
}

function regionSays(endpoints: readonly EndpointJudgement[]): Judged {
  if (endpoints.length === 0)
    return {verdict: 'unknown', code: 'no-endpoints', reason: 'the fleet file names no endpoint to probe in this region'};
  const critical = endpoints.filter(({reading}) => reading.endpoint.critical);
  const down = endpoints.filter(({verdict}) => verdict === 'unhealthy');
  const criticalDown = down.filter((endpoint) => critical.includes(endpoint));
  if (criticalDown.length > 0) return because('unhealthy', criticalDown, endpoints);
  if (down.length === endpoints.length) return because('unhealthy', down, endpoints);
  const unseen = endpoints.filter(({verdict}) => verdict === 'unknown');
  const criticalUnseen = unseen.filter((endpoint) => critical.includes(endpoint));
  if (criticalUnseen.length > 0) return because('unknown', criticalUnseen, endpoints);
  if (unseen.length === endpoints.length) return because('unknown', unseen, endpoints);
  const less = [...down, ...endpoints.filter(({verdict}) => verdict === 'degraded'), ...unseen];
  if (less.length > 0) return because('degraded', less, endpoints);
  return {verdict: 'healthy', code: 'ok', reason: `${count(endpoints.length, 'endpoint')} healthy`};
}

/** The first of the deciding endpoints speaks; the others are counted. */
function because(verdict: Verdict, deciding: readonly EndpointJudgement[], all: readonly EndpointJudgement[]): Judged {
  const [first, ...rest] = deciding;
  if (first === undefined) return {verdict, code: 'ok', reason: ''};
  const more = rest.length === 0 ? '' : `; also ${rest.map(({reading, code}) => `${reading.endpoint.name} (${code})`).join(', ')}`;
  return {
    verdict,
    code: first.code,
    reason: `${first.reading.endpoint.name}: ${first.reason}${more} (${deciding.length} of ${count(all.length, 'endpoint')})`,
  };
}

/**
 * Whether we are more likely the ones cut off: everything in every region failed at once, and on the way. One region alone cannot tell this from
 * an outage, so two are needed, each with a failed connection.
 */
function isCutOff(readings: readonly EndpointReading[]): boolean {
  const judged = readings.filter(({result}) => result.ok !== null);
  const regions = new Set(judged.map(({endpoint}) => endpoint.region));
  const asked = new Set(readings.map(({endpoint}) => endpoint.region));
  const allFailed = judged.every(({result}) => result.ok === false && CONNECTION_CODES.has(result.code));
  return allFailed && regions.size >= 2 && regions.size === asked.size;
}

function cutOffRegion(region: string, readings: readonly EndpointReading[]): RegionJudgement {
  const endpoints = readings.map((reading) => {
    const own = judgeEndpoint(reading);
    return own.verdict === 'unhealthy' ? {...own, verdict: 'unknown' as const, code: 'cut-off'} : own;
  });
  const reason = `not judged: no endpoint of any region can be reached from here (${endpoints[0]?.reason ?? ''})`;
  return {verdict: 'unknown', code: 'cut-off', reason, region, endpoints};
}

function fleetSays(regions: readonly RegionJudgement[], cutOff: boolean): Judged {
  if (cutOff) {
    return {
      verdict: 'unknown',
      code: 'cut-off',
      reason: `all ${regions.length} regions failed at once on the way: more likely we are cut off than they are down`,
    };
  }
  const verdict = worstVerdict(regions.map((region) => region.verdict));
  const worst = regions.filter((region) => region.verdict === verdict);
  const [first] = worst;
  if (first === undefined) return {verdict, code: 'no-regions', reason: 'the fleet file names no region'};
  if (verdict === 'healthy') return {verdict, code: 'ok', reason: `${count(regions.length, 'region')} healthy`};
  const others =
    worst.length === 1
      ? ''
      : `; also ${worst
          .slice(1)
          .map(({region}) => region)
          .join(', ')}`;
  return {verdict, code: first.code, reason: `${first.region} ${verdict}: ${first.reason}${others}`};
}

function inARow(attempts: number): string {
  return attempts > 1 ? `, ${attempts} times in a row` : '';
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

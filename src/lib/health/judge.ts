import type {Fleet} from '../fleet/fleet.ts';
import {CUT_OFF, type EndpointJudgement, type Judged, judgeEndpoint, judgeOwn, type Share} from './judge-endpoint.ts';
import {isSilent, isUnanswered, provesNetwork, tellers} from './quorum.ts';
import type {EndpointReading} from './sweep.ts';
import {type Verdict, worstVerdict} from './verdict.ts';

/** A region's verdict and its endpoints'. `agree` of `asked` vantage points share what decided it. */
export type RegionJudgement = Judged & Share & {readonly region: string; readonly endpoints: readonly EndpointJudgement[]};

/** The fleet's verdict and its regions', in the order of the fleet file. */
export type FleetJudgement = Judged & {readonly regions: readonly RegionJudgement[]};

/**
 * Judges one sweep. With `doubtUntil` (monotonic ms) it is what is known at a time, from readings of different times: then what was asked until then
 * and not answered may have failed because of us. Regions come from the fleet file, so one without any reading is there too, as unknown.
 */
export function judgeFleet(
  fleet: Pick<Fleet, 'regions'>,
  readings: readonly EndpointReading[],
  doubtUntil: number | null = null,
): FleetJudgement {
  const cutOff = doubtUntil === null && isCutOff(readings);
  const isDoubtful = ({began = 0}: EndpointReading): boolean => cutOff || (doubtUntil !== null && began <= doubtUntil);
  const regions = fleet.regions.map(({name}) => {
    const own = readings.filter(({endpoint}) => endpoint.region === name);
    const isOurs = (reading: EndpointReading): boolean => isDoubtful(reading) && isSilent(reading.result) && !isSeenByOthers(reading);
    if (own.length > 0 && own.every(isOurs)) return cutOffRegion(name, own);
    return judgeRegion(
      name,
      own.map((reading) => (isOurs(reading) ? cutOffEndpoint(reading) : judgeEndpoint(reading))),
    );
  });
  return {...fleetSays(regions), regions};
}

/** A judgement of some of its regions: the fleet is as these are. */
export function onlyRegions({regions}: FleetJudgement, names: readonly string[]): FleetJudgement {
  const shown = regions.filter(({region}) => names.includes(region));
  return {...fleetSays(shown), regions: shown};
}

/** Whether anybody else could tell: then they say it, each endpoint for itself. */
function isSeenByOthers({result, others = []}: EndpointReading): boolean {
  return tellers(result, others).some((view) => view.result.ok !== null);
}

/**
 * A region from its endpoints. Down when a critical one is, or when all are. Unknown when it is not down and a critical one could not be judged, or
 * none could. Otherwise anything that is not healthy degrades it: healthy means that all were seen to be. What most others find well and only we
 * do not reach counts as well; where only we do not reach all of it, the region is cut off from here.
 */
export function judgeRegion(region: string, endpoints: readonly EndpointJudgement[]): RegionJudgement {
  const [first] = endpoints;
  if (first !== undefined && endpoints.every(({code}) => code === CUT_OFF)) {
    const {verdict, code, reason, agree, asked} = first;
    return {verdict, code, reason: `${reason} (${count(endpoints.length, 'endpoint')})`, agree, asked, region, endpoints};
  }
  const seen = endpoints.filter(({vouched}) => vouched !== true);
  const says = regionSays(seen, endpoints.length);
  const cut = endpoints.filter(({vouched}) => vouched === true).map(({reading}) => reading.endpoint.name);
  return {...says, reason: cut.length === 0 ? says.reason : `${says.reason}; only we do not reach ${named(cut)}`, region, endpoints};
}

function regionSays(endpoints: readonly EndpointJudgement[], of: number): Judged & Share {
  if (endpoints.length === 0)
    return {...judged('unknown', 'no-endpoints', 'the fleet file names no endpoint to probe in this region'), agree: 1, asked: 1};
  const critical = endpoints.filter(({reading}) => reading.endpoint.critical);
  const down = endpoints.filter(({verdict}) => verdict === 'unhealthy');
  const criticalDown = down.filter((endpoint) => critical.includes(endpoint));
  if (criticalDown.length > 0) return because('unhealthy', criticalDown, of);
  if (down.length === of) return because('unhealthy', down, of);
  const unseen = endpoints.filter(({verdict}) => verdict === 'unknown');
  const criticalUnseen = unseen.filter((endpoint) => critical.includes(endpoint));
  if (criticalUnseen.length > 0) return because('unknown', criticalUnseen, of);
  if (unseen.length === of) return because('unknown', unseen, of);
  const less = [...down, ...endpoints.filter(({verdict}) => verdict === 'degraded'), ...unseen];
  if (less.length > 0) return because('degraded', less, of);
  // The least agreement there is: a region is as well seen as the endpoint that is seen worst.
  const {agree, asked} = endpoints.reduce((least, each) => (each.agree / each.asked < least.agree / least.asked ? each : least));
  return {...judged('healthy', 'ok', `${count(endpoints.length, 'endpoint')} healthy`), agree, asked};
}

const judged = (verdict: Verdict, code: string, reason: string): Judged => ({verdict, code, reason});

/** The first of the deciding endpoints speaks; the others are counted. */
function because(verdict: Verdict, deciding: readonly EndpointJudgement[], of: number): Judged & Share {
  const [first, ...rest] = deciding;
  if (first === undefined) return {verdict, code: 'ok', reason: '', agree: 1, asked: 1};
  const more = rest.length === 0 ? '' : `; also ${named(rest.map(({reading, code}) => `${reading.endpoint.name} (${code})`))}`;
  const {code, reason, reading, agree, asked} = first;
  return {
    verdict,
    code,
    reason: `${reading.endpoint.name}: ${reason}${more} (${deciding.length} of ${count(of, 'endpoint')})`,
    agree,
    asked,
  };
}

/** The first few of many, and how many more. */
function named(names: readonly string[]): string {
  return names.length <= NAMED ? names.join(', ') : `${names.slice(0, NAMED).join(', ')} and ${names.length - NAMED} more`;
}

const NAMED = 5;

/**
 * Whether we are more likely the ones cut off: nothing in any region answered, and no uplink. One region alone cannot tell this from an outage, so two
 * are needed, each with something that did not answer. What could not be asked says nothing either way.
 */
function isCutOff(readings: readonly EndpointReading[]): boolean {
  const failed = readings.filter(({result}) => isSilent(result));
  const regions = new Set(failed.map(({endpoint}) => endpoint.region));
  // What plugins find bad on this machine may be just that.
  const isSomeSilent = failed.some(({result}) => isUnanswered(result));
  return isSomeSilent && regions.size >= 2 && !readings.some(({result, networkSeen}) => networkSeen === true || provesNetwork(result));
}

function cutOffEndpoint(reading: EndpointReading): EndpointJudgement {
  return {...judgeOwn(reading), verdict: 'unknown', code: CUT_OFF, agree: 1, asked: 1, reading};
}

function cutOffRegion(region: string, readings: readonly EndpointReading[]): RegionJudgement {
  const endpoints = readings.map(cutOffEndpoint);
  const reason = `not judged: no endpoint of any region can be reached from here (${endpoints[0]?.reason ?? ''})`;
  return {verdict: 'unknown', code: CUT_OFF, reason, agree: 1, asked: 1, region, endpoints};
}

function fleetSays(regions: readonly RegionJudgement[]): Judged {
  if (regions.length > 1 && regions.every(({code, agree, asked}) => code === CUT_OFF && agree === 1 && asked === 1)) {
    return {
      verdict: 'unknown',
      code: CUT_OFF,
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

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

import type {Absence, SurviveFacts} from './facts.ts';
import {timeText} from './figures.ts';
import {changeFlows, type Flow, lossFlows, type Weights} from './flows.ts';

/** What a region was by the last check of its health, and when (epoch ms); `unknown` = it could not be judged; null = it was never checked, or that could not be read. */
export type LastVerdict = {readonly region: string; readonly verdict: string | null; readonly at: number | null};

/** What a route sends now; `weights` null = its router could not be read, for this reason. */
export type RouteNow = {readonly route: string; readonly weights: Weights | null; readonly reason: string};

/** How the fleet is now, as far as somebody has looked. `at` epoch ms. */
export type FleetNow = {readonly at: number; readonly routes: readonly RouteNow[]; readonly verdicts: readonly LastVerdict[]};

/** By what a question is answered: the facts as they are now, what moved before, which regions are gone already, and what was assumed, in sentences. */
export type Standing = {
  readonly facts: SurviveFacts;
  /** The weights of the fleet file. */
  readonly normal: SurviveFacts['routes'];
  readonly already: readonly Flow[];
  /** Regions that are down by their last check. */
  readonly down: readonly string[];
  readonly assumed: readonly string[];
};

/** A check that is older says nothing of now. */
const RECENT_MS = 3_600_000;

/**
 * The facts with the weights that routers have now in place of those of the fleet file. Who is down by its last check takes nothing, nor does who was drained: a route that
 * sends something there normally sends nothing now. Where a router or a verdict is not known it is assumed that all is as the fleet file says, and that is said.
 */
export function standingOf(facts: SurviveFacts, now: FleetNow): Standing {
  // A route that is held sends nothing now, and normally what the fleet file says.
  const isHeld = (weights: Weights): boolean => Object.values(weights).every((weight) => weight === 0);
  const held = now.routes.filter(({weights}) => weights !== null && isHeld(weights)).map(({route}) => route);
  const seen = new Map(now.routes.flatMap(({route, weights}) => (weights === null || isHeld(weights) ? [] : [[route, weights] as const])));
  const routes = facts.routes.map(({name, weights}) => ({name, weights: seen.get(name) ?? weights}));
  const known = (region: string): boolean => facts.regions.some(({name}) => name === region);
  const down = now.verdicts.filter(({region, verdict}) => verdict === 'unhealthy' && known(region));
  const away = [...down.map(({region, at}): Absence => ({region, route: null, reason: downSays(region, at)})), ...drained(facts, routes)];
  return {
    facts: {...facts, routes, away},
    normal: facts.routes,
    already: facts.routes.flatMap(({name, weights}) => changeFlows(name, weights, seen.get(name) ?? weights)),
    down: down.map(({region}) => region),
    assumed: [
      ...away.map(({region, reason}) => `${region} takes nothing: ${reason}`),
      ...held.map((route) => `${route} sends nothing to anybody now: it is judged by what the fleet file says`),
      ...unread(now.routes),
      ...takenToBeUp(facts, now),
    ],
  };
}

/**
 * The flows when regions are lost, as the fleet stands. Those that are down already are lost with them: what a route still sends there is not served, and has to go elsewhere,
 * too. What was drained from a region that is lost is where it was moved to: so those that took it are judged by what they then have.
 */
export function flowsNow({facts, normal, already, down}: Standing, lose: readonly string[]): readonly Flow[] {
  const flows = lossFlows(facts, [...new Set([...lose, ...down])]);
  const isSent = (region: string): boolean => flows.some(({route, from}) => from === region && route !== null);
  const isRouted = (region: string): boolean => normal.some(({weights}) => (weights[region] ?? 0) > 0);
  const moved = already.filter(({from, share}) => lose.includes(from) && share > 0 && !isSent(from));
  // What a region has is homed there only where no route leads to it normally.
  return [...flows.filter(({route, from}) => route !== null || isSent(from) || !isRouted(from)), ...moved];
}

const downSays = (region: string, at: number | null): string =>
  `it is down by the last check${at === null ? '' : ` of ${timeText(at)}`} (regionctl health check --region ${region})`;

/** Where a route sends nothing now that sends something there normally; `route` null = no route sends it anything any more. */
function drained({routes: normal, regions}: SurviveFacts, now: SurviveFacts['routes']): readonly Absence[] {
  return regions.flatMap(({name}): readonly Absence[] => {
    const led = normal.filter(({weights}) => (weights[name] ?? 0) > 0);
    const shut = led.filter((route) => isShut(now, route.name, name));
    const isAll = shut.length === led.length && now.every(({weights}) => (weights[name] ?? 0) === 0);
    return shut.map((route) => ({
      region: name,
      route: isAll ? null : route.name,
      reason: `${route.name} sends it nothing now, and ${route.weights[name]} by the fleet file`,
    }));
  });
}

/** Whether a route that sends something anywhere sends nothing to a region. */
function isShut(now: SurviveFacts['routes'], route: string, region: string): boolean {
  const weights = now.find(({name}) => name === route)?.weights ?? {};
  return (weights[region] ?? 0) === 0 && Object.values(weights).some((weight) => weight > 0);
}

/** One sentence for all routers that did not answer, with the reason of the first. */
function unread(routes: FleetNow['routes']): readonly string[] {
  const dead = routes.filter(({weights}) => weights === null);
  const [first] = dead;
  if (first === undefined) return [];
  const names = dead.map(({route}) => route).join(', ');
  const reason = `${first.reason}${dead.length === 1 ? '' : ', and so on'}`;
  return [`what ${names} ${dead.length === 1 ? 'sends' : 'send'} now is not known, and taken to be what the fleet file says: ${reason}`];
}

/** Of whom nothing recent is known, and who is counted on all the same. */
function takenToBeUp({regions}: SurviveFacts, {at: now, verdicts}: FleetNow): readonly string[] {
  const unsure = regions.flatMap(({name, tier}) => {
    const why = doubtOf(
      verdicts.find(({region}) => region === name),
      now,
    );
    return tier === 'cold' || why === null ? [] : [{name, why}];
  });
  if (unsure.length === 0) return [];
  const groups = [...Map.groupBy(unsure, ({why}) => why)].map(([why, all]) => `${all.map(({name}) => name).join(', ')} (${why})`);
  return [`taken to be up, and not known to be: ${groups.join('; ')}; regionctl health check asks them`];
}

function doubtOf(last: LastVerdict | undefined, now: number): string | null {
  if (last === undefined || last.verdict === null) return 'never checked';
  const {verdict, at} = last;
  if (verdict === 'unhealthy') return null;
  if (verdict === 'unknown') return `could not be judged${at === null ? '' : ` at ${timeText(at)}`}`;
  return at !== null && now - at <= RECENT_MS ? null : `last checked ${at === null ? 'long ago' : timeText(at)}`;
}

import {usageError} from '../../errors.ts';
import type {RouteSpec} from '../../fleet/fleet.ts';
import type {Weights} from '../survive/flows.ts';

/**
 * Reads planned splits such as `front-door:us-east=60,eu-west=40`: weights of a route by region. What is not named gets nothing. Throws a usage error for a
 * route or a region that is not there, and for weights that are none.
 */
export function parseSplits(
  texts: readonly string[],
  routes: readonly Pick<RouteSpec, 'name' | 'weights'>[],
): Readonly<Record<string, Weights>> {
  const splits = texts.map((text) => parseSplit(text, routes));
  const twice = twiceIn(splits);
  if (twice !== null) throw usageError(`--split: there are two splits of ${twice}; write all of its weights into one`);
  return Object.fromEntries(splits);
}

function parseSplit(text: string, routes: readonly Pick<RouteSpec, 'name' | 'weights'>[]): readonly [string, Weights] {
  const [, name = '', list = ''] = /^([^:]+):(.+)$/.exec(text) ?? [];
  const route = routes.find((each) => each.name === name);
  const expected = 'expected ROUTE:REGION=WEIGHT,…, such as front-door:us-east=60,eu-west=40';
  if (name === '') throw usageError(`--split ${text}: ${expected}`);
  if (route === undefined)
    throw usageError(`--split ${text}: there is no route "${name}"; the routes are ${routes.map((each) => each.name).join(', ')}`);
  const weights = list.split(',').map((part) => {
    const [, region = '', digits = ''] = /^([^=]+)=(\d+(?:\.\d+)?)$/.exec(part.trim()) ?? [];
    if (region === '') throw usageError(`--split ${text}: "${part}" is no weight; ${expected}`);
    if (!Object.hasOwn(route.weights, region))
      throw usageError(`--split ${text}: ${name} does not lead to "${region}"; it leads to ${Object.keys(route.weights).join(', ')}`);
    return [region, Number(digits)] as const;
  });
  const twice = twiceIn(weights);
  if (twice !== null) throw usageError(`--split ${text}: "${twice}" has two weights`);
  if (weights.every(([, weight]) => weight === 0)) throw usageError(`--split ${text}: one of the weights must be above 0`);
  return [name, Object.fromEntries(weights)];
}

/** The first name that is there twice. */
function twiceIn(pairs: readonly (readonly [string, unknown])[]): string | null {
  const names = pairs.map(([name]) => name);
  return names.find((name, index) => names.indexOf(name) !== index) ?? null;
}

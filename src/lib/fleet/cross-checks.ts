import {checkCapacity} from './capacity-checks.ts';
import {repeated, unknownName, unknownNames} from './name-checks.ts';
import type {Finding, Path} from './problem.ts';
import type {FleetFile} from './schema.ts';
import {checkStores} from './store-checks.ts';

/** What a single field cannot know: references to other parts, duplicates, chains. Pure; every finding has a path and a way out. */
export function crossChecks(file: FleetFile): readonly Finding[] {
  if (Object.keys(file.regions).length === 0) {
    return [
      {path: ['regions'], at: 'key', message: 'no regions at all', suggestion: 'Add at least one region; regionctl init shows the shape.'},
    ];
  }
  return [
    ...checkRegions(file),
    ...checkStores(file),
    ...checkRoutes(file),
    ...checkServices(file),
    ...checkDataClasses(file),
    ...checkVantages(file),
    ...checkHooks(file),
    ...checkChecks(file),
    ...checkWitness(file),
    ...checkCapacity(file),
  ];
}

function checkRegions(file: FleetFile): readonly Finding[] {
  const regions = Object.keys(file.regions);
  return Object.entries(file.regions).flatMap(([name, {failoverOrder, sites}]) => {
    const path = ['regions', name, 'failoverOrder'];
    const itself = failoverOrder.indexOf(name);
    return [
      ...unknownNames(failoverOrder, regions, 'region', path),
      ...repeated(failoverOrder, path),
      ...(itself === -1
        ? []
        : [
            {
              path: [...path, itself],
              at: 'value' as const,
              message: `the region "${name}" cannot fail over to itself`,
              suggestion: `Take "${name}" out of its own list.`,
            },
          ]),
      ...checkSites(sites, ['regions', name, 'sites']),
    ];
  });
}

type Sites = FleetFile['regions'][string]['sites'];

function checkSites(sites: Sites, path: Path): readonly Finding[] {
  const known = Object.keys(sites);
  return Object.entries(sites).flatMap(([name, site]): readonly Finding[] => {
    const next = site?.failsOverTo ?? null;
    const place = [...path, name, 'failsOverTo'];
    if (next === null) return [];
    if (!known.includes(next)) return [unknownName(next, known, 'site', place, 'value')];
    const cycle = cycleFrom(name, sites);
    if (cycle === null) return [];
    const message =
      cycle.length === 2 ? `the site "${name}" cannot fail over to itself` : `the sites fail over in a circle: ${cycle.join(' -> ')}`;
    return [{path: place, at: 'value', message, suggestion: 'Let one of these sites fail over to no other.'}];
  });
}

/** The circle that begins at `name`, reported once: at its first site in alphabetical order. Null when there is none. */
function cycleFrom(name: string, sites: Sites): readonly string[] | null {
  const chain = [name];
  let here = sites[name]?.failsOverTo ?? null;
  while (here !== null && !chain.includes(here)) {
    chain.push(here);
    here = sites[here]?.failsOverTo ?? null;
  }
  return here === name && chain.toSorted()[0] === name ? [...chain, name] : null;
}

function checkRoutes(file: FleetFile): readonly Finding[] {
  const regions = Object.keys(file.regions);
  return Object.entries(file.routes).flatMap(([name, {weights}]) =>
    Object.keys(weights)
      .filter((region) => !regions.includes(region))
      .map((region) => unknownName(region, regions, 'region', ['routes', name, 'weights', region], 'key')),
  );
}

function checkServices(file: FleetFile): readonly Finding[] {
  return Object.entries(file.services).flatMap(([name, {stores, routes}]) => [
    ...unknownNames(stores, Object.keys(file.stores), 'store', ['services', name, 'stores']),
    ...repeated(stores, ['services', name, 'stores']),
    ...unknownNames(routes, Object.keys(file.routes), 'route', ['services', name, 'routes']),
    ...repeated(routes, ['services', name, 'routes']),
  ]);
}

function checkDataClasses(file: FleetFile): readonly Finding[] {
  const jurisdictions = [...new Set(Object.values(file.regions).map((region) => region.jurisdiction))];
  return Object.entries(file.dataClasses).flatMap(([name, {allowed}]) => [
    ...unknownNames(allowed ?? [], jurisdictions, 'jurisdiction', ['dataClasses', name, 'allowed']),
    ...repeated(allowed ?? [], ['dataClasses', name, 'allowed']),
  ]);
}

/** Where vantage points stand, and which ones endpoints name. */
function checkVantages(file: FleetFile): readonly Finding[] {
  const regions = Object.keys(file.regions);
  const known = Object.keys(file.vantages);
  return [
    ...Object.entries(file.vantages).flatMap(([name, {region}]) =>
      region === null || regions.includes(region) ? [] : [unknownName(region, regions, 'region', ['vantages', name, 'region'], 'value')],
    ),
    ...known
      .filter((name) => name === 'here')
      .map((name) => ({
        path: ['vantages', name],
        at: 'key' as const,
        message: '"here" is the name of this machine among the vantage points',
        suggestion: 'Give it another name, such as the place where it stands.',
      })),
    ...sameVantages(file.vantages),
    ...Object.entries(file.regions).flatMap(([region, {endpoints}]) =>
      Object.entries(endpoints).flatMap(([name, {vantages}]) => {
        const path = ['regions', region, 'endpoints', name, 'vantages'];
        return [...unknownNames(vantages ?? [], known, 'vantage', path), ...repeated(vantages ?? [], path)];
      }),
    ),
  ];
}

/** One that is named twice would outvote us by itself. */
function sameVantages(vantages: FleetFile['vantages']): readonly Finding[] {
  const placeOf = ({url}: Readonly<Record<string, unknown>>): string | null => (typeof url === 'string' ? url.replace(/\/+$/, '') : null);
  const places = Object.values(vantages).map(placeOf);
  return Object.entries(vantages).flatMap(([name, vantage], index) => {
    const place = placeOf(vantage);
    const first = place === null ? -1 : places.indexOf(place);
    if (first === -1 || first === index) return [];
    const message = `"${Object.keys(vantages)[first]}" is at the same place: it would have two votes`;
    return [{path: ['vantages', name, 'url'], at: 'value' as const, message, suggestion: 'Keep one of the two.'}];
  });
}

function checkHooks(file: FleetFile): readonly Finding[] {
  const known = Object.keys(file.hooks);
  const missing = (name: string | null, path: Path): readonly Finding[] =>
    name === null || known.includes(name) ? [] : [unknownName(name, known, 'hook', path, 'value')];
  return [
    ...Object.entries(file.regions).flatMap(([name, {scaleUp}]) => missing(scaleUp, ['regions', name, 'scaleUp'])),
    ...Object.entries(file.stores).flatMap(([name, {fenceHook}]) => {
      const path = ['stores', name, 'fenceHook'];
      const unproven = fenceHook !== null && Object.hasOwn(file.hooks, fenceHook) && file.hooks[fenceHook]?.verify === null;
      return unproven
        ? [
            {
              path,
              at: 'value' as const,
              message: `the hook "${fenceHook}" has no verify, so it proves no fence`,
              suggestion: `Give hooks.${fenceHook} a verify: a command that ends with 0 only when the old primary is fenced.`,
            },
          ]
        : missing(fenceHook, path);
    }),
  ];
}

/** The stores that the readings of checks name. */
function checkChecks(file: FleetFile): readonly Finding[] {
  const stores = Object.keys(file.stores);
  return Object.entries(file.checks).flatMap(([name, check]) =>
    ('equal' in check ? check.equal : []).flatMap((reading, index) =>
      'store' in reading && !stores.includes(reading.store)
        ? [unknownName(reading.store, stores, 'store', ['checks', name, 'equal', index, 'store'], 'value')]
        : [],
    ),
  );
}

/** The stores that the witness writes to; whether their engines let it is asked of their providers. */
function checkWitness({stores, witness}: FleetFile): readonly Finding[] {
  const path = ['witness', 'stores'];
  const named = witness?.stores ?? [];
  return [...unknownNames(named, Object.keys(stores), 'store', path), ...repeated(named, path)];
}

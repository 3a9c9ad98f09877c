import {z} from 'zod';
import type {PortName, ProviderKinds} from './kinds.ts';
import {nearest} from './lookup.ts';
import {type Finding, type Path, valueAt} from './problem.ts';
import {UNRESOLVED} from './references.ts';
import {OWN_KEYS} from './schema.ts';
import {check, secretPaths} from './wording.ts';

/** A piece of the file that a provider's schema reads: `own` keys are taken out of it before. */
export type PartPlace = {readonly path: Path; readonly schema: z.ZodType; readonly ownKeys: readonly string[]; readonly what: string};

type Mapping = Readonly<Record<string, unknown>>;
type Owner = {readonly port: PortName; readonly key: string; readonly ownKeys: readonly string[]};

const ENDPOINT: Owner = {port: 'probe', key: 'probe', ownKeys: OWN_KEYS.endpoint};
const STORE: Owner = {port: 'store', key: 'engine', ownKeys: OWN_KEYS.store};
const ROUTE: Owner = {port: 'router', key: 'router', ownKeys: OWN_KEYS.route};
const FAULT: Owner = {port: 'fault', key: 'kind', ownKeys: OWN_KEYS.fault};
const HOST: Owner = {port: 'host', key: 'kind', ownKeys: OWN_KEYS.host};
const VANTAGE: Owner = {port: 'vantage', key: 'kind', ownKeys: OWN_KEYS.vantage};
const UPLINK: Owner = {port: 'probe', key: 'probe', ownKeys: OWN_KEYS.uplink};
const NOTIFIER: Owner = {port: 'notifier', key: 'kind', ownKeys: OWN_KEYS.notifier};
const HANDLER: Owner = {port: 'handler', key: 'kind', ownKeys: OWN_KEYS.handler};
const METRICS: Owner = {port: 'metrics', key: 'kind', ownKeys: OWN_KEYS.metrics};

/**
 * Finds every part of the file that belongs to a provider, whatever else is wrong with the file. A kind that nobody provides is a finding.
 */
export function partsOf(
  raw: unknown,
  kinds: ProviderKinds,
): {readonly places: readonly PartPlace[]; readonly findings: readonly Finding[]} {
  const file = mappingOf(raw);
  const found = [
    ...childrenOf(file, ['regions']).flatMap(([path, region]) =>
      childrenOf(region, ['endpoints'], path).flatMap(([at, endpoint]) => partAt(ENDPOINT, at, endpoint, kinds)),
    ),
    ...childrenOf(file, ['stores']).flatMap(([path, store]) => [...partAt(STORE, path, store, kinds), ...membersAt(path, store, kinds)]),
    ...childrenOf(file, ['routes']).flatMap(([path, route]) => partAt(ROUTE, path, route, kinds)),
    ...childrenOf(file, ['notify']).flatMap(([path, notifier]) => partAt(NOTIFIER, path, notifier, kinds)),
    ...childrenOf(file, ['handlers']).flatMap(([path, handler]) => partAt(HANDLER, path, handler, kinds)),
    ...childrenOf(file, ['metrics']).flatMap(([path, source]) => partAt(METRICS, path, source, kinds)),
    ...childrenOf(file, ['vantages']).flatMap(([path, vantage]) => partAt(VANTAGE, path, vantage, kinds)),
    ...childrenOf(file, ['uplinks']).flatMap(([path, uplink]) => partAt(UPLINK, path, uplink, kinds)),
    ...('faults' in file ? partAt(FAULT, ['faults'], file.faults, kinds) : []),
  ];
  return {
    places: found.flatMap((one) => ('schema' in one ? [one] : [])),
    findings: found.flatMap((one) => ('message' in one ? [one] : [])),
  };
}

/** The paths of all fields that hold a secret by reference: the schemas are asked, with a mark in place of each text that has a reference. */
export function discoverSecrets(raw: unknown, places: readonly PartPlace[]): readonly Path[] {
  return places.flatMap(({schema, path, ownKeys}) => {
    const result = schema.safeParse(marked(without(valueAt(raw, path), ownKeys)));
    return result.success ? [] : secretPaths(result.error.issues, path);
  });
}

/** Lets each provider's schema read its part. The result is by path, as `configAt` looks it up. */
export function parseParts(values: unknown, raw: unknown, places: readonly PartPlace[]) {
  const configs = new Map<string, unknown>();
  const findings: Finding[] = [];
  for (const {path, schema, ownKeys, what} of places) {
    const result = check(schema, without(valueAt(values, path), ownKeys), {path, raw: valueAt(raw, path), ownKeys, what});
    findings.push(...result.findings);
    configs.set(JSON.stringify(path), result.data);
  }
  return {configs: configs as ReadonlyMap<string, unknown>, findings: findings as readonly Finding[]};
}

function membersAt(path: Path, store: unknown, kinds: ProviderKinds): readonly (PartPlace | Finding)[] {
  const engine = mappingOf(store).engine;
  const kind = typeof engine === 'string' && Object.hasOwn(kinds.store, engine) ? kinds.store[engine] : undefined;
  return childrenOf(store, ['members'], path).flatMap(([place, member]) => {
    const host = mappingOf(member).host;
    const schema = kind?.memberSchema;
    const own =
      schema === undefined ? [] : [{path: place, schema: strictly(schema), ownKeys: OWN_KEYS.member, what: `a member of ${engine}`}];
    return [...own, ...(host === undefined || host === null ? [] : partAt(HOST, [...place, 'host'], host, kinds))];
  });
}

function partAt({port, key, ownKeys}: Owner, path: Path, value: unknown, kinds: ProviderKinds): readonly (PartPlace | Finding)[] {
  const kind = mappingOf(value)[key];
  if (typeof kind !== 'string') return [];
  const known = kinds[port];
  const entry = Object.hasOwn(known, kind) ? known[kind] : undefined;
  if (entry !== undefined) return [{path, schema: strictly(entry.schema), ownKeys, what: `the ${port} "${kind}"`}];
  const names = Object.keys(known);
  const guess = nearest(kind, names);
  const list = names.length === 0 ? `no ${port} is installed` : `known: ${names.join(', ')}`;
  const suggestion =
    guess === undefined ? 'Use a known kind, or install the plugin that provides it: regionctl plugins' : `Did you mean "${guess}"?`;
  return [{path: [...path, key], at: 'value', message: `unknown ${port} kind "${kind}"; ${list}`, suggestion}];
}

/** A provider that forgot to be strict is made strict: a misspelt key must never be dropped silently. */
function strictly(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodObject && schema._zod.def.catchall === undefined ? schema.strict() : schema;
}

function childrenOf(parent: unknown, keys: Path, base: Path = []): readonly (readonly [Path, unknown])[] {
  return Object.entries(mappingOf(valueAt(parent, keys))).map(([name, child]) => [[...base, ...keys, name], child] as const);
}

function marked(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('${') ? UNRESOLVED : value;
  if (Array.isArray(value)) return value.map(marked);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, marked(child)]));
}

function without(value: unknown, keys: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}

function mappingOf(value: unknown): Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : {};
}

import {createHash} from 'node:crypto';
import {dirname, resolve} from 'node:path';
import type {Json} from '../plan/json.ts';
import {capacityOf} from './capacity-schema.ts';
import {drillsOf} from './drills-schema.ts';
import type {
  CheckSpec,
  ConflictPolicy,
  ConsistencySpec,
  DataClass,
  Endpoint,
  Fleet,
  HandlerSpec,
  MetricsSpec,
  NotifierSpec,
  ProviderPart,
  Region,
  RouteSpec,
  ServiceSpec,
  StoreMember,
  StoreSpec,
  UplinkSpec,
  VantageSpec,
} from './fleet.ts';
import {qualified} from './name-checks.ts';
import type {Path} from './problem.ts';
import type {FleetFile} from './schema.ts';
import type {SecretVault} from './secrets.ts';

type Input = {
  readonly file: string;
  readonly parsed: FleetFile;
  /** The file as data, variables filled in, secrets still references. */
  readonly values: unknown;
  readonly configs: ReadonlyMap<string, unknown>;
  readonly secrets: SecretVault;
};
type ConfigAt = (path: Path) => unknown;

/** Makes the fleet out of a file that passed every check. `file` is absolute. */
export function buildFleet({file, parsed, values, configs, secrets}: Input): Fleet {
  const configAt: ConfigAt = (path) => configs.get(JSON.stringify(path));
  const {faults, state, witness} = parsed;
  const handlers = Object.entries(parsed.handlers).map(
    ([name, {kind, timeout}]): HandlerSpec => ({name, timeoutMs: timeout, handler: partAt(kind, ['handlers', name], configAt)}),
  );
  const metrics = Object.entries(parsed.metrics).map(
    ([name, {kind, timeout}]): MetricsSpec => ({name, timeoutMs: timeout, metrics: partAt(kind, ['metrics', name], configAt)}),
  );
  return {
    version: 1,
    name: parsed.fleet,
    file,
    digest: createHash('sha256').update(canonical(values)).digest('hex'),
    regions: Object.entries(parsed.regions).map(([name, region]) => regionOf(name, region, configAt)),
    stores: Object.entries(parsed.stores).map(([name, store]) => storeOf(name, store, configAt)),
    routes: Object.entries(parsed.routes).map(([name, route]) => routeOf(name, route, configAt)),
    services: Object.entries(parsed.services).map(
      ([name, {class: kind, rto, stores, routes}]): ServiceSpec => ({name, class: kind, rtoMs: rto, stores, routes}),
    ),
    dataClasses: Object.entries(parsed.dataClasses).map(([name, {rpo, allowed}]): DataClass => ({name, rpoMs: rpo, allowed})),
    health: {
      intervalMs: parsed.health.interval,
      riseFall: {rise: parsed.health.rise, fall: parsed.health.fall},
      flapping: {changes: parsed.health.flapping.changes, withinMs: parsed.health.flapping.within},
    },
    vantages: Object.entries(parsed.vantages).map(
      ([name, {kind, region}]): VantageSpec => ({name, region, vantage: partAt(kind, ['vantages', name], configAt)}),
    ),
    uplinks: Object.entries(parsed.uplinks).map(
      ([name, {probe, timeout}]): UplinkSpec => ({name, timeoutMs: timeout, probe: partAt(probe, ['uplinks', name], configAt)}),
    ),
    fault: faults === null ? null : partAt(faults.kind, ['faults'], configAt),
    witness:
      witness?.allowed === true ? {url: witness.url, everyMs: witness.every, deadlineMs: witness.deadline, stores: witness.stores} : null,
    hooks: Object.fromEntries(
      Object.entries(parsed.hooks).map(([name, {run, verify, timeout}]) => [name, {run, verify, timeoutMs: timeout}]),
    ),
    approval:
      parsed.approval === null
        ? null
        : {before: parsed.approval.before, approvers: parsed.approval.approvers, expiresMs: parsed.approval.expires},
    notifiers: Object.entries(parsed.notify).map(
      ([name, {kind, on, timeout}]): NotifierSpec => ({name, on, timeoutMs: timeout, notifier: partAt(kind, ['notify', name], configAt)}),
    ),
    ...(handlers.length === 0 ? {} : {handlers}),
    ...(metrics.length === 0 ? {} : {metrics}),
    ...(parsed.capacity === null ? {} : {capacity: capacityOf(parsed.capacity, (path) => resolve(dirname(file), path))}),
    checks: Object.entries(parsed.checks).map(([name, check]): CheckSpec => ({name, ...check})),
    drills: drillsOf(parsed.drills, (path) => resolve(dirname(file), path)),
    state: {kind: state.kind, dir: state.dir === null ? null : resolve(dirname(file), state.dir)},
    secrets,
    labels: parsed.labels as Record<string, Json>,
  };
}

function regionOf(name: string, region: FleetFile['regions'][string], configAt: ConfigAt): Region {
  const sites = Object.fromEntries(Object.entries(region.sites).map(([site, spec]) => [site, {failsOverTo: spec?.failsOverTo ?? null}]));
  const endpoints = Object.entries(region.endpoints).map(([endpoint, spec]): Endpoint => {
    const {probe, critical, timeout, slow, interval, vantages} = spec;
    const part = partAt(probe, ['regions', name, 'endpoints', endpoint], configAt);
    return {name: endpoint, region: name, critical, timeoutMs: timeout, slowMs: slow, intervalMs: interval, vantages, probe: part};
  });
  const {jurisdiction, tier, failoverOrder, scaleUp} = region;
  return {name, jurisdiction, tier, sites, failoverOrder, endpoints, scaleUp};
}

function storeOf(name: string, spec: FleetFile['stores'][string], configAt: ConfigAt): StoreSpec {
  const {engine, dataClasses, quorum, fenceHook, breaker, consistency, members} = spec;
  const path = ['stores', name];
  const list = Object.entries(members).map(([member, {region, site, host}]): StoreMember => {
    const place = [...path, 'members', member];
    return {
      name: member,
      region,
      site,
      config: configAt(place),
      host: host === null ? null : partAt(host.kind, [...place, 'host'], configAt),
    };
  });
  const {warn, open, readmit, drain} = breaker;
  const limits = {warnMs: warn, openMs: open, readmitMs: readmit, ...(drain === null ? {} : {drain})};
  const audited = consistencyOf(consistency);
  return {
    ...{name, engine, dataClasses, quorum, fenceHook, breaker: limits, consistency: audited},
    ...{members: list, config: configAt(path), path},
  };
}

function consistencyOf({only, ignore, tables}: FleetFile['stores'][string]['consistency']): ConsistencySpec {
  const rules = Object.entries(tables).map(([table, {policy, source, handler, ...rule}]) => [
    qualified(table),
    {...rule, policy: policyOf(policy, source, handler)},
  ]);
  return {only: only?.map(qualified) ?? null, ignore: ignore.map(qualified), tables: Object.fromEntries(rules)};
}

/* That `source` and `handler` are there where they are needed was checked before. */
function policyOf(kind: ConflictPolicy['kind'], source: string | null, handler: string | null): ConflictPolicy {
  if (kind === 'source') return {kind, region: source ?? ''};
  return kind === 'handler' ? {kind, hook: handler ?? ''} : {kind};
}

function routeOf(name: string, {router, weights, url, stages}: FleetFile['routes'][string], configAt: ConfigAt): RouteSpec {
  return {
    name,
    router: partAt(router, ['routes', name], configAt),
    weights,
    url,
    stages: stages === null ? null : {shares: stages.shares, holdMs: stages.hold},
  };
}

function partAt(kind: string, path: Path, configAt: ConfigAt): ProviderPart {
  return {kind, config: configAt(path), path};
}

/** The same for two files that differ in comments, layout or the order of keys only. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, child]) => `${JSON.stringify(key)}:${canonical(child)}`).join(',')}}`;
}

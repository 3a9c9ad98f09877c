import type {Endpoint, Fleet, Region} from '../../src/lib/fleet/fleet.ts';
import type {EndpointReading} from '../../src/lib/health/sweep.ts';
import type {ProbeResult} from '../../src/lib/ports/probe.ts';
import {HEALTH} from './defaults.ts';

/** 2026-11-21T10:00:00Z. */
export const AT = Date.UTC(2026, 10, 21, 10);

export function endpoint(name: string, region: string, more: Partial<Endpoint> = {}): Endpoint {
  const probe = {kind: 'http', config: {}, path: ['regions', region, 'endpoints', name]};
  return {name, region, critical: true, timeoutMs: 1000, slowMs: 500, probe, ...more};
}

export function reading(of: Endpoint, result: Partial<ProbeResult> = {}, attempts = 1): EndpointReading {
  return {endpoint: of, at: AT, attempts, result: {ok: true, latencyMs: 12, code: 'ok', detail: `${of.name} answered 200`, ...result}};
}

export const REFUSED: Partial<ProbeResult> = {
  ok: false,
  latencyMs: null,
  code: 'refused',
  detail: '127.0.0.1:21001 refused the connection',
};
export const UNKNOWN: Partial<ProbeResult> = {ok: null, latencyMs: null, code: 'observer-overloaded', detail: 'this process stood still'};

export function region(name: string, endpoints: readonly Endpoint[] = [], jurisdiction = 'EU'): Region {
  return {name, jurisdiction, tier: 'hot', sites: {}, failoverOrder: [], scaleUp: null, endpoints};
}

export function fleet(regions: readonly Region[], more: Partial<Fleet> = {}): Fleet {
  return {
    version: 1,
    name: 'lab',
    file: '/fleet/regionctl.yaml',
    digest: 'sha256:0',
    regions,
    stores: [],
    routes: [],
    services: [],
    dataClasses: [],
    health: HEALTH,
    vantages: [],
    uplinks: [],
    fault: null,
    witness: null,
    hooks: {},
    approval: null,
    notifiers: [],
    checks: [],
    state: {kind: 'sqlite', dir: null},
    secrets: {reveal: async () => 'value', scrub: (text) => text},
    labels: {},
    ...more,
  };
}

import type {Fleet} from '../fleet/fleet.ts';
import type {Json} from '../plan/json.ts';
import type {ProbeResult} from '../ports/probe.ts';
import type {EndpointJudgement} from './judge-endpoint.ts';
import type {FleetNow, RegionNow} from './region-memory.ts';
import type {Verdict} from './verdict.ts';

/** One vantage point's view of an endpoint. `ok` null = it could not tell. */
export type VantageView = {
  readonly vantage: string;
  readonly ok: boolean | null;
  readonly latencyMs: number | null;
  readonly code: string;
  readonly detail: string;
};

/** An endpoint in the `health check` document. Times in ms; null = not measured. */
export type HealthEndpoint = {
  readonly endpoint: string;
  readonly probe: string;
  readonly critical: boolean;
  readonly verdict: Verdict;
  readonly code: string;
  readonly latencyMs: number | null;
  readonly ageMs: number;
  readonly detail: string;
  /** What the probe found beside its verdict: phases, certificate, role; null = nothing. */
  readonly facts: Json;
  readonly vantages: readonly VantageView[];
};

/** A region in the `health check` document. `since` is ISO 8601. */
export type HealthRegion = {
  readonly region: string;
  readonly verdict: Verdict;
  readonly code: string;
  readonly reason: string;
  readonly since: string;
  /** Since when it flaps; null = it does not. */
  readonly flappingSince: string | null;
  /** How many of the vantage points that could tell share what decided the verdict. */
  readonly agree: number;
  readonly asked: number;
  readonly endpoints: readonly HealthEndpoint[];
};

/** The document of `health check --json`. */
export type HealthDocument = {
  readonly fleet: string;
  readonly at: string;
  readonly verdict: Verdict;
  readonly code: string;
  readonly reason: string;
  readonly regions: readonly HealthRegion[];
  /** What a person should know beside the verdicts, such as that `since` could not be remembered. */
  readonly notes: readonly string[];
};

/** The name of this machine among the vantage points. */
export const HERE = 'here';

type DocumentParts = {readonly fleet: Pick<Fleet, 'name'>; readonly now: FleetNow; readonly at: number; readonly notes?: readonly string[]};

/** The document of one sweep, as it stands `at` (epoch ms). */
export function healthDocument({fleet, now, at, notes = []}: DocumentParts): HealthDocument {
  const {verdict, code, reason} = now;
  return {fleet: fleet.name, at: iso(at), verdict, code, reason, regions: now.regions.map((region) => regionPart(region, at)), notes};
}

function regionPart({region, verdict, code, reason, since, flappingSince, agree, asked, endpoints}: RegionNow, at: number): HealthRegion {
  const flaps = flappingSince === null ? null : iso(flappingSince);
  const parts = endpoints.map((endpoint) => endpointPart(endpoint, at));
  return {region, verdict, code, reason, since: iso(since), flappingSince: flaps, agree, asked, endpoints: parts};
}

function endpointPart({verdict, code, reason, reading}: EndpointJudgement, at: number): HealthEndpoint {
  const {endpoint, result} = reading;
  const latencyMs = ms(result.latencyMs);
  return {
    endpoint: endpoint.name,
    probe: endpoint.probe.kind,
    critical: endpoint.critical,
    verdict,
    code,
    latencyMs,
    ageMs: Math.max(0, Math.round(at - reading.at)),
    detail: reason,
    facts: result.facts ?? null,
    vantages: [viewOf(HERE, result), ...(reading.others ?? []).map(({vantage, result: seen}) => viewOf(vantage, seen))],
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function viewOf(vantage: string, {ok, latencyMs, code, detail}: ProbeResult): VantageView {
  return {vantage, ok, latencyMs: ms(latencyMs), code, detail};
}

/** To a hundredth of a millisecond: more is noise. */
function ms(value: number | null): number | null {
  return value === null ? null : Math.round(value * 100) / 100;
}

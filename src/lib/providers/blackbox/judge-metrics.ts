import type {Json} from '../../plan/json.ts';
import type {ProbeResult} from '../../ports/probe.ts';

/** What is expected of what the exporter saw. `status` null = its module decides alone. */
export type Expected = {
  readonly target: string;
  readonly timeoutMs: number;
  readonly status: number | null;
  /** How many redirects may lead to the answer; null = as many as its module follows. */
  readonly redirects: number | null;
};

/** This share of the time that the exporter had is all of it: it stops a little before. */
const ALL_OF_IT = 0.95;

/** Reads the exporter's metrics as the result of one probe. Never throws; what is missing is not judged. */
export function judgeMetrics(metrics: ReadonlyMap<string, number>, expected: Expected): ProbeResult {
  const seconds = metrics.get('probe_duration_seconds');
  const latencyMs = seconds === undefined ? null : seconds * 1000;
  const facts = factsOf(metrics);
  const wrong = wrongAnswer(metrics, expected);
  if (wrong !== null) return {ok: false, latencyMs, ...wrong, facts};
  const took = latencyMs === null ? '' : ` in ${latencyMs.toFixed(1)} ms`;
  if (metrics.get('probe_success') === 1 || isWanted(metrics, expected))
    return {ok: true, latencyMs, code: 'ok', detail: `${expected.target} is well${took}`, facts};
  const answered = metrics.get('probe_http_status_code') ?? 0;
  if (answered !== 0)
    return {ok: false, latencyMs, code: 'unexpected-answer', detail: `it answered ${answered}, and failed its module`, facts};
  const late = latencyMs !== null && latencyMs >= expected.timeoutMs * ALL_OF_IT;
  if (late) return {ok: false, latencyMs: null, code: 'timeout', detail: `no answer within ${expected.timeoutMs} ms`, facts};
  return {ok: false, latencyMs: null, code: 'unreachable', detail: `${expected.target} cannot be reached from there`, facts};
}

function wrongAnswer(metrics: ReadonlyMap<string, number>, {status, redirects}: Expected): {code: string; detail: string} | null {
  const answered = metrics.get('probe_http_status_code') ?? 0;
  if (answered === 0) return null;
  if (redirects !== null && (metrics.get('probe_http_redirects') ?? 0) > redirects)
    return {code: 'unexpected-status', detail: 'it was redirected'};
  if (metrics.get('probe_failed_due_to_regex') === 1)
    return {code: 'unexpected-text', detail: `it answered ${answered} without the text expected there`};
  if (status !== null ? answered !== status : metrics.get('probe_success') !== 1)
    return {code: 'unexpected-status', detail: `it answered ${answered}${status === null ? '' : `, expected ${status}`}`};
  return null;
}

/** The module fails by what is no 2xx, and the endpoint may be expected to answer just that. A 2xx that it fails, it fails for another reason. */
function isWanted(metrics: ReadonlyMap<string, number>, {status}: Expected): boolean {
  return status !== null && (status < 200 || status > 299) && metrics.get('probe_http_status_code') === status;
}

const FACTS: Readonly<Record<string, string>> = {
  probe_http_status_code: 'status',
  probe_http_redirects: 'redirects',
  probe_http_version: 'httpVersion',
  probe_dns_lookup_time_seconds: 'dnsSeconds',
  probe_ssl_earliest_cert_expiry: 'certificateExpires',
};

function factsOf(metrics: ReadonlyMap<string, number>): Json {
  return Object.fromEntries(
    Object.entries(FACTS).flatMap(([name, fact]) => {
      const value = metrics.get(name);
      return value === undefined ? [] : [[fact, value]];
    }),
  );
}

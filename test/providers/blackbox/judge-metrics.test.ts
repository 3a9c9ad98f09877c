import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {judgeMetrics} from '../../../src/lib/providers/blackbox/judge-metrics.ts';
import {metricsOf} from '../../../src/lib/providers/blackbox/metrics.ts';

const expected = {target: 'http://app/', timeoutMs: 1000, status: 200, redirects: 0};
const judge = (metrics: Readonly<Record<string, number>>, more: Partial<typeof expected | {status: null; redirects: null}> = {}) =>
  judgeMetrics(new Map(Object.entries(metrics).map(([name, value]) => [`probe_${name}`, value])), {...expected, ...more});

describe('the metrics of an exporter', () => {
  it('are read by name, with or without labels, and noise is left out', () => {
    const text = `# HELP probe_success Displays whether or not the probe was a success
# TYPE probe_success gauge
probe_success 1
probe_http_duration_seconds{phase="connect"} 0.25
probe_http_duration_seconds{phase="tls"} 0.5
probe_ssl_earliest_cert_expiry 1.767225599e+09
probe_broken NaN
nothing
`;
    expect([...metricsOf(text)]).toEqual([
      ['probe_success', 1],
      ['probe_http_duration_seconds', 0.75],
      ['probe_ssl_earliest_cert_expiry', 1767225599],
    ]);
    fc.assert(fc.property(fc.string(), (noise) => void metricsOf(noise)));
  });

  it.each([
    ['well', {success: 1, duration_seconds: 0.012, http_status_code: 200}, {}, true, 'ok', 12],
    ['another status', {success: 0, duration_seconds: 0.01, http_status_code: 500}, {}, false, 'unexpected-status', 10],
    ['a good status that is not the one', {success: 1, duration_seconds: 0.01, http_status_code: 204}, {}, false, 'unexpected-status', 10],
    [
      'the wanted status, which the module fails',
      {success: 0, duration_seconds: 0.01, http_status_code: 503},
      {status: 503},
      true,
      'ok',
      10,
    ],
    ['a 200 that the module fails', {success: 0, duration_seconds: 0.01, http_status_code: 200}, {}, false, 'unexpected-answer', 10],
    ['a text that is missing', {success: 0, http_status_code: 200, failed_due_to_regex: 1}, {}, false, 'unexpected-text', null],
    ['a redirect that we would not follow', {success: 1, http_status_code: 200, http_redirects: 1}, {}, false, 'unexpected-status', null],
    ['a redirect that we follow', {success: 1, http_status_code: 200, http_redirects: 1}, {redirects: 1}, true, 'ok', null],
    ['late', {success: 0, duration_seconds: 0.999, http_status_code: 0}, {}, false, 'timeout', null],
    ['out of reach', {success: 0, duration_seconds: 0.001, http_status_code: 0}, {}, false, 'unreachable', null],
    ['an accepted connection', {success: 1, duration_seconds: 0.001}, {status: null}, true, 'ok', 1],
    ['a refused connection', {success: 0, duration_seconds: 0.001}, {status: null}, false, 'unreachable', null],
  ] as const)('%s', (_name, metrics, more, ok, code, latencyMs) => {
    expect(judge(metrics, more)).toMatchObject({ok, code, latencyMs});
  });

  it('always give a verdict, and never well without a success or the wanted status', () => {
    const value = fc.oneof(fc.constantFrom(0, 1, 200, 301, 500), fc.double({noNaN: true, min: 0, max: 10}));
    const names = ['success', 'duration_seconds', 'http_status_code', 'http_redirects', 'failed_due_to_regex'];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), fc.constantFrom(200, 301, null), (metrics, status) => {
        const {ok, code} = judge(metrics, {status} as {status: null; redirects: null});
        expect(ok === true).toBe(code === 'ok');
        if (ok) expect(metrics.success === 1 || metrics.http_status_code === status).toBe(true);
      }),
    );
  });
});

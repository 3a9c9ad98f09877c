import type {Clock} from '../../ports/clock.ts';
import type {Probe, ProbeResult} from '../../ports/probe.ts';
import type {Exporter, Question} from './exporter.ts';
import {judgeMetrics} from './judge-metrics.ts';

/** What the exporter is asked. A certificate that expires within `minValidMs` is a warning. */
export type BlackboxTarget = Question & {readonly minValidMs: number};

/** An endpoint that is looked at by a blackbox_exporter alone. An exporter that does not answer leaves it unknown: that says nothing of the endpoint. */
export function blackboxProbe(target: BlackboxTarget, exporter: Exporter, clock: Clock): Probe {
  return {
    check: async (signal) => {
      // The exporter must have its word before our own deadline.
      const timeoutMs = Math.max(1, Math.floor(target.timeoutMs * 0.9));
      const measured = await exporter.ask({...target, timeoutMs}, signal);
      if ('trouble' in measured) return measured.trouble;
      const shown = target.target.replace(/\?.*$/s, '');
      const result = judgeMetrics(measured.metrics, {target: shown, timeoutMs, status: null, redirects: null});
      return withExpiry(result, measured.metrics.get('probe_ssl_earliest_cert_expiry'), target.minValidMs, clock.wall());
    },
  };
}

const DAY_MS = 86_400_000;

function withExpiry(result: ProbeResult, expires: number | undefined, minValidMs: number, now: number): ProbeResult {
  if (result.ok !== true || expires === undefined) return result;
  const leftMs = expires * 1000 - now;
  if (leftMs >= minValidMs) return result;
  const says = `its certificate is valid for ${Math.max(0, Math.floor(leftMs / DAY_MS))} days only`;
  return {...result, warning: {code: 'certificate-expires', says}};
}

import type {Target, Vantage} from '../../ports/vantage.ts';
import type {Exporter} from './exporter.ts';
import {judgeMetrics} from './judge-metrics.ts';

/** The exporter's modules by what is looked at. */
export type Modules = Readonly<Record<Target['kind'], string>>;

/** A blackbox_exporter as a vantage point. What it says of an http endpoint's status is held against what the fleet file expects there. */
export function blackboxVantage(modules: Modules, exporter: Exporter, offsetMs: number): Vantage {
  return {
    graceMs: offsetMs + 500,
    check: async (target, timeoutMs, signal) => {
      const what = target.kind === 'http' ? target.url : `${target.host}:${target.port}`;
      const measured = await exporter.ask({module: modules[target.kind], target: what, timeoutMs}, signal);
      if ('trouble' in measured) return measured.trouble;
      const {expectStatus: status = null, redirects = null} = target.kind === 'http' ? target : {};
      // A URL's query may hold a token.
      return judgeMetrics(measured.metrics, {target: what.replace(/\?.*$/s, ''), timeoutMs, status, redirects});
    },
  };
}

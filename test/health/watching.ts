import {type Monitor, type MonitorOptions, type MonitorView, startMonitor} from '../../src/lib/health/monitor.ts';
import type {Observer} from '../../src/lib/health/observer.ts';
import type {Probe, ProbeResult} from '../../src/lib/ports/probe.ts';
import {realClock as clock} from './real-clock.ts';
import {fleet, REFUSED, region} from './samples.ts';

export const GOOD: ProbeResult = {ok: true, latencyMs: 2, code: 'ok', detail: 'fine'};
export const TIMEOUT: ProbeResult = {ok: false, latencyMs: null, code: 'timeout', detail: 'no answer'};
export const BAD: ProbeResult = {...GOOD, ...REFUSED};
export const WRONG: ProbeResult = {ok: false, latencyMs: null, code: 'unexpected-status', detail: '503'};
export const SILENT: ProbeResult = {ok: null, latencyMs: null, code: 'vantage-silent', detail: 'the exporter does not answer'};
export const attempts = {fall: 1, pauseMs: 1};
const observer = (): Observer => ({stalledSince: () => 0, lostSince: () => 0, jumpedSince: () => 0, stop: () => {}});
const running: Monitor[] = [];
/** For after each test. */
export const stopAll = async (): Promise<void> => {
  await Promise.all(running.splice(0).map((monitor) => monitor.stop()));
};

export type Told = Monitor & {readonly told: string[]; down(): string[]};
/** Watches by the real clock, each endpoint at its own interval; it is stopped by `stopAll`. `told` are the changes in short. */
export function watch(probes: MonitorOptions['probes'], more: Partial<MonitorOptions> = {}): Told {
  const regions = [...new Set(probes.map(({endpoint: {region: name}}) => name))].map((name) => region(name));
  const chance = {random: () => 0.5, intervalMs: undefined};
  const monitor = startMonitor({fleet: fleet(regions), probes, clock, memory: null, attempts, observer, ...chance, ...more});
  running.push(monitor);
  const told: string[] = [];
  monitor.onChange(({region: name, to, code}) => told.push(`${name} ${to} ${code}`));
  return Object.assign(monitor, {told, down: () => told.filter((line) => line.includes('unhealthy'))});
}
export const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
export async function until(what: () => boolean, forMs = 5000): Promise<void> {
  const began = performance.now();
  while (!what()) {
    if (performance.now() - began > forMs) throw new Error('it did not come to that');
    await wait(2);
  }
}
export const verdictOf = (view: MonitorView, name: string) => view.regions.find((each) => each.region === name)?.verdict;
export const all = (monitor: Monitor, wanted: string) => until(() => monitor.view().regions.every(({verdict}) => verdict === wanted));
export const fn = (check: () => Promise<ProbeResult>): Probe => ({check});
/** Answers at once while `up`, else fails after so long. */
export const over = (net: {up: boolean}, ms = 0, fails: ProbeResult = ms > 0 ? TIMEOUT : BAD): Probe =>
  fn(async () => {
    if (net.up) return GOOD;
    if (ms > 0) await wait(ms);
    return fails;
  });

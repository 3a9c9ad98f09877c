// One process that sweeps the given ports so many times, and prints for each sweep how long it took, its CPU time, and what it found. Used by health.ts.
import {readFileSync} from 'node:fs';
import {probeAll} from '../src/lib/health/sweep.ts';
import {httpProbe} from '../src/lib/providers/http/http-probe.ts';
import {systemClock} from '../src/lib/run/system-clock.ts';

const {ports, timeoutMs, times} = JSON.parse(readFileSync(0, 'utf8')) as {ports: number[]; timeoutMs: number; times: number};
const secrets = {reveal: async () => '', scrub: (text: string) => text};
const endpoints = ports.map((port, index) => ({
  endpoint: {
    ...{name: `e${index}`, region: `r${index % 7}`, critical: false, timeoutMs, slowMs: null},
    probe: {kind: 'http', config: {}, path: []},
  },
  probe: httpProbe({url: `http://127.0.0.1:${port}/`, expectStatus: 200, expectText: null, headers: {}, timeoutMs}, secrets),
}));
const sweeps: object[] = [];
for (let each = 0; each < times; each += 1) {
  const cpu = process.cpuUsage();
  const began = performance.now();
  const readings = await probeAll({endpoints, clock: systemClock(), signal: new AbortController().signal});
  const {user, system} = process.cpuUsage(cpu);
  const codes: Record<string, number> = {};
  for (const {result} of readings) codes[result.code] = (codes[result.code] ?? 0) + 1;
  const latencies = readings.flatMap(({result}) => (result.latencyMs === null ? [] : [result.latencyMs])).toSorted((a, b) => a - b);
  sweeps.push({
    ...{wallMs: performance.now() - began, cpuMs: (user + system) / 1000, codes},
    ...{p50: latencies[Math.floor(latencies.length / 2)] ?? null, p99: latencies[Math.floor(latencies.length * 0.99)] ?? null},
  });
}
process.stdout.write(JSON.stringify(sweeps));

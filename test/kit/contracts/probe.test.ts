import {expect, it} from 'vitest';
import {probeContract} from '../../../src/kit/testing.ts';
import type {Probe, ProbeResult} from '../../../src/lib/ports/probe.ts';
import {failuresOf} from './failures.ts';

type Way = 'healthy' | 'refusing' | 'hanging';

const CANCELLED: ProbeResult = {ok: null, latencyMs: null, code: 'interrupted', detail: 'cancelled'};
const RESULTS: Record<Way, ProbeResult> = {
  healthy: {ok: true, latencyMs: 1, code: 'ok', detail: 'it answered', facts: {role: 'primary'}},
  refusing: {ok: false, latencyMs: null, code: 'refused', detail: 'nobody there'},
  hanging: {ok: false, latencyMs: null, code: 'timeout', detail: 'no answer within 300 ms'},
};

/** A probe that keeps its promises. */
function honest(way: Way): Probe {
  return {
    check: (signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve(CANCELLED);
        signal.addEventListener('abort', () => resolve(CANCELLED));
        setTimeout(() => resolve(RESULTS[way]), way === 'hanging' ? 300 : 1);
      }),
  };
}

function said(change: (way: Way, answer: Promise<ProbeResult>, signal: AbortSignal) => Promise<ProbeResult>): Promise<string[]> {
  const probe = (way: Way): Probe => ({check: (signal) => change(way, honest(way).check(signal), signal)});
  const make = async () => ({healthy: probe('healthy'), refusing: probe('refusing'), hanging: probe('hanging'), secrets: ['s3cret']});
  return failuresOf((runner) => probeContract(runner, make));
}

it('finds nothing against an honest probe', async () => {
  expect(await said((_, answer) => answer)).toEqual([]);
});

it.each<[string, Parameters<typeof said>[0], string]>([
  ['throws', async (way, answer) => (way === 'refusing' ? Promise.reject(new Error('ECONNREFUSED')) : answer), 'fails, and does not throw'],
  ['says ok of what hangs', async (way, answer) => (way === 'hanging' ? RESULTS.healthy : answer), 'fails by its own deadline'],
  ['ignores the signal', (way) => honest(way).check(new AbortController().signal), 'ends when it is cancelled'],
  [
    'calls a cancelled endpoint down',
    async (_, answer, signal) => ({...(await answer), ...(signal.aborted ? {ok: false} : {})}),
    'does not call the endpoint down',
  ],
  ['gives no latency', async (_, answer) => ({...(await answer), latencyMs: null}), 'says ok with a latency'],
  ['gives a negative latency', async (_, answer) => ({...(await answer), latencyMs: -1}), 'fails, and does not throw'],
  ['has no detail', async (_, answer) => ({...(await answer), detail: ''}), 'says ok with a latency'],
  ['tells a secret', async (_, answer) => ({...(await answer), detail: 'with s3cret'}), 'keeps secrets out'],
  ['gives facts that are no JSON', async (_, answer) => ({...(await answer), facts: new Date() as never}), 'survive JSON'],
])('finds a probe that %s', async (_, change, failing) => {
  expect((await said(change)).join('\n')).toContain(failing);
});

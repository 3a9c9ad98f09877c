import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {measureWitness} from '../../src/lib/witness/measure.ts';
import type {WitnessLog, WitnessWrite} from '../../src/lib/witness/witness-log.ts';

// An outage at any time, and a stream that writes all the time. What is stated is held against when the service was there, which only the model knows.
const EVERY_MS = 20;
const LENGTH_MS = 2000;

/** Latencies in ms, from hardly any to twice the interval, so that acknowledgements come out of their order. */
const latencies = fc.array(fc.double({min: 0.2, max: 40, noNaN: true}), {minLength: LENGTH_MS / EVERY_MS, maxLength: LENGTH_MS / EVERY_MS});
/** What becomes of writes that meet the outage: refused, given up at their deadline, or kept by a server that stands still and answers when it goes on. */
const kind = fc.constantFrom('refused' as const, 'hung' as const, 'frozen' as const);
/** Longer than two acknowledgements can be apart without an outage, so that it is the longest gap. */
const outage = fc.record({
  from: fc.double({min: 200, max: 900, noNaN: true}),
  ms: fc.double({min: 130, max: 800, noNaN: true}),
  phase: fc.double({min: 0, max: EVERY_MS, noNaN: true}),
  kind,
});
type Outage = typeof outage extends fc.Arbitrary<infer T> ? T : never;

function writeOf(n: number, latency: number, {from, ms, phase, kind}: Outage): WitnessWrite {
  const [sentAt, back] = [phase + n * EVERY_MS, from + ms];
  const write = (outcome: WitnessWrite['outcome'], endedAt: number) => ({n, ref: `w-${n}`, sentAt, endedAt, outcome});
  if (sentAt + latency <= from || sentAt >= back) return write('acknowledged', sentAt + latency);
  if (kind === 'frozen') return write('acknowledged', back + Math.min(latency, latency - Math.max(0, from - sentAt)));
  return kind === 'refused' && sentAt >= from ? write('failed', sentAt + 0.2) : write('unknown', sentAt + 2000);
}

const logOf = (writes: readonly WitnessWrite[]): WitnessLog => ({
  sessions: [{openedAt: 0, endedAt: LENGTH_MS, closed: true, url: ''}],
  writes: writes.toSorted((a, b) => a.endedAt - b.endedAt),
  stalls: [],
  torn: 0,
});

describe('the ends of the longest gap', () => {
  it('are within one interval and the latency of the write concerned of those of the outage, and never inside it', () => {
    fc.assert(
      fc.property(latencies, outage, (times, hit) => {
        const [from, back] = [hit.from, hit.from + hit.ms];
        const writes = times.map((latency, n) => writeOf(n, latency, hit));
        const {gapFrom, gapTo, writeGapMs} = measureWitness(logOf(writes), null);
        const latencyOf = (found: (write: WitnessWrite) => boolean) => times[writes.findIndex(found)] ?? Number.NaN;
        // The first write that the outage kept from being acknowledged, and the first that was sent after it.
        const cut = latencyOf(({sentAt}) => sentAt + (times[Math.round((sentAt - hit.phase) / EVERY_MS)] ?? 0) > from);
        const next = latencyOf(({sentAt}) => sentAt >= back);
        expect(gapFrom).toBeLessThanOrEqual(from);
        expect(from - (gapFrom ?? 0)).toBeLessThan(EVERY_MS + cut);
        expect(gapTo).toBeGreaterThanOrEqual(back);
        expect((gapTo ?? 0) - back).toBeLessThan(EVERY_MS + next);
        expect(writeGapMs).toBeGreaterThanOrEqual(hit.ms);
      }),
      {numRuns: 500},
    );
  });

  it('begin with the last acknowledgement of all, though an earlier write hung before it', () => {
    const ack = (n: number, sentAt: number, endedAt: number): WitnessWrite => ({
      n,
      ref: `w-${n}`,
      sentAt,
      endedAt,
      outcome: 'acknowledged',
    });
    const hung: WitnessWrite = {n: 1, ref: 'w-1', sentAt: 20, endedAt: 2020, outcome: 'unknown'};
    expect(measureWitness(logOf([ack(0, 0, 2), hung, ack(2, 40, 42), ack(3, 500, 503)]), null)).toMatchObject({gapFrom: 42, gapTo: 503});
  });
});

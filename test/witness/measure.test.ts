import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {measureWitness} from '../../src/lib/witness/measure.ts';
import type {Outcome, WitnessLog} from '../../src/lib/witness/witness-log.ts';

type Write = {sentAt: number; took: number; outcome: Outcome};

function logOf(writes: readonly Write[], more: Partial<WitnessLog> = {}): WitnessLog {
  const all = writes.map((write, n) => ({
    n,
    ref: `w-${n}`,
    sentAt: write.sentAt,
    endedAt: write.sentAt + write.took,
    outcome: write.outcome,
  }));
  return {sessions: [{openedAt: 0, endedAt: 1000, closed: true, url: ''}], writes: all, stalls: [], torn: 0, ...more};
}

const acks = (...times: number[]) => times.map((sentAt): Write => ({sentAt, took: 0, outcome: 'acknowledged'}));
const all = (log: WitnessLog, except: readonly string[] = []) =>
  new Map(log.writes.filter((write) => !except.includes(write.ref)).map((write) => [write.ref, 1]));

const outcome = fc.constantFrom<Outcome>('acknowledged', 'failed', 'unknown');
const anyWrite = fc.record({sentAt: fc.integer({min: 0, max: 800}), took: fc.integer({min: 0, max: 200}), outcome});
const anySpan = fc.tuple(fc.integer({min: 0, max: 1000}), fc.integer({min: 1, max: 300})).map(([from, ms]) => ({from, to: from + ms}));

/** The slow way: at every ms, how long the unbroken silence around it is. */
function oracleGap(times: readonly number[]): number | null {
  const set = new Set(times);
  if (times.length < 2) return null;
  let best = 0;
  let silent: number | null = null;
  for (let ms = 0; ms <= 1000; ms += 1) {
    if (silent !== null) silent += 1;
    if (set.has(ms)) {
      best = Math.max(best, silent ?? 0);
      silent = 0;
    }
  }
  return best;
}

describe('measureWitness', () => {
  it('agrees with the slow way on gaps, losses and duplicates', () => {
    fc.assert(
      fc.property(
        fc.array(anyWrite, {maxLength: 40}),
        fc.array(fc.integer({min: 0, max: 2}), {minLength: 40, maxLength: 40}),
        (writes, rows) => {
          const log = logOf(writes);
          const readBack = new Map(log.writes.map((write) => [write.ref, rows[write.n] ?? 0] as const).filter(([, count]) => count > 0));
          const measured = measureWitness(log, readBack);
          const acked = log.writes.filter((write) => write.outcome === 'acknowledged');
          expect(measured.longestGapMs).toBe(oracleGap(acked.map((write) => write.endedAt)));
          expect(measured.writeGapMs).toBe(measured.longestGapMs);
          expect(measured.lost).toEqual(acked.filter((write) => rows[write.n] === 0).map((write) => write.ref));
          expect(new Set(measured.duplicated)).toEqual(
            new Set(log.writes.filter((write) => rows[write.n] === 2).map((write) => write.ref)),
          );
          expect(measured.acknowledged + measured.failed + measured.unknown).toBe(writes.length);
          expect((measured.lossWindowMs ?? -1) > 0).toBe((measured.lost?.length ?? 0) > 0);
        },
      ),
    );
  });

  it('with its edges also sees the silence before the first and after the last acknowledgement', () => {
    fc.assert(
      fc.property(fc.array(anyWrite, {maxLength: 20}), (writes) => {
        const log = logOf(writes);
        const times = log.writes.filter((write) => write.outcome === 'acknowledged').map((write) => write.endedAt);
        expect(measureWitness(log, null, {edges: true}).longestGapMs).toBe(oracleGap([0, ...times, 1000]));
      }),
    );
  });

  it('takes no gap from the time in which it only waited for writes that hung, whatever was acknowledged then', () => {
    const hung: Write = {sentAt: 80, took: 900, outcome: 'unknown'};
    const sessions = [{openedAt: 0, endedAt: 1000, stoppedAt: 100, closed: true, url: ''}];
    const measured = (...writes: readonly Write[]) => measureWitness(logOf([...writes, hung], {sessions}), null, {edges: true});
    expect(measured(...acks(0, 30, 60, 90))).toMatchObject({longestGapMs: 30, writeGapMs: 30});
    expect(measured(...acks(0, 30, 60), {sentAt: 99, took: 61, outcome: 'acknowledged'})).toMatchObject({writeGapMs: 100, gapTo: 160});
    expect(measured(...acks(0, 20))).toMatchObject({
      longestGapMs: 80,
      writeGapMs: null,
      writeGapReason: expect.stringContaining('last 80 ms'),
    });
  });

  it('never claims more of a gap than our own stalls leave, nor more than there was', () => {
    fc.assert(
      fc.property(fc.array(anyWrite, {maxLength: 30}), fc.array(anySpan, {maxLength: 1}), (writes, spans) => {
        const log = logOf(writes, {stalls: spans.map((span) => ({...span, late: 1}))});
        const measured = measureWitness(log, null);
        if (measured.longestGapMs === null) {
          expect(measured.gapAtLeastMs).toBeNull();
          return;
        }
        const stalled = measured.stalls.totalMs;
        expect(measured.gapAtLeastMs).toBeLessThanOrEqual(measured.longestGapMs);
        expect(measured.gapAtLeastMs).toBeGreaterThanOrEqual(measured.longestGapMs - stalled);
      }),
    );
  });

  it('never measures a gap across a time in which nobody looked', () => {
    fc.assert(
      fc.property(
        fc.array(anyWrite, {maxLength: 30}),
        fc.integer({min: 1, max: 998}),
        fc.integer({min: 1, max: 400}),
        (writes, died, away) => {
          const back = died + away;
          const kept = writes.filter((write) => write.sentAt + write.took <= died || write.sentAt >= back);
          const sessions = [
            {openedAt: 0, endedAt: died, closed: false, url: ''},
            {openedAt: back, endedAt: 2000, closed: true, url: ''},
          ];
          const measured = measureWitness(logOf(kept, {sessions}), null);
          expect(measured.interrupted).toBe(true);
          if (measured.gapFrom !== null && measured.gapTo !== null) expect(measured.gapTo <= died || measured.gapFrom >= back).toBe(true);
          const times = kept.filter((write) => write.outcome === 'acknowledged').map((write) => write.sentAt + write.took);
          const before = Math.max(...times.filter((time) => time <= died));
          const after = Math.min(...times.filter((time) => time >= back));
          const across = Number.isFinite(before) && Number.isFinite(after) ? after - before : 0;
          if (across > (measured.longestGapMs ?? 0))
            expect(measured).toMatchObject({writeGapMs: null, writeGapReason: expect.stringContaining('not running')});
        },
      ),
    );
  });

  it('dates the loss from the earliest lost write to the last acknowledgement before the gap', () => {
    const log = logOf(acks(0, 20, 40, 60, 80, 700, 720));
    expect(measureWitness(log, all(log, ['w-2', 'w-3', 'w-4']))).toMatchObject({
      lost: ['w-2', 'w-3', 'w-4'],
      longestGapMs: 620,
      gapFrom: 80,
      gapTo: 700,
      lossWindowMs: 40,
    });
    expect(measureWitness(log, all(log, ['w-4'])).lossWindowMs).toBe(1);
    // An old primary that thaws and acknowledges after the gap: the loss reaches to there.
    expect(measureWitness(log, all(log, ['w-3', 'w-6'])).lossWindowMs).toBe(660);
  });

  it('says that a service which never came back was not measured to its end', () => {
    const measured = measureWitness(logOf(acks(0, 20)), null, {edges: true});
    expect(measured).toMatchObject({writeGapMs: null, longestGapMs: 980, gapAtLeastMs: 980});
    expect(measured.writeGapReason).toBe('no write was acknowledged in the last 980 ms before the witness was stopped');
  });

  it('looks only at the gaps that reach into the window', () => {
    const log = logOf(acks(0, 400, 420, 440, 900));
    expect(measureWitness(log, null, {window: {from: 410, to: 435}}).longestGapMs).toBe(20);
    expect(measureWitness(log, null, {window: {from: 410, to: 450}}).longestGapMs).toBe(460);
  });

  it('measures nothing out of an empty log', () => {
    const measured = measureWitness({sessions: [], writes: [], stalls: [], torn: 0}, null, {edges: true});
    expect(measured).toMatchObject({acknowledged: 0, lost: null, longestGapMs: null, writeGapMs: null, interrupted: false});
  });

  it('takes an hour of writes at 200 per second', () => {
    const writes = Array.from({length: 720_000}, (_, n): Write => ({sentAt: n * 5, took: 2, outcome: 'acknowledged'}));
    const log = logOf(writes);
    expect(measureWitness(log, new Map())).toMatchObject({acknowledged: 720_000, longestGapMs: 5});
  });
});

import {describe, expect, it} from 'vitest';
import {BREAKER, breakerNow} from '../../src/lib/replication/breaker.ts';
import type {LagRow} from '../../src/lib/replication/lag.ts';
import {
  addUp,
  breakerChanges,
  breakerLook,
  keepSamples,
  keptSamples,
  leadBreaker,
  NO_SAMPLES,
  percentilesOf,
  recallBreaker,
  type Samples,
  withLook,
} from '../../src/lib/replication/link-record.ts';
import {recordState} from './record-state.ts';

const T0 = Date.UTC(2026, 10, 27, 3);
const LINK = {store: 'orders', from: 'us', to: 'eu'};

const row = (state: LagRow['state'], seconds: number | null, code = 'x') => ({state, seconds, code});
const ends = (senderRead: boolean) => ({senderRead, endOffset: '900', replayOffset: '500'});

describe('a look at a link, for its breaker', () => {
  it.each([
    ['what moves has at most the lag that was read', row('catching-up', 42), true, 42_000, 'moves'],
    ['a broken link is stuck, and the age of the last transaction says nothing of it', row('broken', 7200), true, null, 'stuck'],
    ['so is a stalled one', row('stalled', 7200), true, null, 'stuck'],
    ['what is late on purpose is no lag', row('catching-up', 3600, 'apply-delay'), true, 3_600_000, 'late'],
    ['a sender that could not be asked is no lag', row('broken', 7200), false, null, 'unseen'],
    ['nor is what is not known', row('unknown', null), true, null, 'unseen'],
  ] as const)('%s', (_, given, senderRead, lagMs, link) => {
    expect(breakerLook(given, ends(senderRead), T0)).toEqual({at: T0, lagMs, link, end: '900', place: '500'});
  });
});

describe('the record of links', () => {
  it('leads each breaker from one command to the next, and notes its changes', () => {
    const state = recordState({wall: () => T0});
    const lead = (seconds: number, at: number) =>
      leadBreaker(state, 'shop', LINK, {...breakerLook(row('catching-up', seconds), ends(true), at), end: null, place: null}, BREAKER);
    expect(recallBreaker(state, 'shop', LINK)).toBeNull();
    lead(1, T0);
    lead(45, T0 + 1000);
    lead(75, T0 + 2000);
    expect(recallBreaker(state, 'shop', LINK)).toMatchObject({state: 'open', since: T0 + 2000, lagMs: 75_000});
    expect(recallBreaker(state, 'shop', {...LINK, to: 'ap'})).toBeNull();
    const now = breakerNow(lead(2, T0 + 3000), BREAKER);
    expect(now).toEqual({
      state: 'open',
      since: '2026-11-27T03:00:02.000Z',
      reason: 'open: 2 s behind by now; closes in 30 s if it stays below 30 s',
    });
    expect(breakerChanges(state, 'shop', 0).map(({at, to, was, state: became}) => [at, to, was, became])).toEqual([
      ['2026-11-27T03:00:01.000Z', 'eu', 'closed', 'warn'],
      ['2026-11-27T03:00:02.000Z', 'eu', 'warn', 'open'],
    ]);
    expect(breakerChanges(state, 'shop', T0 + 1500)).toHaveLength(1);
  });

  it('knows the percentiles of each link over any time, of what was kept and of what was not yet', () => {
    const state = recordState({wall: () => T0});
    const samplesOf = (lags: readonly (number | null)[]): Samples =>
      lags.reduce<Samples>((all, lagMs) => withLook(all, {link: lagMs === null ? 'unseen' : 'moves', lagMs}), NO_SAMPLES);
    keepSamples(state, 'shop', LINK, samplesOf(Array.from({length: 100}, () => 9000)), T0);
    keepSamples(state, 'shop', LINK, samplesOf(Array.from({length: 99}, (_, n) => (n + 1) * 10)), T0 + 60_000);
    keepSamples(state, 'shop', LINK, NO_SAMPLES, T0 + 60_000);
    keepSamples(state, 'shop', {...LINK, to: 'ap'}, samplesOf([1]), T0 + 60_000);
    const now = samplesOf([1000, null, null]);
    const recent = percentilesOf(addUp([keptSamples(state, 'shop', LINK, {since: T0 + 30_000}), now]), T0 + 30_000);
    expect(recent).toMatchObject({samples: 100, unseen: 2, maxMs: 1000});
    for (const [found, wanted] of [
      [recent.p50Ms, 500],
      [recent.p95Ms, 950],
      [recent.p99Ms, 990],
    ] as const)
      expect(Math.abs((found ?? 0) - wanted)).toBeLessThanOrEqual(wanted * 0.011);
    expect(keptSamples(state, 'shop', LINK, {since: 0}).sketch.max).toBe(9000);
    expect(percentilesOf(keptSamples(state, 'shop', {...LINK, from: 'ap'}, {since: 0}), 0)).toMatchObject({
      samples: 0,
      p50Ms: null,
      maxMs: null,
    });
  });
});

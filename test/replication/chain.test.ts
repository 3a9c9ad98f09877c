import {describe, expect, it} from 'vitest';
import {BREAKER, breakerNow, nextBreaker} from '../../src/lib/replication/breaker.ts';
import {judgeLinks, type LagThresholds, type LinkSample, lookAgainAfter} from '../../src/lib/replication/lag.ts';
import {breakerLooks} from '../../src/lib/replication/link-record.ts';

const about: LagThresholds = {store: 'orders', engine: 'postgres', rpoMs: 5000};
/** A link at a moment when its sender has the log up to `end` and its receiver up to `held`. */
const link = (from: string, to: string, [held, end]: readonly [number, number], more: Partial<LinkSample> = {}): LinkSample => ({
  ...{from, to, kind: 'physical', senderRead: true, senderState: 'streaming', receiverConnected: true, sync: 'async', trouble: null},
  ...{sendBytes: 0, writeBytes: end - held, flushBytes: end - held, replayBytes: end - held, runwayBytes: null, sampleAgeMs: 1},
  ...{replayOffset: String(held), heldOffset: String(held), endOffset: String(end), senderTimeline: 1, receiverTimeline: 1},
  ...{lastReplayAgeSeconds: 1, heardUpstreamAgoMs: 10},
  ...more,
});
const CUT = {senderState: null, receiverConnected: false, lastReplayAgeSeconds: 24.9} as const;
const rowOf = (to: string, samples: readonly LinkSample[], more: Partial<LagThresholds> = {}) => {
  const row = judgeLinks(samples, {...about, ...more}).find((each) => each.to === to);
  if (row === undefined) throw new Error(`no link to ${to}`);
  return row;
};
/** eu was cut off from us while that wrote on, and hands on to ap what it has. */
const cut = (seconds = 24.9): LinkSample[] => [
  link('us', 'eu', [1000, 9000], {...CUT, lastReplayAgeSeconds: seconds}),
  link('eu', 'ap', [1000, 1000], {lastReplayAgeSeconds: seconds}),
];

describe('a standby of a standby', () => {
  it('is as late as the whole chain, by the bytes of its own link, and says who is behind', () => {
    expect(rowOf('ap', cut())).toMatchObject({
      ...{state: 'streaming', code: 'upstream-behind', flushBytes: 0, replayBytes: 0, seconds: 24.9, withinRpo: false},
      reason: 'ap has everything that eu has; eu, from which it gets the log, is 24.9 s behind and broken (us → eu).',
    });
  });

  it('names the link that is to blame, however far up it is', () => {
    const samples = [...cut(), link('ap', 'sa', [1000, 1000], {lastReplayAgeSeconds: 24.9})];
    const {seconds, withinRpo, reason} = rowOf('sa', samples);
    expect({seconds, withinRpo}).toEqual({seconds: 24.9, withinRpo: false});
    expect(reason).toContain('eu, which its log comes through, is 24.9 s behind');
  });

  it('is well where everything has got through, also past one that replays nothing', () => {
    const well = rowOf('ap', [link('us', 'eu', [9000, 9000]), link('eu', 'ap', [9000, 9000])]);
    expect(well).toMatchObject({state: 'streaming', code: 'ok', seconds: 0, withinRpo: true, reason: 'ap has everything that eu has.'});
    const paused = link('us', 'eu', [9000, 9000], {
      ...{replayOffset: '1000', replayBytes: 8000, lastReplayAgeSeconds: 3600},
      ...{cause: {code: 'replay-paused', state: 'stalled'}, trouble: 'Replay is paused on eu.'},
    });
    expect(rowOf('ap', [paused, link('eu', 'ap', [9000, 9000])])).toMatchObject({code: 'ok', seconds: 0, withinRpo: true});
    const cause = {code: 'other-name', state: 'broken'} as const;
    const named = [link('us', 'eu', [9000, 9000], {senderState: null, cause}), link('eu', 'ap', [9000, 9000])];
    expect(rowOf('ap', named), 'it streams under another name').toMatchObject({code: 'ok', seconds: 0, withinRpo: true});
    expect(breakerLooks(judgeLinks(named, about), named, 0)[1]).toMatchObject({link: 'moves', lagMs: 0});
  });

  it('is not known where the first of the chain is not, or there is none', () => {
    const unread = link('us', 'eu', [1000, 1000], {senderRead: false, senderState: null, endOffset: null, trouble: 'us hangs.'});
    const blind = rowOf('ap', [unread, link('eu', 'ap', [1000, 1000])]);
    expect(blind).toMatchObject({replayBytes: 0, seconds: null, withinRpo: null});
    expect(blind.reason).toContain('eu, from which it gets the log, is unknown (us → eu)');
    const circle = [link('ap', 'eu', [1000, 1000]), link('eu', 'ap', [1000, 1000])];
    for (const to of ['eu', 'ap'])
      expect(rowOf(to, circle)).toMatchObject({state: 'unknown', code: 'circle', replayBytes: 0, seconds: null, withinRpo: null});
    expect(rowOf('ap', circle).reason).toContain('eu gets the log from ap itself, in a circle');
    const older = [link('us', 'eu', [1000, 9000], {senderTimeline: 2}), link('eu', 'ap', [1000, 1000])];
    expect(rowOf('ap', older), 'two timelines').toMatchObject({seconds: null, withinRpo: null});
  });

  it('is looked at twice where something is outstanding before its own link, and is then no later than the first look', () => {
    const seen = (at: number) => [link('us', 'eu', [at, at]), link('eu', 'ap', [at - 100, at - 100], {lastReplayAgeSeconds: 3600})];
    expect(lookAgainAfter(seen(5000))).not.toBeNull();
    const row = rowOf('ap', seen(5100), {earlier: {samples: seen(5000), msBefore: 250}});
    expect(row).toMatchObject({seconds: 0.25, withinRpo: true});
  });

  it('adds up what replicas lack, each of its own sender', () => {
    const replica = {kind: 'replica', senderTimeline: null, receiverTimeline: null} as const;
    const samples = [
      link('us', 'eu', [1000, 9000], {...replica, lastReplayAgeSeconds: 4}),
      link('eu', 'ap', [900, 1000], {...replica, lastReplayAgeSeconds: 2}),
    ];
    expect(rowOf('ap', samples)).toMatchObject({replayBytes: 100, seconds: 6, withinRpo: false});
  });

  it('is a matter of copies: subscriptions and messages are links of their own', () => {
    for (const kind of ['logical', 'messages'] as const) {
      const samples = [cut()[0] as LinkSample, link('eu', 'ap', [1000, 1000], {kind})];
      expect(rowOf('ap', samples), kind).toMatchObject({seconds: 0, withinRpo: true});
    }
  });
});

describe('the breaker of a standby of a standby', () => {
  const lead = (samplesAt: (at: number) => LinkSample[], times: readonly number[]) =>
    times.reduce<ReturnType<typeof nextBreaker> | null>((before, at) => {
      const samples = samplesAt(at);
      const look = breakerLooks(judgeLinks(samples, about), samples, at)[1];
      if (look === undefined) throw new Error('no look');
      return nextBreaker(before, look, BREAKER);
    }, null);
  const seconds = Array.from({length: 70}, (_, at) => at * 1000);

  it('opens with that of the link that holds up the chain', () => {
    const leaf = lead((at) => cut(at / 1000 + 1), seconds);
    expect(leaf && breakerNow(leaf, BREAKER)).toMatchObject({state: 'open'});
  });

  it('opens when the chain falls back while every link moves', () => {
    const slow = (at: number) => [
      link('us', 'eu', [1000, 9000 + at], {lastReplayAgeSeconds: at / 1000}),
      link('eu', 'ap', [1000, 1000], {lastReplayAgeSeconds: at / 1000}),
    ];
    expect(lead(slow, seconds)).toMatchObject({state: 'open'});
  });

  it('stays as it was while the first of the chain cannot be asked', () => {
    const blind = () => [
      link('us', 'eu', [1000, 1000], {senderRead: false, senderState: null, endOffset: null}),
      link('eu', 'ap', [1000, 1000]),
    ];
    const samples = blind();
    expect(breakerLooks(judgeLinks(samples, about), samples, 0)[1]).toMatchObject({link: 'unseen', lagMs: null});
  });

  it('is closed where everything gets through', () => {
    expect(lead((at) => [link('us', 'eu', [at, at]), link('eu', 'ap', [at, at])], seconds)).toMatchObject({state: 'closed', lagMs: 0});
  });
});

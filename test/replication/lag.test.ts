import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {judgeLinks, type LagThresholds, type LinkSample, needsSecondLook, worst} from '../../src/lib/replication/lag.ts';

const healthy: LinkSample = {
  from: 'us',
  to: 'eu',
  senderRead: true,
  senderState: 'streaming',
  receiverConnected: true,
  sendBytes: 0,
  writeBytes: 0,
  flushBytes: 0,
  replayBytes: 0,
  lastReplayAgeSeconds: 1,
  heardUpstreamAgoMs: 10,
  runwayBytes: null,
  sync: 'async',
  sampleAgeMs: 5,
  trouble: null,
  replayOffset: '100',
};
const about: LagThresholds = {store: 'orders', engine: 'postgres', rpoMs: null};
const judge = (change: Partial<LinkSample>, more: Partial<LagThresholds> = {}) => {
  const [row] = judgeLinks([{...healthy, ...change}], {...about, ...more});
  if (row === undefined) throw new Error('no row');
  return row;
};
const none = {sendBytes: null, writeBytes: null, flushBytes: null, replayBytes: null};

describe('judging links', () => {
  it.each<[string, Partial<LinkSample>, string, string]>([
    ['everything is there', {}, 'streaming', 'ok'],
    ['nothing was written for long', {lastReplayAgeSeconds: 3600}, 'idle', 'idle'],
    ['a little is on its way', {replayBytes: 500}, 'streaming', 'ok'],
    ['much is outstanding', {replayBytes: 5e6}, 'catching-up', 'behind'],
    ['little, but old', {replayBytes: 500, lastReplayAgeSeconds: 60}, 'catching-up', 'behind'],
    ['the sender says catchup', {senderState: 'catchup'}, 'catching-up', 'sender-catchup'],
    ['replay is paused', {replayBytes: 500, trouble: 'Replay is paused on eu.'}, 'stalled', 'stalled'],
    ['the sender does not list it', {senderState: null, receiverConnected: false, ...none}, 'broken', 'not-connected'],
    [
      'the standby is gone',
      {senderState: null, receiverConnected: null, ...none, trouble: 'eu refuses connections.'},
      'broken',
      'not-connected',
    ],
    ['only the receiver believes in it', {senderState: null, ...none}, 'broken', 'one-sided'],
    ['only the sender believes in it', {receiverConnected: false}, 'broken', 'one-sided'],
    [
      'the sender is gone, the receiver says so',
      {senderRead: false, senderState: null, receiverConnected: false, ...none},
      'broken',
      'not-connected',
    ],
    ['the sender is gone, the receiver has not noticed', {senderRead: false, senderState: null, ...none}, 'unknown', 'sender-unread'],
    ['neither was read', {senderRead: false, senderState: null, receiverConnected: null, ...none}, 'unknown', 'unread'],
    ['the sender has no position of it yet', none, 'unknown', 'no-position'],
    [
      'only the sender was read',
      {receiverConnected: null, lastReplayAgeSeconds: null, trouble: 'eu did not answer in time.'},
      'streaming',
      'ok',
    ],
  ])('%s', (_, change, state, code) => {
    expect(judge(change)).toMatchObject({state, code});
  });

  it('tells a stalled replay from a slow one by a second look', () => {
    const waiting = {replayBytes: 5000, lastReplayAgeSeconds: 10};
    const earlier = (change: Partial<LinkSample>) => ({earlier: {samples: [{...healthy, ...waiting, ...change}], msBefore: 250}});
    expect(judge(waiting, earlier({}))).toMatchObject({
      state: 'stalled',
      reason: expect.stringContaining('nothing was replayed for 250 ms'),
    });
    expect(judge(waiting, earlier({replayOffset: '99'}))).toMatchObject({state: 'streaming'});
    expect(judge(waiting, earlier({replayBytes: 0}))).toMatchObject({state: 'streaming'});
    expect(needsSecondLook([{...healthy, ...waiting}])).toBe(true);
    expect(needsSecondLook([healthy])).toBe(false);
  });

  it('shows seconds only for what is outstanding, and says why there are none', () => {
    expect(judge({lastReplayAgeSeconds: 3600}).seconds).toBe(0);
    expect(judge({replayBytes: 500, lastReplayAgeSeconds: 12}).seconds).toBe(12);
    expect(judge({replayBytes: 500, lastReplayAgeSeconds: null})).toMatchObject({
      seconds: null,
      reason: expect.stringContaining('seconds are not known'),
    });
  });

  it('meets an objective of 0 only by a standby that writes wait for', () => {
    expect(judge({}, {rpoMs: 0}).withinRpo).toBe(false);
    expect(judge({sync: 'quorum'}, {rpoMs: 0}).withinRpo).toBe(true);
    expect(judge({sync: 'quorum', receiverConnected: false}, {rpoMs: 0}).withinRpo).toBe(false);
    expect(judge({replayBytes: 1, lastReplayAgeSeconds: 4}, {rpoMs: 5000}).withinRpo).toBe(true);
    expect(judge({replayBytes: 1, lastReplayAgeSeconds: 6}, {rpoMs: 5000}).withinRpo).toBe(false);
    expect(judge({senderRead: false, senderState: null, ...none}, {rpoMs: 5000}).withinRpo).toBeNull();
  });

  it('gives the exit code of the worst row', () => {
    const [good, late, broken, unknown] = [
      judge({}),
      judge({replayBytes: 1, lastReplayAgeSeconds: 31}),
      judge({receiverConnected: false}),
      judge(none),
    ];
    expect(worst([good])).toBe(0);
    expect(worst([good, judge({replayBytes: 5e6})])).toBe(0);
    expect(worst([good, late])).toBe(1);
    expect(worst([late, unknown])).toBe(3);
    expect(worst([unknown, broken, late])).toBe(2);
    expect(worst([])).toBe(3);
  });

  it('is never negative and never blank, whatever is read', () => {
    const number = fc.option(fc.double({noDefaultInfinity: false}), {nil: null});
    const text = fc.option(fc.constantFrom('streaming', 'catchup', 'backup', 'quorum', 'x'), {nil: null});
    const sample = fc.record({
      from: fc.constant('us'),
      to: fc.constant('eu'),
      senderState: text,
      receiverConnected: fc.option(fc.boolean(), {nil: null}),
      sendBytes: number,
      writeBytes: number,
      flushBytes: number,
      replayBytes: number,
      lastReplayAgeSeconds: number,
      heardUpstreamAgoMs: number,
      runwayBytes: number,
      sync: text,
      sampleAgeMs: fc.double(),
      trouble: fc.option(fc.constant('It is in trouble.'), {nil: null}),
      senderRead: fc.boolean(),
      replayOffset: fc.option(fc.nat().map(String), {nil: null}),
    });
    fc.assert(
      fc.property(sample, fc.option(fc.nat(), {nil: null}), (each, rpoMs) => {
        const [row] = judgeLinks([each], {...about, rpoMs});
        for (const [name, value] of Object.entries(row ?? {})) {
          expect(value, name).not.toBe('');
          expect(value, name).not.toBeUndefined();
          if (typeof value === 'number') expect(value, name).toBeGreaterThanOrEqual(0);
        }
        expect(row?.reason).toMatch(/^\S.*[^.]\.$/);
        for (const bytes of [row?.sendBytes, row?.replayBytes, row?.runwayBytes])
          expect(bytes === null || Number.isInteger(bytes)).toBe(true);
      }),
    );
  });
});

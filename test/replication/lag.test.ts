import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {LinkCause} from '../../src/lib/ports/store.ts';
import {judgeLinks, type LagThresholds, type LinkSample, lookAgainAfter, needsSecondLook, worst} from '../../src/lib/replication/lag.ts';

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
const asSample = ({cause, ...sample}: Omit<LinkSample, 'cause'> & {cause?: LinkCause | undefined}): LinkSample =>
  cause === undefined ? sample : {...sample, cause};
const none = {sendBytes: null, writeBytes: null, flushBytes: null, replayBytes: null};

describe('judging links', () => {
  it('puts what is noted of a link behind the reason, and changes no state for it', () => {
    const notes = ['eu is tagged nofailover', 'it is paused'];
    const {reason, ...row} = judge({notes});
    expect(reason).toBe('eu has everything that us has; eu is tagged nofailover; it is paused.');
    const {reason: bare, ...same} = judge({});
    expect(bare).toBe('eu has everything that us has.');
    expect(row).toEqual(same);
  });

  it.each<[string, Partial<LinkSample>, string, string]>([
    ['everything is there', {}, 'streaming', 'ok'],
    ['nothing was written for long', {lastReplayAgeSeconds: 3600}, 'idle', 'idle'],
    ['a little is on its way', {replayBytes: 500}, 'streaming', 'ok'],
    ['much is outstanding', {replayBytes: 5e6}, 'catching-up', 'behind'],
    ['little, but old', {replayBytes: 500, lastReplayAgeSeconds: 60}, 'catching-up', 'behind'],
    ['the sender says catchup', {senderState: 'catchup'}, 'catching-up', 'sender-catchup'],
    ['a little is on its way, and the engine has a remark', {replayBytes: 500, trouble: 'A remark.'}, 'streaming', 'ok'],
    [
      'replay is paused, and nothing is outstanding yet',
      {cause: {code: 'replay-paused', state: 'stalled'}, trouble: 'Replay is paused.'},
      'stalled',
      'replay-paused',
    ],
    ['it cannot go on', {cause: {code: 'slot-lost', state: 'broken'}, trouble: 'The slot is lost.'}, 'broken', 'slot-lost'],
    [
      'it cannot go on, and the sender is gone',
      {cause: {code: 'promoted', state: 'broken'}, senderRead: false, senderState: null, ...none},
      'broken',
      'promoted',
    ],
    [
      'it goes on by itself, without a connection yet',
      {cause: {code: 'replaying', state: 'late'}, senderState: null, receiverConnected: false},
      'catching-up',
      'replaying',
    ],
    [
      'it would go on by itself, if its sender were there',
      {cause: {code: 'replaying', state: 'late'}, senderRead: false, senderState: null, receiverConnected: false, ...none},
      'broken',
      'not-connected',
    ],
    [
      'the sender answers nobody',
      {senderRead: false, senderState: null, ...none, heardUpstreamAgoMs: 6200, silentAfterMs: 3500},
      'stalled',
      'sender-silent',
    ],
    [
      'the sender does not answer us, and the receiver would not know yet',
      {senderRead: false, senderState: null, ...none, heardUpstreamAgoMs: 3400, silentAfterMs: 3500},
      'unknown',
      'sender-unread',
    ],
    ['the sender answers only us', {heardUpstreamAgoMs: 6200, silentAfterMs: 3500}, 'stalled', 'sender-silent'],
    ['the receiver never asks', {heardUpstreamAgoMs: 6_200_000, silentAfterMs: null}, 'streaming', 'ok'],
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

  it('says which stage stands still', () => {
    const cut = {replayBytes: 5000, flushBytes: 5000, lastReplayAgeSeconds: 10, heldOffset: '1000', replayOffset: '1000'};
    const looks = (now: Partial<LinkSample>, before: Partial<LinkSample>, msBefore = 250) =>
      judge(now, {earlier: {samples: [{...healthy, ...before}], msBefore}});
    expect(looks({...cut, endOffset: '6000'}, {...cut, flushBytes: 3000, replayBytes: 3000, endOffset: '4000'})).toMatchObject({
      state: 'stalled',
      reason: '4.9 KiB have not arrived on eu: nothing arrived for 250 ms, while us wrote 2 KiB.',
    });
    // What it holds is still being replayed: the way is cut all the same.
    expect(looks({...cut, replayOffset: '900'}, {...cut, replayOffset: '800'}).reason).toContain('nothing arrived for 250 ms');
    expect(looks({...cut, flushBytes: 0}, {...cut, flushBytes: 0}).reason).toBe(
      '4.9 KiB are on eu, not replayed: nothing was replayed for 250 ms.',
    );
    expect(looks({...cut, heldOffset: '1001'}, cut)).toMatchObject({
      state: 'stalled',
      reason: expect.stringContaining('nothing was replayed'),
    });
    expect(looks({...cut, heldOffset: '1001', replayOffset: '1001'}, cut).state).toBe('streaming');
    expect(looks({...cut, lastReplayAgeSeconds: 0.5}, cut).state).toBe('streaming');
    expect(looks(cut, cut, 150).state).toBe('streaming');
    expect(looks({...cut, senderState: 'catchup'}, cut).state).toBe('stalled');
    // A subscriber may take longer to say that it has applied something.
    expect(looks({...cut, kind: 'logical'}, {...cut, kind: 'logical'}).state).toBe('streaming');
    expect(looks({...cut, kind: 'logical'}, {...cut, kind: 'logical'}, 1000).state).toBe('stalled');
    expect(lookAgainAfter([{...healthy, ...cut}])).toBe(250);
    expect(
      lookAgainAfter([
        {...healthy, ...cut},
        {...healthy, ...cut, kind: 'logical'},
      ]),
    ).toBe(1000);
    expect(lookAgainAfter([{...healthy, ...cut, cause: {code: 'slot-lost', state: 'broken'}}])).toBeNull();
  });

  it('says at which rates a link gets on', () => {
    const MiB = 1_048_576;
    const at = (end: number, held: number, replayed = held) => ({
      endOffset: String(end * MiB),
      heldOffset: String(held * MiB),
      replayOffset: String(replayed * MiB),
      flushBytes: (end - held) * MiB,
      replayBytes: (end - replayed) * MiB,
      lastReplayAgeSeconds: 3,
    });
    const looks = (now: Partial<LinkSample>, before: Partial<LinkSample>) =>
      judge(now, {earlier: {samples: [{...healthy, ...before}], msBefore: 500}}).reason;
    expect(looks(at(105, 93), at(102.5, 92))).toBe('eu is 12 MiB behind and falling back: 2 MiB/s arrive, 5 MiB/s are written.');
    expect(looks(at(101, 95), at(100, 93))).toBe(
      'eu is 6 MiB behind and catching up: 4 MiB/s arrive, 2 MiB/s are written, about 3 s to go.',
    );
    expect(looks(at(100, 100, 50), at(100, 100, 40))).toBe(
      'eu is 50 MiB behind (all of it on its disk) and catching up: 20 MiB/s are replayed, 0 B/s are written, about 3 s to go.',
    );
    expect(looks(at(110, 100), at(108, 98))).toContain('neither catching up nor falling back: 4 MiB/s arrive, 4 MiB/s are written');
    expect(judge(at(105, 93)).reason).toBe('eu is 12 MiB behind.');
  });

  it('calls a connection that is still being made at the second look none', () => {
    const connecting = {
      cause: {code: 'connecting', state: 'late'},
      trouble: 'eu is connecting to us.',
      senderState: null,
      receiverConnected: false,
    } as const;
    expect(judge(connecting)).toMatchObject({state: 'catching-up', code: 'connecting', reason: 'eu is connecting to us.'});
    const earlier = {samples: [{...healthy, ...connecting}], msBefore: 250};
    expect(judge(connecting, {earlier})).toMatchObject({state: 'broken', code: 'not-connected'});
    expect(lookAgainAfter([{...healthy, ...connecting}])).toBe(250);
  });

  it('takes errors of a subscription that grew for what they are', () => {
    const subscribed = (applyErrors: number): Partial<LinkSample> => ({
      kind: 'logical',
      subscription: {
        ...{name: 'sub', enabled: true, tables: {ready: 1, copying: 0}, applyErrors, syncErrors: 0},
        ...{skipping: null, conflicts: null, origin: 'any'},
      },
    });
    const earlier = {samples: [{...healthy, ...subscribed(3)}], msBefore: 1000};
    expect(judge(subscribed(5), {earlier})).toMatchObject({
      state: 'broken',
      code: 'apply-error',
      reason: 'sub on eu cannot apply what comes from us: 5 errors, 2 of them in the last 1 s.',
    });
    expect(judge(subscribed(3), {earlier})).toMatchObject({state: 'streaming', kind: 'logical', subscription: {applyErrors: 3}});
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
    const breaker = (state: 'closed' | 'warn' | 'open') => ({...good, breaker: {state, since: '2026-11-27T03:00:00.000Z', reason: 'x'}});
    expect([worst([breaker('closed')]), worst([breaker('warn')]), worst([breaker('open'), unknown])]).toEqual([0, 1, 2]);
    const silent = judge({...none, receiverConnected: true, senderRead: false, heardUpstreamAgoMs: 6200, silentAfterMs: 3500});
    expect([silent.code, worst([silent, unknown])]).toEqual(['sender-silent', 2]);
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
      heldOffset: fc.option(fc.nat().map(String), {nil: null}),
      endOffset: fc.option(fc.nat().map(String), {nil: null}),
      kind: fc.constantFrom('physical', 'logical', 'replica'),
      writeSeconds: number,
      replaySeconds: number,
      silentAfterMs: number,
      conflicts: number,
      cause: fc.option(
        fc.record({
          code: fc.constantFrom('connecting', 'x'),
          state: fc.constantFrom('late', 'stalled', 'broken'),
        }) as fc.Arbitrary<LinkCause>,
        {nil: undefined},
      ),
    });
    fc.assert(
      fc.property(
        sample,
        fc.option(sample, {nil: null}),
        fc.option(fc.nat(), {nil: null}),
        fc.nat(5000),
        (now, before, rpoMs, msBefore) => {
          const [each, ...then] = [now, before].filter((one) => one !== null).map(asSample);
          const earlier = then.length === 0 ? {} : {earlier: {samples: then, msBefore}};
          const [row] = judgeLinks(each === undefined ? [] : [each], {...about, rpoMs, ...earlier});
          expect(row).toBeDefined();
          expect(row?.reason).not.toMatch(/-\d|NaN|null|undefined|–/);
          for (const [name, value] of Object.entries(row ?? {})) {
            expect(value, name).not.toBe('');
            expect(value, name).not.toBeUndefined();
            if (typeof value === 'number') expect(value, name).toBeGreaterThanOrEqual(0);
          }
          expect(row?.reason).toMatch(/^\S.*[^.]\.$/);
          for (const bytes of [row?.sendBytes, row?.replayBytes, row?.runwayBytes])
            expect(bytes === null || Number.isInteger(bytes)).toBe(true);
        },
      ),
    );
  });
});

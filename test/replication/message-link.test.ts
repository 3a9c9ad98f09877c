import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {MessageReading} from '../../src/lib/ports/store.ts';
import {judgeLinks, type LagThresholds, type LinkSample, needsSecondLook, worst} from '../../src/lib/replication/lag.ts';

const drained: MessageReading = {
  carrier: 'the shovel in on eu',
  queue: 'q',
  flow: 'running',
  depth: 0,
  unacknowledged: 0,
  oldestAgeSeconds: 0,
  ageBasis: null,
  consumers: 1,
  redelivered: 0,
  deadLettered: 0,
  publishedPerSecond: 0,
  movedPerSecond: null,
};
const waits = {depth: 5, oldestAgeSeconds: 3, ageBasis: 'timestamp', movedPerSecond: 0} as const;
const sample = (messages: Partial<MessageReading>, more: Partial<LinkSample> = {}): LinkSample => ({
  ...{from: 'us', to: 'eu', link: 'orders', senderRead: true, senderState: 'running', receiverConnected: true},
  ...{sendBytes: null, writeBytes: null, flushBytes: null, replayBytes: null, lastReplayAgeSeconds: null, heardUpstreamAgoMs: null},
  ...{runwayBytes: null, sync: null, sampleAgeMs: 5, trouble: null, replayOffset: null},
  messages: {...drained, ...messages},
  ...more,
});
const about: LagThresholds = {store: 'events', engine: 'rabbitmq', rpoMs: 10_000};
const judge = (messages: Partial<MessageReading>, more: Partial<LinkSample> = {}, before: Partial<MessageReading> | null = null) => {
  const earlier = before === null ? {} : {earlier: {samples: [sample(before)], msBefore: 250}};
  const [row] = judgeLinks([sample(messages, more)], {...about, ...earlier});
  if (row === undefined) throw new Error('no row');
  return row;
};

describe('judging links of messages', () => {
  it.each<[string, Partial<MessageReading>, Partial<LinkSample>, Partial<MessageReading> | null, string, string]>([
    ['drained, and nothing comes', {}, {}, null, 'idle', 'idle'],
    ['drained, and something comes', {publishedPerSecond: 2}, {}, null, 'streaming', 'ok'],
    ['something is on its way', {...waits, movedPerSecond: 4}, {}, waits, 'streaming', 'ok'],
    ['something has waited for long, but moves', {...waits, oldestAgeSeconds: 40, movedPerSecond: 4}, {}, waits, 'catching-up', 'behind'],
    ['what waits is of unknown age', {...waits, oldestAgeSeconds: null, movedPerSecond: 4}, {}, waits, 'catching-up', 'behind'],
    ['nothing has left the queue at two looks and as the broker counts', waits, {}, waits, 'stalled', 'stalled'],
    ['nothing has left it at two looks, which are too near for that alone', {...waits, movedPerSecond: null}, {}, waits, 'streaming', 'ok'],
    ['the broker counts nothing, but it is less than before', waits, {}, {...waits, depth: 6}, 'streaming', 'ok'],
    ['the carrier is down', {flow: 'down'}, {trouble: 'it says terminated: heartbeat timeout.'}, null, 'broken', 'link-down'],
    ['the carrier starts for the first time', {flow: 'starting'}, {}, drained, 'catching-up', 'starting'],
    ['the carrier still starts at the second look', {flow: 'starting'}, {}, {flow: 'starting'}, 'broken', 'not-connected'],
    ['the carrier cannot be asked', {flow: null}, {}, null, 'unknown', 'carrier-unread'],
    ['it cannot be asked, and nobody consumes the queue', {flow: null, consumers: 0, ...waits}, {}, null, 'broken', 'not-connected'],
    ['the sender cannot be asked, the carrier says that it runs', {depth: null}, {senderRead: false}, null, 'unknown', 'sender-unread'],
    ['neither can be asked', {flow: null, depth: null, consumers: null}, {senderRead: false}, null, 'unknown', 'unread'],
    ['the queue is not there', {depth: null, oldestAgeSeconds: null}, {trouble: 'us has no queue q'}, null, 'unknown', 'no-depth'],
  ])('%s', (_what, messages, more, before, state, code) => {
    const row = judge(messages, more, before);
    expect([row.state, row.code], row.reason).toEqual([state, code]);
    expect(row.reason).toMatch(/^[^\n]+[^.]\.$/);
  });

  it('says what waits, where, and for how long', () => {
    const reason =
      'the shovel in on eu does not run: it says terminated: heartbeat timeout; 5 messages wait in q on us, 2 of them unacknowledged, the oldest for 3 s.';
    expect(judge({...waits, flow: 'down', unacknowledged: 2}, {trouble: 'it says terminated: heartbeat timeout.'}).reason).toBe(reason);
    expect(judge({...waits, ageBasis: 'estimate', depth: 1}).reason).toBe('1 message waits in q on us, the oldest for 3 s (estimate).');
    expect(judge({...waits, oldestAgeSeconds: null}).reason).toContain(
      '; the seconds are not known, because the messages have no timestamp',
    );
  });

  it('keeps an objective by the age of the oldest message; what is not known keeps and misses none', () => {
    expect(judge({})).toMatchObject({seconds: 0, withinRpo: true});
    expect(judge({...waits, oldestAgeSeconds: 11})).toMatchObject({seconds: 11, withinRpo: false});
    expect(judge({...waits, oldestAgeSeconds: null})).toMatchObject({seconds: null, withinRpo: null});
    expect(judge({depth: null, oldestAgeSeconds: null}, {senderRead: false})).toMatchObject({seconds: null, withinRpo: null});
    const [never] = judgeLinks([sample({})], {...about, rpoMs: 0});
    expect(never?.withinRpo, 'nobody waits for a link').toBe(false);
  });

  it('two links between the same members are told apart by their names', () => {
    const before = [sample({...waits, depth: 9}, {link: 'a'}), sample(waits, {link: 'b'})];
    const now = [sample(waits, {link: 'a'}), sample(waits, {link: 'b'})];
    const rows = judgeLinks(now, {...about, earlier: {samples: before, msBefore: 250}});
    expect(rows.map(({link, state}) => [link, state])).toEqual([
      ['a', 'streaming'],
      ['b', 'stalled'],
    ]);
  });

  it('looks twice only where that can tell more', () => {
    expect(
      [drained, waits, {flow: 'starting'} as const, {...waits, flow: 'down'} as const].map((messages) =>
        needsSecondLook([sample(messages)]),
      ),
    ).toEqual([false, true, true, false]);
  });

  it('whatever is read: nothing negative, no bytes, unknown is never 0 and never good', () => {
    const figure = fc.option(fc.double({min: -10, max: 1e6}), {nil: null});
    const reading = fc.record({
      flow: fc.constantFrom('running', 'starting', 'down', null),
      depth: figure,
      oldestAgeSeconds: figure,
      movedPerSecond: figure,
    });
    fc.assert(
      fc.property(reading, fc.boolean(), (messages, senderRead) => {
        const row = judge(messages, {senderRead});
        expect([row.sendBytes, row.writeBytes, row.flushBytes, row.replayBytes]).toEqual([null, null, null, null]);
        for (const value of [row.seconds, row.messages?.depth, row.messages?.oldestAgeSeconds]) expect((value ?? 0) >= 0).toBe(true);
        if (messages.depth === null || messages.flow === null)
          expect(['streaming', 'idle', 'catching-up', 'stalled']).not.toContain(row.state);
        if (messages.flow === 'down') expect(worst([row])).toBe(2);
      }),
    );
  });
});

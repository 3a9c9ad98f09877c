import type {LagWatchView, LinkChange, LinkNow} from '../../src/lib/operate/lag-watch.ts';
import {judgeLinks, type LagRow, type LinkSample} from '../../src/lib/replication/lag.ts';

/** 2026-11-27 10:00:00Z. */
export const AT = Date.parse('2026-11-27T10:00:00Z');
const ISO = new Date(AT - 90_000).toISOString();

/** What both ends said of a link over which nothing is outstanding. */
export function reading(from: string, to: string, more: Partial<LinkSample> = {}): LinkSample {
  return {
    ...{from, to, senderState: 'streaming', receiverConnected: true, senderRead: true, sync: 'async', trouble: null},
    ...{sendBytes: 0, writeBytes: 0, flushBytes: 0, replayBytes: 0, replayOffset: '1000', runwayBytes: 64 * 1024 * 1024},
    ...{lastReplayAgeSeconds: 0.2, heardUpstreamAgoMs: 120, sampleAgeMs: 4, senderTimeline: 3, receiverTimeline: 3, conflicts: 2},
    writeSeconds: 0.001,
    flushSeconds: 0.002,
    replaySeconds: 0.003,
    ...more,
  };
}

type More = Partial<Omit<LinkNow, 'row'>> & {
  readonly store?: string;
  readonly reading?: Partial<LinkSample>;
  readonly row?: Partial<LagRow>;
};

/** A link as it is judged. */
export function linkNow(from: string, to: string, {store = 'orders', reading: says = {}, row: rowMore = {}, ...more}: More = {}): LinkNow {
  const [row] = judgeLinks([reading(from, to, says)], {store, engine: 'postgres', rpoMs: 5000});
  if (row === undefined) throw new Error('one reading is one row');
  return {
    row: {...row, ...rowMore},
    at: AT,
    breaker: {state: 'closed', since: ISO, reason: 'closed: 0 s behind'},
    percentiles: {since: ISO, samples: 90, unseen: 0, p50Ms: 12, p95Ms: 850, p99Ms: 2100, maxMs: 4000},
    history: Array.from({length: 80}, (_, index) => (index % 7) * 300),
    ...more,
  };
}

/** A link that is gone, and so late that its breaker is open. */
export const BROKEN = linkNow('us-east', 'eu-west', {
  reading: {
    senderState: null,
    receiverConnected: false,
    trouble: 'eu-west says: no route to host',
    replayBytes: 700_000,
    lastReplayAgeSeconds: 71,
  },
  breaker: {state: 'open', since: ISO, reason: 'open, at 60 s: 71 s behind; closes when it is below 30 s for 30 s'},
  history: [0, 0, 900, null, 2000],
});

/** One that may not be late any longer. */
export const LATE = linkNow('us-east', 'ap', {
  reading: {replayBytes: 3 * 1024 * 1024, flushBytes: 1024, lastReplayAgeSeconds: 41.3},
  breaker: {state: 'warn', since: ISO, reason: 'warns from 30 s on: 41 s behind'},
});

/** A change of BROKEN. */
export const CHANGE: LinkChange = {
  at: ISO,
  ...{store: 'orders', from: 'us-east', to: 'eu-west', was: 'streaming', state: 'broken', breakerWas: 'closed', breaker: 'closed'},
  ...{breakerReason: 'closed: 0 s behind', code: 'not-connected', reason: 'us-east has no connection from eu-west.'},
};

export function lagView(links: readonly LinkNow[], more: Partial<LagWatchView> = {}): LagWatchView {
  return {fleet: 'shop', at: AT + 400, links, unread: [], waiting: [], changes: [], notes: [], ...more};
}

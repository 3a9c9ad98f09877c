import {readingAgeMs} from '../operate/lag-verdict.ts';
import type {LagWatchView, LinkNow} from '../operate/lag-watch.ts';
import {linkName} from '../output/lag-text.ts';
import type {LinkState} from '../replication/lag.ts';
import type {LinkName} from '../replication/link-record.ts';
import type {List} from './list-state.ts';

/** The orders of the links: as the fleet file has their stores, the worst, the furthest behind, the oldest reading first. */
export type LagSort = 'file' | 'worst' | 'furthest' | 'oldest';

/** The key of a link. */
export const linkKey = ({store, link, from, to}: LinkName): string => JSON.stringify([store, link, from, to]);

/** The links as a list. */
export const LINKS: List<LagWatchView, LinkNow, LagSort> = {
  all: ({links}) => links,
  keyOf: ({row}) => linkKey(row),
  textOf: ({row, breaker}) =>
    `${linkName(row)} ${row.engine} ${row.kind} ${row.state} ${row.code} ${breaker.state === 'closed' ? '' : `breaker ${breaker.state}`} ${row.reason}`,
  sorts: ['file', 'worst', 'furthest', 'oldest'],
  orders: {
    worst: (a, b) => badness(a) - badness(b),
    furthest: (a, b) => descending(behindOf(a), behindOf(b)) || descending(distanceOf(a), distanceOf(b)),
    oldest: (a, b, {at}) => readingAgeMs(b, at) - readingAgeMs(a, at),
  },
};

const WORST_FIRST: readonly LinkState[] = ['broken', 'unknown', 'stalled', 'catching-up', 'streaming', 'idle'];

/** The worst state of several links; unknown for none at all. */
export function worstState(links: readonly LinkNow[]): LinkState {
  return WORST_FIRST.find((state) => links.some(({row}) => row.state === state)) ?? 'unknown';
}

/** Smaller is worse: by the state, or by what the breaker says where that is worse. A streaming link and an idle one are as good. */
function badness({row, breaker}: LinkNow): number {
  // As in the exit code: the link is said to be stalled, and its sender is gone.
  if (row.code === 'sender-silent') return 0;
  const state = Math.min(WORST_FIRST.indexOf(row.state), WORST_FIRST.indexOf('streaming'));
  return Math.min(state, {open: 0, warn: 2.5, closed: WORST_FIRST.length}[breaker.state]);
}

/** What is not known may be furthest of all. */
const behindOf = ({row}: LinkNow): number => row.seconds ?? Number.POSITIVE_INFINITY;
const distanceOf = ({row}: LinkNow): number =>
  (row.messages === undefined ? row.replayBytes : row.messages.depth) ?? Number.POSITIVE_INFINITY;

/** Infinity less infinity is no number. */
const descending = (a: number, b: number): number => (a === b ? 0 : a > b ? -1 : 1);

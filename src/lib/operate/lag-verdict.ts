import {EXIT, type ExitCode} from '../exit-codes.ts';
import {worst} from '../replication/lag.ts';
import type {LagWatchView, LinkNow} from './lag-watch.ts';

/** The fewest ms after which a reading is old, however short the interval. */
const OLD_MS = 5000;
const OLD_LOOKS = 3;

/** How old a reading may be, in ms, before it says nothing of now any more: three intervals, and at least 5 s. */
export function staleAfterMs(intervalMs: number): number {
  return Math.max(OLD_MS, OLD_LOOKS * intervalMs);
}

/** How old the reading of a link is, in ms. */
export function readingAgeMs({at, row}: Pick<LinkNow, 'at' | 'row'>, now: number): number {
  return Math.max(0, now - at) + row.ageMs;
}

/**
 * The exit code of a watch as it ended: that of its last rows (`worst`), an open breaker 2, a store or link that nobody knows of now (unread, not answered yet,
 * or older than `staleMs`) 3, a breaker that warns 1. The order is 2, 3, 1, 0.
 */
export function watchExit(
  {links, unread, waiting, at}: Pick<LagWatchView, 'links' | 'unread' | 'waiting' | 'at'>,
  staleMs: number,
): ExitCode {
  const breakers = links.map(({breaker}) => breaker.state);
  const isBlind = unread.length + waiting.length > 0 || links.some((link) => readingAgeMs(link, at) > staleMs);
  const codes: readonly ExitCode[] = [
    worst(links.map(({row}) => row)),
    ...(breakers.includes('open') ? [EXIT.critical] : []),
    ...(isBlind ? [EXIT.unknown] : []),
    ...(breakers.includes('warn') ? [EXIT.warning] : []),
  ];
  return [EXIT.critical, EXIT.unknown, EXIT.warning].find((code) => codes.includes(code)) ?? EXIT.good;
}

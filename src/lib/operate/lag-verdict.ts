import {EXIT, type ExitCode} from '../exit-codes.ts';
import {type LinkStanding, worst} from '../replication/lag.ts';
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

/** Whether the reading of a link says nothing of now any more: it is older than `staleMs` (see `staleAfterMs`). */
export function isOldReading(link: Pick<LinkNow, 'at' | 'row'>, now: number, staleMs: number): boolean {
  return readingAgeMs(link, now) > staleMs;
}

/** The exit code of links as they stand (`worst`), but nothing better than unknown when there is something that could not be seen. */
export function lagExit(links: readonly LinkStanding[], isBlind: boolean): ExitCode {
  const seen = worst(links);
  return isBlind && seen !== EXIT.critical ? EXIT.unknown : seen;
}

/**
 * The exit code of a watch as it ended: that of its last rows with their breakers, but nothing better than unknown when a store or link is not known
 * now: unread, not answered yet, or read longer than `staleMs` ago. A drain that could not be done is a warning at least.
 */
export function watchExit(
  {links, unread, waiting, at, drains}: Pick<LagWatchView, 'links' | 'unread' | 'waiting' | 'at' | 'drains'>,
  staleMs: number,
): ExitCode {
  const isBlind = unread.length + waiting.length > 0 || links.some((link) => isOldReading(link, at, staleMs));
  const seen = lagExit(
    links.map(({row, breaker}) => ({...row, breaker})),
    isBlind,
  );
  return seen === EXIT.good && drains !== undefined && drains.trouble !== null ? EXIT.warning : seen;
}

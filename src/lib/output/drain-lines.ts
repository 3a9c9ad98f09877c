import {cut} from './table.ts';
import {formatTime} from './units.ts';

/** A region that is held off a route, as documents show it. */
export type HeldView = {
  readonly route: string;
  readonly region: string;
  readonly weight: number;
  readonly since: string;
  readonly run: string;
  readonly reason: string;
};

/** What became of a region on a route, as documents show it. */
export type DrainEventView = {
  readonly at: string;
  readonly route: string;
  readonly region: string | null;
  readonly what: 'held' | 'returned' | 'stays' | 'moved' | 'waits' | 'failed';
  readonly weight: number | null;
  readonly run: string | null;
  readonly reason: string;
};

/** One event as a line: a sentence, or JSON with `type` drain. */
export function drainLine(event: DrainEventView, format: 'text' | 'ndjson'): string {
  if (format === 'ndjson') return JSON.stringify({type: 'drain', ...event});
  return cut(`${formatTime(event.at)}  ${event.route}  ${drainSays(event)}`, Number.POSITIVE_INFINITY);
}

/** One sentence without its full stop. */
export function drainSays({region, what, weight, run, reason}: DrainEventView): string {
  const who = region ?? 'nothing';
  const by = run === null ? '' : ` (run ${run})`;
  switch (what) {
    case 'held':
      return `${who} held off, ${weight} → 0${by}: ${reason}`;
    case 'returned':
      return `${who} has its ${weight} back${by}: ${reason}`;
    case 'stays':
      return `${who} is too late and not held off: ${reason}`;
    case 'moved':
      return `${who} is held off no more: ${reason}`;
    case 'waits':
      return `waits: ${reason}`;
    case 'failed':
      return `not done${by}: ${reason}`;
  }
}

/** That a region is held off, since when, and why. One sentence without its full stop. */
export function heldSays({route, region, weight, since, reason}: HeldView): string {
  return `${route}: ${region} is held off (it had ${weight}) since ${formatTime(since)}: ${reason}`;
}

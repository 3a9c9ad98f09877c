/** From `from` (epoch ms) on, until the next one begins, the clocks of a zone are `offsetMs` ahead of UTC. */
export type ClockSpan = {readonly from: number; readonly offsetMs: number};

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

/** Whether there is a time zone of that name in the IANA database, such as `UTC` or `Europe/Berlin`. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', {timeZone: name}) !== null;
  } catch {
    return false;
  }
}

/**
 * The offsets of a zone between two times (epoch ms), in order; the first span begins at `from`. Intl is asked once a week, and in between only where the
 * answer has changed: asking for each reading would take a microsecond and more of each. No zone changes its clock twice within a week. Throws a RangeError for
 * a name that is no zone.
 */
export function clockSpans(timeZone: string, from: number, to: number): readonly ClockSpan[] {
  if (timeZone === 'UTC') return [{from, offsetMs: 0}];
  const offsetAt = offsetsOf(timeZone);
  const spans: ClockSpan[] = [{from, offsetMs: offsetAt(from)}];
  let before = spans[0] as ClockSpan;
  for (let at = from; at < to; at += WEEK_MS) {
    const next = Math.min(at + WEEK_MS, to);
    const offsetMs = offsetAt(next);
    if (offsetMs === before.offsetMs) continue;
    before = {from: changeBetween(at, next, offsetAt), offsetMs};
    spans.push(before);
  }
  return spans;
}

/** The wall clock of a zone as ms since 1970, minus the time itself. */
function offsetsOf(timeZone: string): (at: number) => number {
  const parts = {year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric'} as const;
  const format = new Intl.DateTimeFormat('en-US', {timeZone, ...parts, era: 'short', hourCycle: 'h23', calendar: 'gregory'});
  return (at) => {
    const second = Math.floor(at / 1000) * 1000;
    const read = Object.fromEntries(format.formatToParts(second).map(({type, value}) => [type, value]));
    const number = (name: string): number => Number(read[name]);
    const wall = new Date(0);
    wall.setUTCFullYear(read.era === 'BC' ? 1 - number('year') : number('year'), number('month') - 1, number('day'));
    wall.setUTCHours(number('hour'), number('minute'), number('second'));
    return wall.getTime() - second;
  };
}

/** The first whole second of the new offset, by bisection. */
function changeBetween(before: number, after: number, offsetAt: (at: number) => number): number {
  const old = offsetAt(before);
  let low = Math.floor(before / 1000);
  let high = Math.ceil(after / 1000);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle * 1000) === old) low = middle;
    else high = middle;
  }
  return high * 1000;
}

/**
 * When a zone's clocks show `wallMs` (ms since 1970 as if it were UTC). `spans` must reach a day beyond it at either end. An hour that is there twice is taken
 * as the first after `after`, else as the later one; one that the clock left out as if it had not been put forward.
 */
export function instantOf(wallMs: number, spans: readonly ClockSpan[], after = Number.NEGATIVE_INFINITY): number {
  const near = spans.filter(
    ({from}, index) => from <= wallMs + DAY_MS && (spans[index + 1]?.from ?? Number.POSITIVE_INFINITY) > wallMs - DAY_MS,
  );
  const fitting = near
    .map(({offsetMs, from}) => ({at: wallMs - offsetMs, from}))
    .filter(({at, from}) => at >= from && at < (spans.find((span) => span.from > from)?.from ?? Number.POSITIVE_INFINITY))
    .map(({at}) => at);
  return fitting.find((at) => at > after) ?? fitting.at(-1) ?? wallMs - (near[0] ?? {offsetMs: 0}).offsetMs;
}

/** A tick of a time axis: epoch ms, and what stands under it. */
export type TimeTick = {readonly at: number; readonly text: string};

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
type Unit = {readonly ms: number; readonly every: readonly number[]; readonly says: 'hour' | 'day' | 'month'};
const UNITS: readonly Unit[] = [
  {ms: HOUR, every: [1, 2, 3, 6, 12], says: 'hour'},
  {ms: DAY, every: [1, 2, 4, 7, 14], says: 'day'},
  {ms: 30 * DAY, every: [1, 2, 3, 6, 12], says: 'month'},
];

/**
 * Ticks for the time from `from` to `to` (epoch ms), at most `most`, at round times of the zone's wall clock: hours, days, weeks (from Monday), months. Ticks of hours say
 * the day where one begins; ticks of months the year.
 */
export function timeTicks(from: number, to: number, most: number, timeZone: string): readonly TimeTick[] {
  const {unit, every} = fitting((to - from) / Math.max(1, most));
  const clock = wallClock(timeZone);
  const found: TimeTick[] = [];
  let seen = '';
  // Every hour is looked at, since days and months begin at hours of the wall clock; few enough, since days are skipped where only months count.
  const stride = unit.says === 'month' ? DAY : HOUR;
  for (let at = Math.ceil(from / stride) * stride; at <= to; at += stride) {
    const wall = clock(at);
    const place = placeOf(wall, unit.says, every);
    if (place === null || place === seen) continue;
    seen = place;
    found.push({at: unit.says === 'hour' ? at : beginOf(at, wall, unit.says), text: textOf(wall, unit.says)});
  }
  return found.filter(({at}) => at >= from && at <= to);
}

function fitting(rough: number): {readonly unit: Unit; readonly every: number} {
  for (const unit of UNITS) for (const every of unit.every) if (unit.ms * every >= rough) return {unit, every};
  const last = UNITS[UNITS.length - 1] as Unit;
  return {unit: last, every: 12 * Math.max(1, Math.ceil(rough / (last.ms * 12)))};
}

/** A time by the clock on the wall. `weekday` 0 = Monday; `days` = days since 1970 by that clock. */
type Wall = {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly days: number;
  readonly weekday: number;
};

/** Says the wall clock of a zone. Whoever prints many times makes it once: it is dear to make. */
export function wallClock(timeZone: string): (at: number) => Wall {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    ...({year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', hourCycle: 'h23'} as const),
  });
  return (at) => {
    const part = Object.fromEntries(format.formatToParts(at).map(({type, value}) => [type, Number(value)]));
    const {year = 1970, month = 1, day = 1, hour = 0} = part;
    const days = Math.floor(Date.UTC(year, month - 1, day) / DAY);
    // 1970-01-01 was a Thursday.
    return {year, month, day, hour, days, weekday: (((days + 3) % 7) + 7) % 7};
  };
}

/** Which tick a time belongs to; null = none. */
function placeOf({year, month, day, hour, days, weekday}: Wall, says: Unit['says'], every: number): string | null {
  if (says === 'hour') return hour % every === 0 ? `${days} ${hour}` : null;
  if (says === 'month') return day > 1 || (year * 12 + month - 1) % every !== 0 ? null : `${year} ${month}`;
  if (every >= 7) return weekday === 0 && Math.floor((days + 3) / 7) % (every / 7) === 0 ? String(days) : null;
  return days % every === 0 ? String(days) : null;
}

/** Where the day of a time begins, as near as hours tell. */
function beginOf(at: number, {hour}: Wall, says: Unit['says']): number {
  return says === 'day' ? at - hour * HOUR : at;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function textOf({year, month, day, hour}: Wall, says: Unit['says']): string {
  const name = MONTHS[month - 1] ?? '';
  if (says === 'hour') return hour === 0 ? `${day} ${name}` : `${String(hour).padStart(2, '0')}:00`;
  return says === 'day' ? `${day} ${name}` : `${name} ${year}`;
}

import type {Exhaustion} from './result.ts';

const DAY_MS = 86_400_000;
const DAYS_IN_MONTH = 30.44;

/** `now` decides which year goes without saying, `timeZone` which day a time is on. `days` = how many whole days there are. */
export type Wording = {
  readonly timeZone: string;
  readonly unit: string;
  readonly now: number;
  readonly horizonDays: number;
  readonly days: number;
};

/** The answer as one sentence without a full stop, such as `full between 3 and 9 March, most likely on 5 March`. Never "never". */
export function sentenceOf(exhaustion: Omit<Exhaustion, 'says'>, wording: Wording): string {
  const {state, limit, p50At, slopePerDay} = exhaustion;
  const within = `not within ${horizonText(wording.horizonDays)}`;
  const pace = `${figure(Math.abs(slopePerDay ?? 0))}${wording.unit === '' ? '' : ` ${wording.unit}`} a day`;
  switch (state) {
    case 'too-short':
      return `too short to tell: ${wording.days === 1 ? '1 whole day' : `${wording.days} whole days`}, and at least 3 are needed`;
    case 'no-limit':
      return `no limit is known: ${(slopePerDay ?? 0) < 0 ? 'shrinks' : 'grows'} by ${pace}`;
    case 'full':
      return `at its limit of ${figure(limit ?? 0)}${wording.unit === '' ? '' : ` ${wording.unit}`} since ${dateText(p50At ?? 0, wording)}`;
    case 'filling':
      return fillingText(exhaustion, wording);
    case 'shrinking':
      return `shrinking by ${pace}: ${within} at this pace${orEarlier(exhaustion, wording)}`;
    case 'flat':
      return `neither grows nor shrinks for sure: ${within} at this pace${orEarlier(exhaustion, wording)}`;
    case 'not-within-horizon':
      return `${within} at this growth of ${pace}${orEarlier(exhaustion, wording)}`;
  }
}

function fillingText({p50At, earliestAt, latestAt}: Omit<Exhaustion, 'says'>, wording: Wording): string {
  const likely = dateText(p50At ?? 0, wording);
  const earliest = dateText(earliestAt ?? p50At ?? 0, wording);
  if (latestAt === null)
    return `full from ${earliest} on, most likely on ${likely}, and perhaps not within ${horizonText(wording.horizonDays)}`;
  if (earliest === dateText(latestAt, wording)) return `full on ${likely}`;
  return `full between ${rangeText(earliestAt ?? p50At ?? 0, latestAt, wording)}, most likely on ${likely}`;
}

/** What the fastest growth that the data allow would do. */
function orEarlier({earliestAt}: Omit<Exhaustion, 'says'>, wording: Wording): string {
  return earliestAt === null ? '' : `; from ${dateText(earliestAt, wording)} on at the fastest that the data allow`;
}

/** `18 months`, `90 days`. */
function horizonText(days: number): string {
  const months = days / DAYS_IN_MONTH;
  if (days >= 60 && Math.abs(months - Math.round(months)) < 0.05) return `${Math.round(months)} months`;
  return days === 1 ? '1 day' : `${days} days`;
}

/** `3 and 9 March`, `28 February and 9 March`, `28 December and 3 January 2027`: what both have in common is said once. */
function rangeText(from: number, to: number, wording: Wording): string {
  const [a, b] = [parts(from, wording.timeZone), parts(to, wording.timeZone)];
  const last = dateText(to, wording);
  if (a.year !== b.year) return `${a.day} ${a.month}${a.year === yearNow(wording) ? '' : ` ${a.year}`} and ${last}`;
  return a.month === b.month ? `${a.day} and ${last}` : `${a.day} ${a.month} and ${last}`;
}

/** `3 March`, with the year where it is not the current one. */
function dateText(at: number, wording: Wording): string {
  const {day, month, year} = parts(at, wording.timeZone);
  return `${day} ${month}${year === yearNow(wording) ? '' : ` ${year}`}`;
}

function yearNow({now, timeZone}: Wording): string {
  return parts(now, timeZone).year;
}

function parts(at: number, timeZone: string): {day: string; month: string; year: string} {
  // The range of dates ends there.
  const safe = Math.min(8.64e15 - DAY_MS, Math.max(-8.64e15 + DAY_MS, at));
  const found = new Intl.DateTimeFormat('en-GB', {timeZone, day: 'numeric', month: 'long', year: 'numeric'}).formatToParts(safe);
  const of = (type: string) => found.find((each) => each.type === type)?.value ?? '';
  return {day: of('day'), month: of('month'), year: of('year')};
}

/** Three digits are as many as a trend has. */
function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}

import fc from 'fast-check';
import {afterEach, describe, expect, it} from 'vitest';
import {dueAfter, type Standing, standingOf, type Try} from '../../src/lib/drill/calendar.ts';
import type {EverySpec, Period} from '../../src/lib/fleet/fleet.ts';

const DAY = 24 * 3_600_000;
const at = (text: string) => Date.parse(text);
const iso = (ms: number) => new Date(ms).toISOString();
const span = (days: number): EverySpec => ({text: `${days}d`, ms: days * DAY});
const per = (period: Period): EverySpec => ({text: period, period});
const tried = (when: number, counts = true, runId: string | null = null): Try => ({
  runId,
  at: when,
  verdict: counts ? 'passed' : 'failed',
  code: 'x',
  counts,
  says: 'so',
});

const {TZ} = process.env;
afterEach(() => {
  if (TZ === undefined) delete process.env.TZ;
  else process.env.TZ = TZ;
});

describe('when a drill is due again', () => {
  it.each([
    ['the last day of a month', 'month', '2026-01-31T23:59:59.999Z', '2026-03-01T00:00:00.000Z'],
    ['the first instant of a month', 'month', '2026-02-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z'],
    ['a month before a short February', 'month', '2026-01-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z'],
    ['a leap day', 'month', '2028-02-29T12:00:00.000Z', '2028-04-01T00:00:00.000Z'],
    ['the end of a year', 'month', '2026-11-30T12:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['December', 'month', '2026-12-31T12:00:00.000Z', '2027-02-01T00:00:00.000Z'],
    ['a Sunday', 'week', '2026-03-01T23:59:59.999Z', '2026-03-09T00:00:00.000Z'],
    ['a Monday', 'week', '2026-03-02T00:00:00.000Z', '2026-03-16T00:00:00.000Z'],
    ['a week over the end of a year', 'week', '2026-12-31T12:00:00.000Z', '2027-01-11T00:00:00.000Z'],
    ['the last day of a quarter', 'quarter', '2026-03-31T23:59:59.999Z', '2026-07-01T00:00:00.000Z'],
    ['the last quarter', 'quarter', '2026-10-01T00:00:00.000Z', '2027-04-01T00:00:00.000Z'],
    ['a leap year', 'year', '2028-02-29T00:00:00.000Z', '2030-01-01T00:00:00.000Z'],
  ] as const)('one of %s, once a %s', (_name, period, last, next) => {
    expect(iso(dueAfter(per(period), at(last)))).toBe(next);
  });

  it('a span counts from the last one to the millisecond, whatever months do', () => {
    expect(iso(dueAfter(span(30), at('2026-01-31T10:00:00.001Z')))).toBe('2026-03-02T10:00:00.001Z');
  });

  // The first two change their clocks between these dates; the third has a day of its own, the fourth is off by half an hour.
  it.each(['America/New_York', 'Europe/Berlin', 'Pacific/Kiritimati', 'Australia/Adelaide', 'UTC'])(
    'in UTC, also on a machine in %s',
    (zone) => {
      process.env.TZ = zone;
      expect(new Intl.DateTimeFormat().resolvedOptions().timeZone).toBe(zone);
      expect(iso(dueAfter(per('month'), at('2026-02-28T23:30:00Z')))).toBe('2026-04-01T00:00:00.000Z');
      expect(iso(dueAfter(per('month'), at('2026-03-01T00:30:00Z')))).toBe('2026-05-01T00:00:00.000Z');
      expect(iso(dueAfter(per('week'), at('2026-03-08T12:00:00Z')))).toBe('2026-03-16T00:00:00.000Z');
      expect(dueAfter(span(7), at('2026-03-05T12:00:00Z')) - at('2026-03-05T12:00:00Z')).toBe(7 * DAY);
    },
  );

  it('is the first instant of a period, more than one and at most two periods later', () => {
    const longest = {week: 14, month: 62, quarter: 184, year: 731};
    fc.assert(
      fc.property(periods, times, (period, when) => {
        const due = dueAfter(per(period), when);
        expect((due - when) / DAY).toBeGreaterThan(longest[period] / 2 - 4);
        expect((due - when) / DAY).toBeLessThanOrEqual(longest[period]);
        expect(iso(due)).toMatch(/T00:00:00\.000Z$/);
        if (period === 'week') expect(new Date(due).getUTCDay()).toBe(1);
        else expect(new Date(due).getUTCDate()).toBe(1);
        // Whoever does it in each period is never late, and the last instant of one is as good as its first.
        expect(dueAfter(per(period), due - 1)).toBeGreaterThan(due);
      }),
    );
  });
});

describe('how an entry stands', () => {
  const month = {every: per('month'), graceMs: 3 * DAY};
  const standing = (now: string, ...tries: Try[]) => standingOf(month, tries, at(now));
  const passed = tried(at('2026-01-31T12:00:00Z'));

  it.each([
    ['2026-02-01T00:00:00Z', 'ok', null],
    ['2026-02-22T00:00:00Z', 'ok', null],
    ['2026-02-22T00:00:01Z', 'due-soon', null],
    ['2026-03-01T00:00:00Z', 'due-soon', null],
    ['2026-03-01T00:00:01Z', 'due', 1000],
    ['2026-03-04T00:00:00Z', 'due', 3 * DAY],
    ['2026-03-04T00:00:01Z', 'overdue', 3 * DAY + 1000],
  ] as const)('at %s: %s', (now, state, overdueMs) => {
    expect(standing(now, passed)).toMatchObject({state, overdueMs, nextDue: at('2026-03-01T00:00:00Z')});
  });

  it('never without a try, and never with one that does not count', () => {
    expect(standing('2026-02-01T00:00:00Z')).toEqual({state: 'never', lastPassed: null, lastTried: null, nextDue: null, overdueMs: null});
    const failed = tried(at('2026-01-31T12:00:00Z'), false);
    expect(standing('2026-02-01T00:00:00Z', failed)).toMatchObject({state: 'never', lastPassed: null, lastTried: failed});
  });

  it('what failed after it passed is told, and takes nothing away', () => {
    const failed = tried(at('2026-02-10T12:00:00Z'), false);
    expect(standing('2026-02-11T00:00:00Z', failed, passed)).toMatchObject({state: 'ok', lastPassed: passed, lastTried: failed});
  });

  it('a time that has not come yet does not count, and says so; a clock that was set back a little does no harm', () => {
    const ahead = tried(at('2030-01-01T00:00:00Z'));
    expect(standing('2026-03-05T00:00:00Z', passed, ahead)).toMatchObject({
      state: 'overdue',
      lastPassed: passed,
      lastTried: {counts: false, says: 'it is of a time that has not come yet'},
    });
    expect(standing('2026-01-31T11:59:00Z', passed)).toMatchObject({state: 'ok', lastPassed: passed});
  });

  it('a short interval is due soon in its last quarter', () => {
    const week = {every: span(7), graceMs: DAY};
    const last = tried(at('2026-01-01T00:00:00Z'));
    expect(standingOf(week, [last], last.at + 5.25 * DAY).state).toBe('ok');
    expect(standingOf(week, [last], last.at + 5.25 * DAY + 1).state).toBe('due-soon');
  });
});

describe('by any calendar, whatever was run', () => {
  const RANK: Readonly<Record<Standing['state'], number>> = {ok: 0, 'due-soon': 1, due: 2, overdue: 3, never: 4};
  const expectInOrder = ({graceMs}: {graceMs: number}, {state, nextDue, overdueMs}: Standing, now: number) => {
    if (nextDue === null) expect([state, overdueMs]).toEqual(['never', null]);
    else if (now <= nextDue) expect([RANK[state] <= 1, overdueMs]).toEqual([true, null]);
    else expect([state, overdueMs]).toEqual([now - nextDue > graceMs ? 'overdue' : 'due', now - nextDue]);
  };

  it('is never overdue before it is due, and gets no better by waiting', () => {
    fc.assert(
      fc.property(entries, histories, times, spans, (entry, tries, now, later) => {
        const [early, late] = [standingOf(entry, tries, now), standingOf(entry, tries, now + later)];
        expectInOrder(entry, early, now);
        expectInOrder(entry, late, now + later);
        // Unless a run's time came meanwhile.
        if (late.lastPassed?.at === early.lastPassed?.at) expect(RANK[late.state]).toBeGreaterThanOrEqual(RANK[early.state]);
      }),
    );
  });

  it('a drill that passes now is all that is owed: the next one is later than now, and nothing is overdue', () => {
    fc.assert(
      fc.property(entries, histories, times, (entry, tries, now) => {
        const before = standingOf(entry, tries, now);
        const after = standingOf(entry, [...tries, tried(now, true, 'now')], now);
        expect(['ok', 'due-soon']).toContain(after.state);
        expect(after.nextDue).toBeGreaterThan(now);
        expect(after.nextDue).toBeGreaterThanOrEqual(before.nextDue ?? 0);
        const other = standingOf(entry, [...tries, tried(now, false, 'now')], now);
        expect([other.state, other.lastPassed, other.nextDue]).toEqual([before.state, before.lastPassed, before.nextDue]);
      }),
    );
  });

  it('the order in which runs are told does not matter', () => {
    fc.assert(
      fc.property(entries, histories, times, fc.infiniteStream(fc.nat()), (entry, tries, now, random) => {
        const shuffled = tries
          .map((one) => ({one, key: random.next().value}))
          .toSorted((a, b) => a.key - b.key)
          .map(({one}) => one);
        expect(standingOf(entry, shuffled, now)).toEqual(standingOf(entry, tries, now));
      }),
    );
  });
});

const periods = fc.constantFrom('week', 'month', 'quarter', 'year');
const times = fc.integer({min: at('1995-01-01T00:00:00Z'), max: at('2060-01-01T00:00:00Z')});
const spans = fc.integer({min: 0, max: 800 * DAY});
const entries = fc.record({
  every: fc.oneof(
    periods.map(per),
    fc.integer({min: 3_600_000, max: 400 * DAY}).map((ms): EverySpec => ({text: `${ms}`, ms})),
  ),
  graceMs: fc.integer({min: 0, max: 40 * DAY}),
});
const histories = fc
  .uniqueArray(fc.record({when: times, counts: fc.boolean()}), {maxLength: 12, selector: ({when}) => when})
  .map((all) => all.map(({when, counts}, index) => tried(when, counts, `run-${index}`)));

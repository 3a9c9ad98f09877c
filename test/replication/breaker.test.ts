import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {BREAKER, type BreakerLook, type BreakerState, breakerSays, nextBreaker, readBreaker} from '../../src/lib/replication/breaker.ts';

const T0 = Date.UTC(2026, 10, 27, 3);
/** Looks a second apart: the states that they lead to. */
function lead(...looks: readonly (number | 'stuck' | 'unseen' | null)[]): readonly BreakerState[] {
  let state: BreakerState | null = null;
  return looks.map((each, second) => {
    const look: BreakerLook = {
      at: T0 + second * 1000,
      lagMs: typeof each === 'number' ? each * 1000 : null,
      link: each === 'stuck' || each === 'unseen' ? each : 'moves',
      ...NOWHERE,
    };
    state = nextBreaker(state, look, BREAKER);
    return state;
  });
}
/** Without places only the engine's own figure tells. */
const NOWHERE = {end: null, place: null};
const last = (states: readonly BreakerState[]): BreakerState => states.at(-1) as BreakerState;
const times = <T>(n: number, what: T): T[] => Array.from({length: n}, () => what);

describe('a breaker', () => {
  it('warns at 30 s and opens at 60 s, and not a moment before', () => {
    expect(lead(0, 29.9, 30, 59.9, 60, 61).map(({state}) => state)).toEqual(['closed', 'closed', 'warn', 'warn', 'open', 'open']);
    expect(last(lead(0, 60, 61)).since).toBe(T0 + 1000);
  });

  it('stays open until the link was below the warning for 30 s without a break', () => {
    expect(last(lead(60, ...times(30, 1))).state).toBe('open');
    expect(last(lead(60, ...times(31, 1))).state).toBe('closed');
    expect(last(lead(60, ...times(20, 1), 31, ...times(20, 1))).state).toBe('open');
    expect(last(lead(60, ...times(20, 1), 'unseen', ...times(20, 1))).state, 'what was not seen was not well').toBe('open');
  });

  it('counts the time in which nothing moves as lag, though no seconds are to be had', () => {
    expect(last(lead(0, ...times(30, 'stuck' as const))).state).toBe('closed');
    expect(last(lead(0, ...times(31, 'stuck' as const))).state).toBe('warn');
    expect(last(lead(0, ...times(61, 'stuck' as const))).state).toBe('open');
    expect(last(lead(0, ...times(50, 'stuck' as const), 1, ...times(20, 'stuck' as const))).state, 'it moved in between').toBe('closed');
  });

  it('does not open because the sending end cannot be asked, nor close', () => {
    expect(last(lead(0, ...times(600, 'unseen' as const))).state).toBe('closed');
    expect(last(lead(60, ...times(600, 'unseen' as const))).state).toBe('open');
    expect(last(lead(60, null)).state).toBe('open');
  });

  it('does not count a time in which nobody looked', () => {
    const stuck = (at: number, before: BreakerState | null) => nextBreaker(before, {at, lagMs: null, link: 'stuck', ...NOWHERE}, BREAKER);
    const once = stuck(T0, null);
    expect(stuck(T0 + 3_600_000, once), 'unknown is not 0').toMatchObject({state: 'closed', lagMs: null});
    expect(stuck(T0 - 3_600_000, once), 'a clock that was set back').toMatchObject({state: 'closed', lagMs: null});
    const open = nextBreaker(null, {at: T0, lagMs: 90_000, link: 'moves', ...NOWHERE}, BREAKER);
    const later = (ms: number, lagMs: number) => nextBreaker(open, {at: T0 + ms, lagMs, link: 'moves', ...NOWHERE}, BREAKER).state;
    expect([later(60_000, 1000), later(600_000, 1000), later(600_000, 90_000)], 'looked at rarely, it begins anew').toEqual([
      'open',
      'closed',
      'open',
    ]);
  });

  it('counts the time for which a receiver has not come any further, however rarely it is looked at', () => {
    const dead = (at: number, before: BreakerState | null) =>
      nextBreaker(before, {at, lagMs: null, link: 'stuck', end: '900', place: '500'}, BREAKER);
    const first = dead(T0, null);
    expect(first, 'one look cannot tell').toMatchObject({state: 'closed', lagMs: null});
    expect(dead(T0 + 3_600_000, first)).toMatchObject({state: 'open', lagMs: 3_600_000});
    const warned = nextBreaker(null, {at: T0, lagMs: 40_000, link: 'moves', ...NOWHERE}, BREAKER);
    expect(nextBreaker(warned, {at: T0 + 400_000, lagMs: null, link: 'stuck', ...NOWHERE}, BREAKER).state, 'no better than it was').toBe(
      'warn',
    );
  });

  it('takes a link that moves for no later than the last look at which it held everything', () => {
    const look = (second: number, end: number, place: number, seconds: number): BreakerLook => ({
      ...{at: T0 + second * 1000, lagMs: seconds * 1000, link: 'moves' as const},
      ...{end: String(end), place: String(place)},
    });
    const lead = (...looks: readonly BreakerLook[]) =>
      looks.reduce<BreakerState | null>((state, each) => nextBreaker(state, each, BREAKER), null);
    // Nothing was written for two minutes; one transaction is on its way now.
    expect(lead(look(0, 500, 500, 0), look(1, 500, 500, 0), look(2, 700, 500, 120))).toMatchObject({state: 'closed', lagMs: 1000});
    expect(lead(look(0, 700, 500, 7200)), 'the first look cannot tell').toMatchObject({state: 'closed', lagMs: null});
    // One transaction of ten minutes streams at full speed.
    expect(lead(look(0, 700, 500, 600), look(1, 900, 750, 601), look(2, 1100, 950, 602))).toMatchObject({state: 'closed', lagMs: 1000});
    // It really falls back: what there was at the first look has not arrived after a minute.
    const late = Array.from({length: 62}, (_, second) => look(second, 10_000 + 100 * second, 500 + second, 600));
    expect(lead(...late)).toMatchObject({state: 'open'});
    expect(lead(...late.slice(0, 60))?.state).not.toBe('open');
    const delayed: BreakerLook = {...look(90, 900, 100, 3600), link: 'late'};
    expect(lead(look(0, 900, 100, 3600), look(1, 900, 100, 3600), delayed), 'on purpose').toMatchObject({state: 'closed', lagMs: null});
  });

  it('says why it is as it is', () => {
    expect(breakerSays(last(lead(1.25)), BREAKER)).toBe('closed: 1.3 s behind');
    expect(breakerSays(last(lead(31)), BREAKER)).toBe('warns from 30 s on: 31 s behind');
    expect(breakerSays(last(lead(73)), BREAKER)).toBe('open, at 60 s: 73 s behind; closes when it is below 30 s for 30 s');
    expect(breakerSays(last(lead(73, 2, 2)), BREAKER)).toBe('open: 2 s behind by now; closes in 29 s if it stays below 30 s');
  });

  it('never opens below its limit, never closes from open within the time of readmission, and can be kept as JSON', () => {
    const looks = fc.array(
      fc.oneof(fc.double({min: 0, max: 200, noNaN: true}), fc.constantFrom('stuck' as const, 'unseen' as const, null)),
      {minLength: 1, maxLength: 80},
    );
    fc.assert(
      fc.property(looks, (given) => {
        const states = lead(...given);
        const changes = states.flatMap((state, index) => (index > 0 && states[index - 1]?.state !== state.state ? [{state, index}] : []));
        for (const {state, index} of changes) {
          expect(given[index], 'nobody looked').not.toBe('unseen');
          if (state.state === 'open') expect(state.lagMs).toBeGreaterThanOrEqual(BREAKER.openMs);
          if (states[index - 1]?.state !== 'open') continue;
          const well = given.slice(index - 30, index + 1);
          expect(well.length === 31 && well.every((each) => typeof each === 'number' && each < 30)).toBe(true);
        }
        for (const state of states) expect(readBreaker(JSON.parse(JSON.stringify(state)))).toEqual(state);
      }),
    );
    for (const wrong of [null, {}, {state: 'ajar', since: 1, seenAt: 1}]) expect(readBreaker(wrong)).toBeNull();
  });
});

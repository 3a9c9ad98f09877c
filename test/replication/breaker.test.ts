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
    };
    state = nextBreaker(state, look, BREAKER);
    return state;
  });
}
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
    const stuck = (at: number, before: BreakerState | null) => nextBreaker(before, {at, lagMs: null, link: 'stuck'}, BREAKER);
    const once = stuck(T0, null);
    expect(stuck(T0 + 3_600_000, once)).toMatchObject({state: 'closed', lagMs: 0});
    expect(stuck(T0 - 3_600_000, once), 'a clock that was set back').toMatchObject({state: 'closed', lagMs: 0});
    const open = nextBreaker(null, {at: T0, lagMs: 90_000, link: 'moves'}, BREAKER);
    const later = (ms: number, lagMs: number) => nextBreaker(open, {at: T0 + ms, lagMs, link: 'moves'}, BREAKER).state;
    expect([later(60_000, 1000), later(600_000, 1000), later(600_000, 90_000)], 'looked at rarely, it begins anew').toEqual([
      'open',
      'closed',
      'open',
    ]);
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

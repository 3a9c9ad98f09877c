import fc from 'fast-check';
import {describe, expect, it, vi} from 'vitest';
import {judgeFleet} from '../../src/lib/health/judge.ts';
import {withMemory} from '../../src/lib/health/region-memory.ts';
import {nextState, type Observed, type RegionState, TRANSITIONS, transitionFor} from '../../src/lib/health/region-states.ts';
import {mapMemory} from './memory.ts';
import {AT, endpoint, REFUSED, reading, region, UNKNOWN} from './samples.ts';

const STATES = ['healthy', 'degraded', 'unhealthy', 'recovering'] as const;
const OBSERVED = ['healthy', 'degraded', 'unhealthy', 'unknown'] as const;
const LIMITS = {rise: 2, fall: 2};

describe('the table', () => {
  it('covers every state, observation and count exactly once', () => {
    for (const from of STATES) {
      for (const observed of OBSERVED) {
        for (const counts of [
          {rises: 0, falls: 0},
          {rises: 1, falls: 0},
          {rises: 2, falls: 0},
          {rises: 0, falls: 1},
          {rises: 0, falls: 2},
        ]) {
          const row = transitionFor(from, observed, counts, LIMITS);
          const others = TRANSITIONS.filter((other) => other !== row && other.from === from && other.observed === observed);
          expect(others.some(({when}) => when === row.when || when === 'always')).toBe(false);
        }
      }
    }
  });

  it.each(TRANSITIONS)('$from, seen $observed, $when → $to', ({from, observed, when, to}) => {
    const counts = {
      always: {rises: 0, falls: 0},
      'falls < fall': {rises: 0, falls: 0},
      'falls >= fall': {rises: 0, falls: 1},
      'rises < rise': {rises: 0, falls: 0},
      'rises >= rise': {rises: 1, falls: 0},
    }[when];
    const previous: RegionState = {state: from, since: 5, unseenSince: null, ...counts};
    const next = nextState(previous, {verdict: observed, at: 9}, LIMITS);
    expect(next?.state).toBe(to);
    expect(next?.since).toBe(to === from ? 5 : 9);
  });

  it('reaches every state from every other', () => {
    for (const from of STATES) {
      const reached = new Set<string>([from]);
      for (let size = 0; size !== reached.size; ) {
        size = reached.size;
        for (const row of TRANSITIONS) if (reached.has(row.from)) reached.add(row.to);
      }
      expect([...reached].sort()).toEqual([...STATES].sort());
    }
  });
});

describe('runs of observations', () => {
  const run = (...seen: readonly Observed[]) => {
    let state: RegionState | null = null;
    return seen.map((verdict, at) => {
      state = nextState(state, {verdict, at});
      return state?.state ?? null;
    });
  };

  it('takes the first observation as it is, and nothing from unknown', () => {
    expect(run('unknown', 'healthy')).toEqual([null, 'healthy']);
    expect(run('unhealthy')).toEqual(['unhealthy']);
  });

  it('recovers over two good observations in a row; a fall back or a gap starts the count again', () => {
    expect(run('unhealthy', 'healthy', 'healthy')).toEqual(['unhealthy', 'recovering', 'healthy']);
    expect(run('unhealthy', 'healthy', 'unhealthy', 'healthy')).toEqual(['unhealthy', 'recovering', 'unhealthy', 'recovering']);
    expect(run('unhealthy', 'healthy', 'unknown', 'healthy', 'healthy')).toEqual([
      'unhealthy',
      'recovering',
      'recovering',
      'recovering',
      'healthy',
    ]);
  });

  it('never says healthy on anything but a healthy or unknown observation, and unknown never changes a state', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...OBSERVED), {maxLength: 30}),
        fc.integer({min: 1, max: 4}),
        fc.integer({min: 1, max: 4}),
        (seen, rise, fall) => {
          let state: RegionState | null = null;
          for (const [at, verdict] of seen.entries()) {
            const next = nextState(state, {verdict, at}, {rise, fall});
            if (verdict === 'unknown') expect(next?.state).toBe(state?.state);
            else if (next?.state === 'healthy') expect(verdict).toBe('healthy');
            if (next !== null && state !== null && next.state === state.state) expect(next.since).toBe(state.since);
            state = next;
          }
        },
      ),
    );
  });
});

describe('between commands', () => {
  const memory = mapMemory();
  const {kept, noted} = memory;
  const app = endpoint('app', 'eu');
  const fleet = {regions: [region('eu')]};
  const limits = {riseFall: {rise: 2, fall: 1}, flapping: {changes: 4, withinMs: 900_000}};
  const check = (result: Parameters<typeof reading>[1], at: number) =>
    withMemory(judgeFleet(fleet, [reading(app, result)]), {fleet: 'lab', at, memory, limits});

  it('keeps since, says recovering, and shows unknown without forgetting', () => {
    kept.clear();
    expect(check({}, AT).regions[0]).toMatchObject({verdict: 'healthy', since: AT});
    expect(check({}, AT + 1).regions[0]).toMatchObject({verdict: 'healthy', since: AT});
    expect(check(REFUSED, AT + 2).regions[0]).toMatchObject({verdict: 'unhealthy', since: AT + 2});
    expect(check(UNKNOWN, AT + 3)).toMatchObject({verdict: 'unknown', regions: [{verdict: 'unknown', since: AT + 3}]});
    expect(check(UNKNOWN, AT + 4).regions[0]).toMatchObject({verdict: 'unknown', since: AT + 3});
    const back = check({}, AT + 5);
    expect(back).toMatchObject({verdict: 'recovering', code: 'recovering', regions: [{verdict: 'recovering', since: AT + 5}]});
    expect(back.reason).toBe('eu recovering: up again, seen 1 of 2 times in a row: 1 endpoint healthy');
    expect(check({}, AT + 6).regions[0]).toMatchObject({verdict: 'healthy', since: AT + 6});
    expect(noted.map(({topic, data}) => [topic, data])).toMatchObject([
      ['health/lab', {region: 'eu', from: null, to: 'healthy', action: 'clear', reason: '1 endpoint healthy'}],
      ['health/lab', {from: 'healthy', to: 'unhealthy', action: 'alarm', code: 'refused'}],
      ['health/lab', {from: 'unhealthy', to: 'unknown', action: 'warn', code: 'observer-overloaded'}],
      ['health/lab', {from: 'unknown', to: 'recovering', action: 'tell'}],
      ['health/lab', {from: 'recovering', to: 'healthy', action: 'clear'}],
    ]);
  });

  it('is not written anew while nothing changes', () => {
    for (const at of [AT, AT + 1, AT + 2]) check({}, at);
    const before = JSON.stringify(kept.get('health/lab/eu'));
    const [recall, remember] = [memory.recall, vi.spyOn(memory, 'remember')];
    check({}, AT + 3);
    expect(remember).not.toHaveBeenCalled();
    expect(JSON.stringify(recall('health/lab/eu'))).toBe(before);
    remember.mockRestore();
  });

  it('says that a region flaps, until it has been quiet for long enough', () => {
    kept.clear();
    const minute = 60_000;
    const seen = [{}, REFUSED, {}, {}, REFUSED, {}, {}].map((result, index) => check(result, AT + index * minute).regions[0]);
    expect(seen.map((each) => each?.flappingSince ?? null)).toEqual([
      null,
      null,
      null,
      null,
      AT + 4 * minute,
      AT + 4 * minute,
      AT + 4 * minute,
    ]);
    expect(seen[4]?.reason).toContain('(flapping: 4 changes within 15 min)');
    expect(check({}, AT + 17 * minute).regions[0]).toMatchObject({verdict: 'healthy', flappingSince: AT + 4 * minute});
    expect(check({}, AT + 22 * minute).regions[0]).toMatchObject({verdict: 'healthy', flappingSince: null, reason: '1 endpoint healthy'});
  });

  it('takes a value that it cannot read as none', () => {
    kept.set('health/lab/eu', {state: 'purple'});
    expect(check({}, AT).regions[0]).toMatchObject({verdict: 'healthy', since: AT});
  });
});

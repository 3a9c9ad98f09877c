import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type Mark, markedLag, withMark} from '../../src/lib/replication/marks.ts';

/** A log that grows by so many bytes each second, and a receiver that many seconds behind it: what is told at each look. */
function follow(behind: (second: number) => number, seconds: number) {
  let marks: readonly Mark[] = [];
  return Array.from({length: seconds}, (_, second) => {
    const look = {at: second * 1000, place: String(Math.max(0, second - behind(second)) * 100)};
    const told = markedLag(marks, look);
    marks = withMark(marks, String(second * 100), look.at);
    return {...told, truth: Math.min(second, behind(second)) * 1000, marks: marks.length};
  });
}

describe('marks of where a log ended', () => {
  it('bound a lag from both sides to an eighth, in little room', () => {
    fc.assert(
      fc.property(fc.integer({min: 0, max: 900}), fc.integer({min: 1, max: 600}), (lag, begins) => {
        const told = follow((second) => Math.min(lag, Math.max(0, second - begins)), 1200);
        expect(Math.max(...told.map(({marks}) => marks))).toBeLessThanOrEqual(100);
        for (const {atMostMs, truth} of told.filter((each) => each.atMostMs !== null)) {
          expect(atMostMs).toBeGreaterThanOrEqual(truth);
          expect(atMostMs).toBeLessThanOrEqual(truth * 1.3 + 2000);
        }
        for (const {atLeastMs, truth} of told.filter((each) => each.atLeastMs !== null)) {
          expect(atLeastMs).toBeLessThanOrEqual(truth);
          expect(atLeastMs).toBeGreaterThanOrEqual(truth * 0.7 - 2000);
        }
      }),
      {numRuns: 20},
    );
  });

  it('know that a log that is not written still ended there at the last look', () => {
    let marks: readonly Mark[] = [];
    for (const second of [0, 60, 3600]) marks = withMark(marks, '500', second * 1000);
    expect(markedLag(marks, {place: '500', at: 3_601_000})).toEqual({atMostMs: 1000, atLeastMs: null});
    expect(markedLag(marks, {place: '400', at: 3_601_000})).toEqual({atMostMs: null, atLeastMs: 3_601_000});
  });

  it('begin anew where the log is shorter than it was, and tell nothing of what is no place', () => {
    const marks = withMark(withMark([], '900', 0), '100', 1000);
    expect(marks).toEqual([{end: '100', at: 1000, until: 1000}]);
    expect(withMark(marks, null, 2000)).toBe(marks);
    expect(withMark(marks, 'x', 2000)).toBe(marks);
    expect(markedLag(marks, {place: null, at: 2000})).toEqual({atMostMs: null, atLeastMs: null});
  });
});

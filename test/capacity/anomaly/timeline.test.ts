import {describe, expect, it} from 'vitest';
import {createTimeline} from '../../../src/lib/capacity/anomaly/timeline.ts';
import {createWatch, watchSeries} from '../../../src/lib/capacity/anomaly/watch.ts';
import {diskSeries} from '../exhaustion/disks.ts';

const MINUTE = 60_000;

function remarksOf(minutes: readonly number[], values: readonly number[] = []) {
  const timeline = createTimeline();
  for (const [i, minute] of minutes.entries()) timeline.add(minute * MINUTE, values[i] ?? 1);
  return timeline.remarks().map(({kind, count, from, to}) => [kind, count, from / MINUTE, to / MINUTE]);
}

describe('remarks on times', () => {
  it('none on a regular series, nor on one that jitters', () => {
    expect(remarksOf([0, 5, 10, 15, 20])).toEqual([]);
    expect(remarksOf([0, 4, 10, 16, 20])).toEqual([]);
    expect(remarksOf([])).toEqual([]);
  });

  it('gaps, by the usual step, also when they come first', () => {
    expect(remarksOf([0, 60, 65, 70, 75, 100, 105])).toEqual([['gap', 2, 0, 75]]);
    const long = Array.from({length: 1500}, (_, i) => (i < 1400 ? i : i + 30));
    expect(remarksOf(long)).toEqual([['gap', 1, 1399, 1399]]);
  });

  it('duplicates, single late readings, and a clock that was set back', () => {
    expect(remarksOf([0, 5, 5, 10, 15])).toEqual([['duplicate', 1, 5, 5]]);
    expect(remarksOf([0, 5, 10, 3, 15, 20])).toEqual([['out-of-order', 1, 3, 3]]);
    expect(remarksOf([0, 5, 10, 15, 1, 6, 11, 16, 21])).toEqual([['clock-jump', 1, 1, 1]]);
    expect(remarksOf([0, 5, 10, 15, 1, 6])).toEqual([['clock-jump', 1, 1, 1]]);
  });

  it('values that are not known', () => {
    expect(remarksOf([0, 5, 10], [1, Number.NaN, Number.POSITIVE_INFINITY])).toEqual([['not-a-number', 2, 5, 10]]);
  });

  it('each is one sentence, in the singular and in the plural', () => {
    const timeline = createTimeline();
    for (const at of [0, 1, 1, 2, 2, 3, 9, 10]) timeline.add(at, 1);
    expect(timeline.remarks().map(({says}) => says)).toEqual([
      '2 readings have the time of the one before: each is scored.',
      'Once nothing was measured for longer than usual: scores go on with what comes after.',
    ]);
  });
});

describe('a watch', () => {
  it('counts what is known, from the first time to the newest', () => {
    const watch = createWatch();
    for (const [at, value] of [
      [1, 1],
      [2, Number.NaN],
      [5, 3],
      [4, 3],
    ] as const)
      watch.next(at, value);
    expect(watch.found()).toMatchObject({readings: 3, from: 1, to: 5, alerts: []});
    expect(createWatch().found()).toEqual({readings: 0, from: Number.NaN, to: Number.NaN, alerts: [], remarks: []});
  });

  it('of a series keeps the remarks of that, and has a score for each value', () => {
    const remark = {kind: 'gap', count: 1, from: 0, to: 1, says: 'A gap.'} as const;
    const series = {
      ...diskSeries(
        Array.from({length: 400}, (_, i) => (i === 350 ? 9 : i % 3)),
        null,
      ),
      remarks: [remark],
    };
    const found = watchSeries(series);
    expect(found.scores).toHaveLength(400);
    expect(found.remarks).toEqual([remark]);
    expect(found.alerts).toMatchObject([{at: series.starts[350], seen: 9}]);
  });
});

import fc from 'fast-check';
import {expect, it} from 'vitest';
import {oldestAge, type Waiting} from '../../../plugins/rabbitmq/src/oldest-age.ts';

const NOW = 1_795_000_000_000;
/** Counts each five seconds until now, the oldest first. */
const counts = (...samples: readonly number[]) =>
  samples.map((sample, index) => ({sample, timestamp: NOW - (samples.length - 1 - index) * 5000}));
const nothing: Waiting = {depth: 0, countedDepth: null, headTimestamp: null, depths: [], published: [], movedPerSecond: null, now: NOW};

it.each<[string, Partial<Waiting>, number | null, 'timestamp' | 'estimate' | null]>([
  ['nothing waits', {countedDepth: 3, headTimestamp: NOW / 1000 - 50}, 0, null],
  ['the head has a timestamp', {depth: 4, countedDepth: 4, headTimestamp: NOW / 1000 - 50, depths: counts(0, 4)}, 50, 'timestamp'],
  ['a publisher whose clock is ahead', {depth: 4, countedDepth: 4, headTimestamp: NOW / 1000 + 50}, 0, 'timestamp'],
  ['a timestamp of what has left since', {depth: 4, countedDepth: 0, headTimestamp: NOW / 1000 - 50, depths: counts(0)}, 10, 'estimate'],
  ['it was empty 20 s ago', {depth: 4, countedDepth: 4, depths: counts(2, 0, 4, 4, 4, 4)}, 30, 'estimate'],
  ['it is empty as of a time to come', {depth: 4, countedDepth: 0, depths: [{sample: 0, timestamp: NOW + 4000}]}, 10, 'estimate'],
  ['30 of 100 wait: the 71st was not there 10 s ago', {depth: 30, countedDepth: 30, published: counts(50, 70, 80, 100)}, 20, 'estimate'],
  ['a queue type that counts no depth', {depth: 30, countedDepth: null, published: counts(50, 70, 80, 100)}, 20, 'estimate'],
  ['the nearer of two bounds counts', {depth: 1, depths: counts(0, 1, 1), published: counts(8, 9, 10)}, 15, 'estimate'],
  ['the counts do not reach back so far, but it is drained', {depth: 30, depths: counts(30, 30), movedPerSecond: 2}, 15, 'estimate'],
  ['the counts were begun anew since it came', {depth: 30, countedDepth: 30, published: counts(0, 5)}, null, null],
  ['the counts do not reach back so far', {depth: 30, depths: counts(30, 30), published: counts(100, 100), movedPerSecond: 0}, null, null],
  ['nothing was counted yet', {depth: 30}, null, null],
])('%s', (_what, waiting, seconds, basis) => {
  expect(oldestAge({...nothing, ...waiting})).toEqual({seconds, basis});
});

it('whatever is published and taken, and however late it is counted: an estimate is never below the true age', () => {
  const second = fc.record({came: fc.integer({min: 0, max: 5}), left: fc.integer({min: 0, max: 5})});
  const late = fc.integer({min: 0, max: 10});
  fc.assert(
    fc.property(fc.array(second, {minLength: 1, maxLength: 120}), late, late, (seconds, depthsLate, publishedLate) => {
      const queue: number[] = [];
      let published = 0;
      const history = seconds.map(({came, left}, index) => {
        for (let each = 0; each < came; each += 1) queue.push(NOW - (seconds.length - 1 - index) * 1000);
        published += came;
        queue.splice(0, left);
        return {depth: queue.length, published};
      });
      // Each fifth second bears what was true up to ten seconds before.
      const counted = (key: 'depth' | 'published', lateBy: number) =>
        history.flatMap((_, index) => {
          const seen = history[index - lateBy];
          const timestamp = NOW - (history.length - 1 - index) * 1000;
          return index % 5 === 0 && seen !== undefined ? [{sample: seen[key], timestamp}] : [];
        });
      const found = oldestAge({
        ...nothing,
        depth: queue.length,
        depths: counted('depth', depthsLate),
        published: counted('published', publishedLate),
      });
      const [oldest] = queue;
      if (oldest === undefined) expect(found).toEqual({seconds: 0, basis: null});
      else if (found.seconds !== null) expect(found.seconds).toBeGreaterThanOrEqual((NOW - oldest) / 1000);
    }),
  );
});

import fc from 'fast-check';
import {expect, it} from 'vitest';
import {earlierDrills, MOST_EARLIER} from '../../src/lib/drill/earlier.ts';
import type {DrillDocument} from '../../src/lib/drill/report.ts';
import {passed} from '../output/drill-samples.ts';

const drill = (runId: string, day: number, more: Partial<DrillDocument> = {}): DrillDocument => ({
  ...passed,
  runId,
  startedAt: new Date(Date.UTC(2026, 0, day)).toISOString(),
  ...more,
});
const now = drill('now', 40);

it('takes those of the same name and fleet that began before, newest first, with their figures', () => {
  const others = [
    drill('older', 2),
    drill('newer', 9),
    drill('later', 41),
    drill('other', 8, {drill: 'another'}),
    drill('elsewhere', 8, {fleet: 'prod'}),
    now,
  ];
  const earlier = earlierDrills(others, now);
  expect(earlier.map(({runId}) => runId)).toEqual(['newer', 'older']);
  expect(earlier[0]).toMatchObject({verdict: 'passed', writeGapMs: passed.measured.writeGapMs, lostWrites: 0, phases: passed.phases});
});

it('leaves out what measured nothing: drills that were not started or have not ended', () => {
  const codes = ['not-started', 'not-ended', 'not-measured', 'run-failed'] as const;
  const earlier = earlierDrills(
    codes.map((verdictCode, i) => drill(verdictCode, i + 1, {verdictCode})),
    now,
  );
  expect(earlier.map(({runId}) => runId)).toEqual(['run-failed', 'not-measured']);
});

it('is in order, without this one, and never too long', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({min: 1, max: 60}), {maxLength: 60}), (days) => {
      const earlier = earlierDrills(
        days.map((day, i) => drill(`run-${i}`, day)),
        now,
      );
      expect(earlier).toHaveLength(Math.min(MOST_EARLIER, days.filter((day) => day < 40).length));
      for (const [i, {at}] of earlier.entries()) if (i > 0) expect(Date.parse(at)).toBeLessThanOrEqual(Date.parse(earlier[i - 1]!.at));
    }),
  );
});

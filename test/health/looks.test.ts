import {describe, expect, it} from 'vitest';
import {judgeFleet} from '../../src/lib/health/judge.ts';
import {afterLook, isNewLook, UNCOUNTED} from '../../src/lib/health/looks.ts';
import type {ProbeResult} from '../../src/lib/ports/probe.ts';
import {AT, endpoint, REFUSED, reading, region} from './samples.ts';

const [db, app] = [endpoint('db', 'eu'), endpoint('app', 'eu', {critical: false})];
/** The region with what each endpoint said, and when. */
const judged = (ofDb: Partial<ProbeResult>, dbAt: number, ofApp: Partial<ProbeResult>, appAt: number) => {
  const readings = [
    {...reading(db, ofDb), at: AT, order: dbAt},
    {...reading(app, ofApp), at: AT, order: appAt},
  ];
  return judgeFleet({regions: [region('eu')]}, readings).regions[0] as ReturnType<typeof judgeFleet>['regions'][number];
};

describe('a look', () => {
  it('counts as a failure only when one of those that are down was asked again', () => {
    const first = judged(REFUSED, 0, {}, 0);
    expect(isNewLook(first, UNCOUNTED)).toBe(true);
    const counted = afterLook(first, UNCOUNTED, 'unhealthy');
    expect(isNewLook(judged(REFUSED, 0, REFUSED, 50), counted)).toBe(false);
    expect(isNewLook(judged(REFUSED, 60, REFUSED, 50), counted)).toBe(true);
  });

  it('counts as a recovery only when all that were down were asked again, each time', () => {
    const down = afterLook(judged(REFUSED, 0, {}, 0), UNCOUNTED, 'unhealthy');
    const up = judged({}, 100, {}, 0);
    expect(isNewLook(up, down)).toBe(true);
    const once = afterLook(up, down, 'recovering');
    expect(isNewLook(judged({}, 100, {}, 150), once), 'the other endpoint alone tells nothing of the recovery').toBe(false);
    expect(isNewLook(judged({}, 200, {}, 150), once)).toBe(true);
    const well = afterLook(judged({}, 200, {}, 150), once, 'healthy');
    expect(isNewLook(judged({}, 200, {}, 250), well)).toBe(true);
  });
});

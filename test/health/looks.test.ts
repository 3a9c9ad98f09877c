import {describe, expect, it} from 'vitest';
import {judgeFleet} from '../../src/lib/health/judge.ts';
import {type Counted, countLook, UNCOUNTED} from '../../src/lib/health/looks.ts';
import type {ProbeResult} from '../../src/lib/ports/probe.ts';
import {AT, endpoint, REFUSED, reading, region} from './samples.ts';

const [db, app] = [endpoint('db', 'eu'), endpoint('app', 'eu', {critical: false})];
/** The region with what each endpoint said, and when. */
const judged = (ofDb: Partial<ProbeResult>, dbAt: number, ofApp: Partial<ProbeResult>, appAt: number, second = app) => {
  const readings = [
    {...reading(db, ofDb), at: AT, order: dbAt},
    {...reading(second, ofApp), at: AT, order: appAt},
  ];
  return judgeFleet({regions: [region('eu')]}, readings).regions[0] as ReturnType<typeof judgeFleet>['regions'][number];
};
/** Whether it counts, and what is remembered when it led to that state. */
const look = (of: ReturnType<typeof judged>, before: Counted, state: string): {counts: boolean; after: Counted} => {
  const {counts, next} = countLook(of, before);
  return {counts, after: next(counts ? state : null)};
};

describe('a look', () => {
  it('counts as a failure only when one of those that are down was asked again', () => {
    const first = look(judged(REFUSED, 0, {}, 0), UNCOUNTED, 'unhealthy');
    expect(first.counts).toBe(true);
    const same = look(judged(REFUSED, 0, REFUSED, 50), first.after, 'unhealthy');
    expect(same.counts).toBe(false);
    expect(look(judged(REFUSED, 60, REFUSED, 50), same.after, 'unhealthy').counts).toBe(true);
  });

  it('counts the failures of one endpoint in a row, not those of several one after the other', () => {
    const api = endpoint('api', 'eu');
    let before = UNCOUNTED;
    const counted = (ofDb: Partial<ProbeResult>, dbAt: number, ofApi: Partial<ProbeResult>, apiAt: number): boolean => {
      const {counts, after} = look(judged(ofDb, dbAt, ofApi, apiAt, api), before, 'degraded');
      before = after;
      return counts;
    };
    expect(counted(REFUSED, 1, {}, 0)).toBe(true);
    expect(counted(REFUSED, 1, REFUSED, 2), 'the other has failed once as well').toBe(false);
    expect(counted(REFUSED, 3, REFUSED, 2)).toBe(true);
    expect(counted(REFUSED, 3, REFUSED, 4), 'both have failed twice').toBe(false);
    expect(counted({}, 5, REFUSED, 4), 'the one that is left was not asked').toBe(false);
    expect(counted({}, 5, REFUSED, 6)).toBe(true);
  });

  it('counts as a recovery only when all that were down were asked again, each time', () => {
    const down = look(judged(REFUSED, 0, {}, 0), UNCOUNTED, 'unhealthy').after;
    const up = look(judged({}, 100, {}, 0), down, 'recovering');
    expect(up.counts).toBe(true);
    const beside = look(judged({}, 100, {}, 150), up.after, 'recovering');
    expect(beside.counts, 'the other endpoint alone tells nothing of the recovery').toBe(false);
    const well = look(judged({}, 200, {}, 150), beside.after, 'healthy');
    expect(well.counts).toBe(true);
    expect(look(judged({}, 200, {}, 250), well.after, 'healthy').counts).toBe(true);
  });
});

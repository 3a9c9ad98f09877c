import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {CrashLab} from './crash/crash-lab.ts';
import {drillCycle, drillProblems} from './crash/drill-cycle.ts';

// While the fault is looked for, and after the promotion: a lease that is over before the run is resumed, and one that lasts until the failover is through.
// Every line of the journal: test/e2e/crash/soak-drill.ts.
const SAMPLE = [
  ['intent:detect', 3000],
  ['result:promote', 8000],
] as const;

describe('a drill whose regionctl is killed (-9)', () => {
  const lab = new CrashLab();
  beforeAll(() => lab.up());
  afterAll(() => lab.remove());

  it.each(SAMPLE)('at %s leaves no fault after its lease, and its run can be resumed', async (point, leaseMs) => {
    const found = await drillCycle(lab, point, leaseMs);
    expect(drillProblems(found)).toEqual([]);
    expect(found.resumed).toMatchObject({status: expect.any(Number), outcome: expect.any(String)});
  });
});

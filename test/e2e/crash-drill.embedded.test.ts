import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {CrashLab} from './crash/crash-lab.ts';
import {drillCycle, drillProblems} from './crash/drill-cycle.ts';

// After the intent to inject, while the fault is looked for, and after the promotion. Every line of the journal: test/e2e/crash/soak-drill.ts.
const SAMPLE = ['intent:inject', 'intent:detect', 'result:promote'];

describe('a drill whose regionctl is killed (-9)', () => {
  const lab = new CrashLab();
  beforeAll(() => lab.up());
  afterAll(() => lab.remove());

  it.each(SAMPLE)('at %s leaves no fault after its lease, and its run can be resumed', async (point) => {
    const found = await drillCycle(lab, point);
    expect(drillProblems(found)).toEqual([]);
    expect(found.resumed).toMatchObject({status: expect.any(Number), outcome: expect.any(String)});
  });
});

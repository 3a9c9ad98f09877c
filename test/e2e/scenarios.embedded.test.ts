import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {LabSession} from './lab-session.ts';
import {missingFor, runShipped, SHIPPED, shippedFiles} from './shipped-drills.ts';

// Those that leave the fleet as it was share a lab. The others, with a lab each, are in scenarios-moving.embedded.test.ts.
const SHARING = Object.keys(SHIPPED).slice(0, Object.keys(SHIPPED).indexOf('switchover'));

describe('a shipped drill that brings the fleet back to where it was', () => {
  const lab = new LabSession();
  beforeAll(() => lab.up());
  afterAll(() => lab.remove());

  it('is one of those that somebody expects something of', () => {
    expect(shippedFiles().toSorted()).toEqual(Object.keys(SHIPPED).toSorted());
  });

  it.for(SHARING)('%s passes, loses nothing and leaves nothing', async (name, {skip}) => {
    const missing = await missingFor(lab, name);
    skip(missing !== null, `${name}: ${missing}`);
    const {problems, drill, ms} = await runShipped(lab, name);
    process.stderr.write(`    ${name}: ${Math.round(ms)} ms, gap ${drill?.measured.writeGapMs} ms\n`);
    expect(problems).toEqual([]);
  });
});

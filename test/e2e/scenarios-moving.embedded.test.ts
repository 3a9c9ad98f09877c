import {afterEach, describe, expect, it} from 'vitest';
import type {DrillDocument} from '../../src/lib/drill/report.ts';
import {expectEqualRegions} from './expect-regions.ts';
import {LabSession} from './lab-session.ts';
import {missingFor, runShipped} from './shipped-drills.ts';

// region-lost is in drill.embedded.test.ts, beside a client of its own.
const MOVING = ['database-lost', 'disk-full', 'operator-error', 'partition', 'region-frozen'];

describe('a shipped drill that leaves the primary elsewhere', () => {
  let lab: LabSession;
  afterEach(() => lab.remove());

  it.for(MOVING)('%s passes, loses nothing and leaves nothing', async (name, {skip}) => {
    lab = new LabSession();
    await lab.up();
    const missing = await missingFor(lab, name);
    skip(missing !== null, `${name}: ${missing}`);
    expect(await passes(name)).toMatchObject({drill: name});
  });

  it('switchover passes, and failback brings the primary home without a move of its own before it', async () => {
    lab = new LabSession();
    await lab.up();
    expect(await passes('switchover')).toMatchObject({from: 'us-east', to: 'eu-west', beside: []});
    expect(await passes('failback')).toMatchObject({
      ...{from: 'eu-west', to: 'us-east'},
      beside: [{when: 'before', runId: null, says: 'nothing was to be done: every primary is in eu-west'}],
    });
    await expectEqualRegions(lab);
  });

  async function passes(name: string): Promise<DrillDocument | null> {
    const {problems, drill, ms} = await runShipped(lab, name);
    process.stderr.write(`    ${name}: ${Math.round(ms)} ms, gap ${drill?.measured.writeGapMs} ms\n`);
    expect(problems).toEqual([]);
    return drill;
  }
});

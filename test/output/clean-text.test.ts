import {expect, it} from 'vitest';
import type {CleanDocument, LeftFault} from '../../src/lib/operate/clean.ts';
import {cleanText} from '../../src/lib/output/clean-text.ts';
import {plainPaint} from '../../src/lib/output/paint.ts';

const at = '2026-03-01T10:00:00.000Z';
const layout = {columns: 80, paint: plainPaint(), now: Date.parse(at)};
const fault = (more: Partial<LeftFault> = {}): LeftFault => ({
  ...{fault: 'freeze', region: 'us-east', since: at, leaseEndsAt: at, runId: 'drill-20260301-100000-ab12'},
  ...{healed: true, provenHealed: true, says: 'no fault is active on us-east, and app, postgres answer'},
  ...more,
});
const document = (verdict: CleanDocument['verdict'], found: readonly LeftFault[], more: Partial<CleanDocument> = {}): CleanDocument => ({
  ...{fleet: 'lab', at, found, removed: 0, reapers: 0, witness: [], logs: 0, troubles: [], verdict},
  ...more,
});

it('says in one line that nothing is left', () => {
  expect(cleanText(document('none', []), layout)).toBe('drill clean  no fault is left');
});

it.each([
  ['healed', [fault()], 'proven healed'],
  ['not-proven', [fault({provenHealed: false, says: 'app does not answer'})], 'not proven healed'],
  ['unknown', [fault({fault: null, since: null, runId: null, provenHealed: null})], 'unknown'],
  ['left', [fault({healed: false, provenHealed: null})], 'left'],
] as const)('tells what was found (%s), and why, within the width', (verdict, found, state) => {
  const text = cleanText(document(verdict, found), layout);
  expect(text).toContain(state);
  expect(text.replaceAll(/\s+/gu, ' ')).toContain(found[0]?.says);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

it('tells what was put in order beside faults', () => {
  const text = cleanText(document('none', [], {removed: 2, reapers: 1}), layout);
  expect(text).toContain('The records of 2 faults that had ended by then');
  expect(text).toContain('One reaper watched over nothing.');
  const witness = [
    {store: 'orders', runId: 'drill-1', removed: true, says: 'what the witness of drill-1 wrote to orders was removed'},
    {store: 'carts', runId: 'drill-1', removed: false, says: 'what the witness of drill-1 wrote to carts could not be removed'},
  ];
  const more = cleanText(document('none', [], {witness, logs: 2, troubles: ['nothing can be recorded: the disk is full']}), layout);
  for (const says of [...witness.map((each) => each.says), '2 files of operators', 'nothing can be recorded: the disk is full'])
    expect(more).toContain(says);
});

import {stripVTControlCharacters} from 'node:util';
import {describe, expect, it} from 'vitest';
import {plainPaint} from '../../src/lib/output/paint.ts';
import {repairPlanText} from '../../src/lib/output/repair-text.ts';
import {repairSample} from './sample-repair.ts';

const now = Date.parse('2026-11-28T13:05:00.000Z');
const gate = {
  id: 'not-relayed',
  verdict: 'refuse' as const,
  measured: null,
  says: 'a_to_b also takes what was repaired',
  overridable: true,
  overridden: false,
};
const document = {planId: 'repair-1', gates: [gate], overrides: [], repair: repairSample};
const text = (columns: number, saved: string | null = 'repair.json'): string =>
  repairPlanText(document, {columns, paint: plainPaint(), now}, saved);

describe('repair plan for people', () => {
  it('says what is written where and why, what is left and why, and how to go on', () => {
    expect(text(120)).toBe(`repair of orders: 2 keys
  by the audit 20261128-130000-abcdef (5 min ago) of us, eu; nothing was written yet

public.items: 2 keys (1 by policy, 1 by hand); rows to write: 2 in us, 1 in eu
  1  policy  update us (name, size)  The policy of the table takes the version of eu.
  2  hand    delete us; insert eu    The version of eu was taken by hand.
  1 is the same everywhere by now
  1 refused: written since the audit
    3: It was written since the audit in us: name it with --key.
  1 left to a person
    4: The policy of the table leaves versions of which none has seen all others to a person.

The audit did not list all that differs of public.items: audit again when this is done.

public.notes could not be read: eu did not answer in time.

Gates
  refuse  not-relayed  a_to_b also takes what was repaired

Saved as repair.json, with 3 writes in repair.json.rows.ndjson beside it. Run it: regionctl consistency repair run
--plan repair.json`);
  });

  it('keeps within the width of the terminal', () => {
    for (const columns of [60, 80, 120])
      expect(
        Math.max(
          ...stripVTControlCharacters(text(columns))
            .split('\n')
            .map((line) => line.length),
        ),
      ).toBeLessThanOrEqual(columns);
  });

  it('says when nothing was saved, or there is nothing to write', () => {
    expect(text(120, null)).toContain('Save it with -o FILE to run it.');
    const none = {...document, gates: [], repair: {...repairSample, rows: null, tables: []}};
    expect(repairPlanText(none, {columns: 120, paint: plainPaint(), now}, 'repair.json')).toContain(
      'There is nothing to write, so no plan was saved.',
    );
  });
});

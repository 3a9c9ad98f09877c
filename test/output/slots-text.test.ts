import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {colourPaint, plainPaint} from '../../src/lib/output/paint.ts';
import {slotsText} from '../../src/lib/output/slots-text.ts';
import {judgeSlots} from '../../src/lib/replication/slots.ts';
import {known, unknown} from '../../src/lib/snapshot/cell.ts';
import {AT, ISO} from '../replication/topology-samples.ts';
import {slots as document} from './sample-replication.ts';

const options = {columns: 80, paint: plainPaint(), now: AT};

describe('replication slots for people', () => {
  it.each([80, 140])('at %i columns', (columns) => {
    expect(slotsText(document, {...options, columns})).toMatchSnapshot();
  });

  it('is never wider than the terminal, coloured or not', async () => {
    const colours = await colourPaint();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with an escape character.
    const codes = /\u001b\[\d+m/g;
    fc.assert(
      fc.property(fc.integer({min: 40, max: 240}), (columns) => {
        const plain = slotsText(document, {...options, columns});
        for (const line of plain.split('\n')) expect([...line].length).toBeLessThanOrEqual(columns);
        expect(slotsText(document, {...options, columns, paint: colours}).replaceAll(codes, '')).toBe(plain);
      }),
    );
  });

  it('says in a word that there is nothing, and of what', () => {
    const store = {store: 'orders', members: ['us'], at: AT, first: {us: known([], AT, 'sql')}, second: null};
    expect(slotsText(judgeSlots(ISO, []), options)).toContain('No store of this fleet keeps log in slots.');
    expect(slotsText(judgeSlots(ISO, [], 'events'), options)).toContain('The store events keeps no log in slots.');
    expect(slotsText(judgeSlots(ISO, [store]), options)).toContain('No member of orders has a slot.');
    const silent = {...store, first: {us: unknown('timeout', 'us is silent', AT)}};
    expect(slotsText(judgeSlots(ISO, [silent]), options)).toContain('orders us: The slots of us could not be read: us is silent.');
  });
});

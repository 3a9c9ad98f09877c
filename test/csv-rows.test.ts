import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {csvRows} from '../src/lib/csv-rows.ts';

const cellsOf = (text: string): unknown => {
  const csv = csvRows(text);
  return csv.ok ? csv.rows.map(({cells}) => cells) : `${csv.line}: ${csv.says}`;
};

describe('CSV', () => {
  it.each([
    [
      'a,b\nc,d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a,b\r\nc,d\r\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['\uFEFFa,b\n', [['a', 'b']]],
    ['"a,1","say ""hi""","x\ny"\n', [['a,1', 'say "hi"', 'x\ny']]],
    ['a\n\n\r\nb', [['a'], ['b']]],
    [
      'a,,\n,',
      [
        ['a', '', ''],
        ['', ''],
      ],
    ],
    ['', []],
    ['"",""', [['', '']]],
    ['a , "b" ,c', [['a ', 'b', 'c']]],
    ['a "b" c', [['a "b" c']]],
  ])('%j', (text, cells) => expect(cellsOf(text)).toEqual(cells));

  it('numbers lines, also after a cell of several', () => {
    const csv = csvRows('a\n"x\ny"\n\nb');
    expect(csv.ok && csv.rows.map(({line}) => line)).toEqual([1, 2, 5]);
  });

  it.each([
    ['a\n"b,c', '2: a cell that begins with a quote has no closing one'],
    ['a\n"b"c', '2: after a closing quote there is more text'],
  ])('%j is none', (text, says) => expect(cellsOf(text)).toBe(says));

  it('whatever was written is read back', () => {
    const cell = fc.string({unit: fc.constantFrom('a', ',', '"', '\n', '\r\n', ' ', 'é', '1')});
    fc.assert(
      fc.property(fc.array(fc.array(cell, {minLength: 2, maxLength: 4}), {minLength: 1, maxLength: 8}), fc.boolean(), (rows, windows) => {
        const quoted = rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(','));
        expect(cellsOf(quoted.join(windows ? '\r\n' : '\n'))).toEqual(rows);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({unit: fc.constantFrom('a', ',', '"', '\n', '\r', '\uFEFF', '\u0000')}), (text) => {
        expect(csvRows(text).ok).toBeTypeOf('boolean');
      }),
    );
  });
});

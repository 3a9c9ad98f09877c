import fc from 'fast-check';
import stringWidth from 'string-width';
import {expect, it} from 'vitest';
import {cut, cutStart, table, wrap} from '../../src/lib/output/table.ts';
import {listItem} from '../../src/lib/output/verdict-cell.ts';

const red = (text: string) => `<${text}>`;

it('aligns columns, right or left, with titles and without blanks at the end', () => {
  const columns = [{title: 'REGION'}, {title: 'LAG', align: 'right' as const}, {title: ''}];
  expect(
    table(
      columns,
      [
        ['us-east', '5 ms', ''],
        ['ap', '1.3 s', 'slow'],
      ],
      80,
    ),
  ).toEqual(['REGION     LAG', 'us-east   5 ms', 'ap       1.3 s  slow']);
});

it('shrinks the widest column first and keeps those that should not shrink', () => {
  const columns = [{shrink: false}, {}];
  expect(table(columns, [['a-long-name', 'a sentence that is much too long']], 24)).toEqual(['a-long-name  a sentence…']);
});

it('paints a cell after it has its width', () => {
  expect(
    table(
      [{}, {}],
      [
        [{text: 'ok', paint: red}, 'x'],
        ['failed', 'y'],
      ],
      80,
    ),
  ).toEqual(['<ok>      x', 'failed  y']);
});

it('is never wider than asked for, whatever the text', () => {
  const cell = fc.oneof(fc.string({unit: 'binary', maxLength: 30}), fc.constant('line\nbreak\u001b[31m'));
  fc.assert(
    fc.property(fc.array(fc.array(cell, {minLength: 3, maxLength: 3}), {maxLength: 5}), fc.integer({min: 1, max: 60}), (rows, width) => {
      for (const line of table([{}, {shrink: false}, {align: 'right'}], rows, width)) {
        expect(stringWidth(line)).toBeLessThanOrEqual(width);
        expect(line).not.toMatch(/\p{Cc}/u);
      }
    }),
  );
});

it('cuts and wraps', () => {
  expect(cut('abcdef', 4)).toBe('abc…');
  expect(cut('abcd', 4)).toBe('abcd');
  expect(cut('abc', 0)).toBe('');
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap('abcdefgh', 3)).toEqual(['abc', 'def', 'gh']);
  expect(wrap('', 3)).toEqual([]);
});

it('sets in what of an item does not fit in its first line', () => {
  expect(listItem('orders us → eu is broken: eu has no connection', 24)).toEqual([
    '- orders us → eu is',
    '  broken: eu has no',
    '  connection',
  ]);
  expect(listItem('short', 24)).toEqual(['- short']);
});

it('counts columns of the terminal: wide letters take two, marks none', () => {
  expect(
    table(
      [{}, {}],
      [
        ['東京', 'x'],
        ['us-east', 'y'],
        ['🏝️ bali', 'z'],
        ['cafe\u0301', 'w'],
      ],
      80,
    ),
  ).toEqual(['東京     x', 'us-east  y', '🏝️ bali  z', 'cafe\u0301     w']);
  expect([cut('東京都', 5), cut('東京都', 4), cut('東京都', 6), cutStart('東京都', 4), cutStart('東', 4)]).toEqual([
    '東京…',
    '東…',
    '東京都',
    '…都 ',
    '東  ',
  ]);
  expect(wrap('東京都 大阪', 5)).toEqual(['東京', '都', '大阪']);
});

it('is never wider than asked for, whatever the letters', () => {
  fc.assert(
    fc.property(fc.string({unit: 'grapheme', maxLength: 30}), fc.integer({min: 6, max: 40}), (text, width) => {
      for (const line of [cut(text, width), cutStart(text, width), ...wrap(text, width)])
        expect(stringWidth(line)).toBeLessThanOrEqual(width);
    }),
  );
});

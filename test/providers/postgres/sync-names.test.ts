import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {formatSyncNames, parseSyncNames} from '../../../src/lib/providers/postgres/sync-names.ts';

describe('synchronous_standby_names', () => {
  it.each<[string, ReturnType<typeof parseSyncNames>]>([
    ['', {method: 'none', need: 0, of: []}],
    ['   ', {method: 'none', need: 0, of: []}],
    ['a', {method: 'first', need: 1, of: ['a']}],
    ['a, b', {method: 'first', need: 1, of: ['a', 'b']}],
    ['*', {method: 'first', need: 1, of: ['*']}],
    ['2 (a, b, c)', {method: 'first', need: 2, of: ['a', 'b', 'c']}],
    ['FIRST 2 (a, b)', {method: 'first', need: 2, of: ['a', 'b']}],
    ['any 1 (a,"b-c")', {method: 'any', need: 1, of: ['a', 'b-c']}],
    ['ANY 2 ( "x ""y""" , * )', {method: 'any', need: 2, of: ['x "y"', '*']}],
    ['any, first', {method: 'first', need: 1, of: ['any', 'first']}],
    ['"any" ', {method: 'first', need: 1, of: ['any']}],
    ['ANY 0 (a)', null],
    ['ANY 1 a', null],
    ['ANY 1 ()', null],
    ['a b', null],
    ['a,', null],
    [',a', null],
    ['"a', null],
    ['a-b', null],
    ['1x', null],
  ])('%s', (text, want) => {
    expect(parseSyncNames(text)).toEqual(want);
  });

  it('reads back what it writes, whatever the names', () => {
    const name = fc.string({minLength: 1, maxLength: 10});
    fc.assert(
      fc.property(fc.integer({min: 1, max: 9}), fc.array(name, {minLength: 1, maxLength: 5}), (need, of) => {
        expect(parseSyncNames(formatSyncNames({need, of}))).toEqual({method: 'any', need, of});
      }),
    );
    expect(formatSyncNames({need: 0, of: ['a']})).toBe('');
    expect(formatSyncNames({need: 1, of: []})).toBe('');
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseSyncNames(text)));
  });
});

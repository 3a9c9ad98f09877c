import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {keyBytes, keyText} from '../../../../src/lib/providers/redis/audit/key-text.ts';

const bytes = (...parts: readonly (string | number)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))));

describe('the text of a key', () => {
  it.each([
    ['user:1', 'user:1'],
    ['Zürich 東京 😀', 'Zürich 東京 😀'],
    ['a\\b', 'a\\b'],
    ['a"b', 'a"b'],
    ['"a"', '"\\"a\\""'],
    ['', '""'],
    [' a', '" a"'],
    ['a  b', '"a  b"'],
    ['a\nb', '"a\\x0ab"'],
    ['a\u202eb', '"a\\xe2\\x80\\xaeb"'],
    ['\u0301a', '"\u0301a"'],
  ])('%j reads %s', (key, text) => {
    expect(keyText(Buffer.from(key))).toBe(text);
  });

  it('escapes what is no UTF-8 byte by byte, and what only looks like an escape is another text', () => {
    expect(keyText(bytes('a', 0xff, 'é'))).toBe('"a\\xff\\xc3\\xa9"');
    expect(keyText(bytes('a\\xff'))).toBe('a\\xff');
    expect(keyText(bytes('"a\\xff"'))).toBe('"\\"a\\\\xff\\""');
  });

  it('gives any bytes a text of their own, which gives them back', () => {
    const any = fc.oneof(
      fc.uint8Array({maxLength: 12}).map((array) => Buffer.from(array)),
      fc.string({unit: 'binary', maxLength: 8}).map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(any, any, (one, other) => {
        return keyBytes(keyText(one)).equals(one) && one.equals(other) === (keyText(one) === keyText(other));
      }),
      {numRuns: 500},
    );
  });
});

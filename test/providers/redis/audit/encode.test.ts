import fc from 'fast-check';
import {expect, it} from 'vitest';
import {encodeAll} from '../../../../src/lib/providers/redis/audit/encode.ts';

const text = fc.string({unit: 'grapheme-ascii', maxLength: 150});
const word = fc.oneof(
  text,
  fc.uint8Array({maxLength: 150}).map((array) => Buffer.from(array)),
);

it('writes each word with its length, whatever is in it', () => {
  expect(encodeAll([['GET', Buffer.from([0, 255])], ['PING']]).toString('latin1')).toBe(
    '*2\r\n$3\r\nGET\r\n$2\r\n\u0000\u00ff\r\n*1\r\n$4\r\nPING\r\n',
  );
  fc.assert(
    fc.property(fc.array(fc.array(word, {minLength: 1, maxLength: 12}), {maxLength: 12}), (commands) => {
      const plain = commands.map((words) => {
        const parts = words.map((each) => Buffer.from(each));
        return Buffer.concat([
          Buffer.from(`*${parts.length}\r\n`),
          ...parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')]),
        ]);
      });
      expect(encodeAll(commands)).toEqual(Buffer.concat(plain));
    }),
  );
});

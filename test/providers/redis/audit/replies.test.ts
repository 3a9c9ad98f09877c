import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {LONGEST, NoReply, ReplyParser, ServerError, type Value} from '../../../../src/lib/providers/redis/audit/replies.ts';

function encoded(value: Value): Buffer {
  if (value === null) return Buffer.from('$-1\r\n');
  if (value instanceof ServerError) return Buffer.from(`-${value.text}\r\n`);
  if (value instanceof Buffer) return Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')]);
  if (typeof value === 'string') return Buffer.from(/^-?\d+$/.test(value) ? `:${value}\r\n` : `+${value}\r\n`);
  const values: readonly Value[] = value as readonly Value[];
  return Buffer.concat([Buffer.from(`*${values.length}\r\n`), ...values.map(encoded)]);
}

function read(pieces: readonly Buffer[]): readonly Value[] {
  const values: Value[] = [];
  const parser = new ReplyParser((value) => values.push(value));
  for (const piece of pieces) parser.read(piece);
  return values;
}

const leaf: fc.Arbitrary<Value> = fc.oneof(
  fc.uint8Array({maxLength: 40}).map((array) => Buffer.from(array)),
  fc.constantFrom('OK', '-1', '0', '123456789012'),
  fc.constant(null),
  fc.constant(new ServerError('WRONGTYPE no')),
);
const anyValue: fc.Arbitrary<Value> = fc.oneof(
  leaf,
  fc.array(fc.oneof(leaf, fc.array(leaf, {maxLength: 4})), {maxLength: 6}) as fc.Arbitrary<Value>,
);

describe('the replies that an audit reads', () => {
  it('are the same however their bytes come in pieces', () => {
    fc.assert(
      fc.property(fc.array(anyValue, {maxLength: 6}), fc.array(fc.nat(300), {maxLength: 12}), (values, cuts) => {
        const whole = Buffer.concat(values.map(encoded));
        const places = [0, ...cuts.filter((cut) => cut < whole.length).toSorted((a, b) => a - b), whole.length];
        expect(read(places.slice(1).map((to, index) => whole.subarray(places[index], to)))).toEqual(values);
        expect(read([...whole].map((byte) => Buffer.from([byte])))).toEqual(values);
      }),
      {numRuns: 500},
    );
  });

  it.each(['HTTP/1.1 200 OK\r\n', '$x\r\n', '$-2\r\n', '*-7\r\n', '$99999999999999\r\n', '*1\r\n'.repeat(20)])('%j is no reply', (text) => {
    expect(() => read([Buffer.from(text)])).toThrow(NoReply);
  });

  it('says how long a text is that is too long, before it has come', () => {
    let thrown: unknown;
    try {
      read([Buffer.from(`$${LONGEST + 1}\r\n`)]);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({tooLong: LONGEST + 1});
  });

  it('does not wait for the end of a line that never ends', () => {
    expect(() => read([Buffer.from(`+${'a'.repeat(70_000)}`)])).toThrow(NoReply);
  });
});

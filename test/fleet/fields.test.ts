import {inspect} from 'node:util';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {z} from 'zod';
import {durationMs, hostPort, httpUrl, port, secretRef, spanMs} from '../../src/lib/fleet/fields.ts';

const read = (schema: z.ZodType, value: unknown) => schema.safeParse(value).data;

describe('building blocks', () => {
  it.each([
    ['0s', 0],
    ['250ms', 250],
    ['5s', 5000],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['576h', 2_073_600_000],
  ])('duration %s is %d ms', (text, ms) => expect(read(durationMs, text)).toBe(ms));
  it.each(['', '5', 's', '-1s', '1.5s', '5 s', '1d', '577h', 5, null, [], `${'9'.repeat(400)}h`])('duration %j is refused', (value) =>
    expect(read(durationMs, value)).toBeUndefined(),
  );
  it.each([
    ['0h', 0],
    ['12h', 43_200_000],
    ['30d', 2_592_000_000],
    ['2w', 1_209_600_000],
    ['3650d', 315_360_000_000],
  ])('span %s is %d ms', (text, ms) => expect(read(spanMs, text)).toBe(ms));
  it.each(['', 'd', '5s', '1.5d', '3651d', '522w', 7, null])('span %j is refused', (value) => expect(read(spanMs, value)).toBeUndefined());
  it.each([
    ['127.0.0.1:21002', {host: '127.0.0.1', port: 21_002}],
    ['[::1]:5432', {host: '::1', port: 5432}],
    ['db.example.com:1', {host: 'db.example.com', port: 1}],
  ])('address %s', (text, address) => expect(read(hostPort, text)).toEqual(address));
  it.each(['::1:5432', '[nope]:1', 'db', 'db:', ':1', 'db:0', 'db:65536', 'http://db:1', 'a b:1', 'me@db:1', 7])(
    'address %j is refused',
    (value) => expect(read(hostPort, value)).toBeUndefined(),
  );
  it.each(['http://', 'ftp://a', 'http://a b', 'http://u:p@a', 'a', 1])('URL %j is refused', (value) =>
    expect(read(httpUrl, value)).toBeUndefined(),
  );
  it('keeps a URL as written', () => expect(read(httpUrl, 'https://a.example:8443/x?y')).toBe('https://a.example:8443/x?y'));
  it('reads a port also from a variable', () =>
    expect([read(port, 5432), read(port, '5432'), read(port, 0), read(port, 1.5)]).toEqual([5432, 5432, undefined, undefined]));

  it('never shows more of a secret than its reference', () => {
    const ref = secretRef.parse(`\${exec:pass show db}`);
    expect(ref).toMatchObject({source: 'exec', name: 'pass show db'});
    expect([String(ref), JSON.stringify(ref), inspect(ref)]).toEqual([
      `\${exec:pass show db}`,
      `"\${exec:pass show db}"`,
      `\${exec:pass show db}`,
    ]);
  });
  it.each(['literal', `\${env:}`, `\${env:A-B}`, `\${env: A}`, `\${file:}`, `\${vault:x}`, `\${env:A}b`, '', 3])(
    'secret %j is refused',
    (value) => expect(read(secretRef, value)).toBeUndefined(),
  );

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.anything(), (value) =>
        [durationMs, hostPort, httpUrl, port, secretRef].every((schema) => typeof schema.safeParse(value).success === 'boolean'),
      ),
    );
  });

  it('has a JSON Schema that an editor can use', () => {
    const schema = z.toJSONSchema(z.strictObject({wait: durationMs.prefault('5s').describe('Wait.'), key: secretRef}), {io: 'input'});
    expect(schema).toMatchObject({
      properties: {
        wait: {type: 'string', default: '5s', description: 'Wait.', pattern: expect.stringContaining('ms|s|m|h')},
        key: {type: 'string'},
      },
      required: ['key'],
    });
  });
});

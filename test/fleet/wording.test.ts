import {describe, expect, it} from 'vitest';
import {z} from 'zod';
import {secretRef} from '../../src/lib/fleet/fields.ts';
import {check} from '../../src/lib/fleet/wording.ts';

const auth = z.union([z.strictObject({token: secretRef}), z.strictObject({user: z.string(), password: secretRef})]);
const method = z.discriminatedUnion('how', [
  z.strictObject({how: z.literal('basic'), password: secretRef}),
  z.strictObject({how: z.literal('none')}),
]);
const schema = z.strictObject({
  auth: auth.optional(),
  method: method.optional(),
  count: z.int().min(1).optional(),
  list: z.array(z.string()).min(2).optional(),
});

const wordsOf = (value: unknown) =>
  check(schema, value, {path: ['part'], raw: value}).findings.map(({path, message}) => `${path.join('.')}: ${message}`);

describe('issues in the words of the fleet file', () => {
  it.each([
    [
      {auth: {user: 'me', passwort: 'x'}},
      ['part.auth.password: is missing; expected a secret by reference', 'part.auth.passwort: unknown key "passwort"'],
    ],
    [{auth: {user: 'me', password: 'hunter2'}}, ['part.auth.password: expected a secret by reference, got a literal value']],
    [{auth: 'hunter2'}, ['part.auth: a text is not one of the accepted shapes']],
    [{method: {how: 'basc'}}, ['part.method.how: expected one of basic, none, got "basc"']],
    [{method: 'hunter2'}, ['part.method: expected a mapping, got a text']],
    [{count: 0}, ['part.count: expected a number of at least 1, got 0']],
    [{count: 1.5}, ['part.count: expected a whole number, got 1.5']],
    [{list: ['a']}, ['part.list: expected at least 2 items, got 1']],
    [{list: 'hunter2'}, ['part.list: expected a list, got a text']],
    [{a: 1, coumt: 2}, ['part.a: unknown key "a"', 'part.coumt: unknown key "coumt"']],
    [7, ['part: expected a mapping, got 7']],
    [{}, []],
  ])('%j', (value, words) => expect(wordsOf(value)).toEqual(words));
});

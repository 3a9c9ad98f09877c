import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import {afterAll, expect, it} from 'vitest';
import {isRegionctlError} from '../../src/lib/errors.ts';
import {kindsOf} from '../../src/lib/fleet/kinds.ts';
import {loadFleet} from '../../src/lib/fleet/load.ts';
import {standIns} from './kinds.ts';

const dir = mkdtempSync(join(tmpdir(), 'regionctl-mutation-'));
const file = join(dir, 'regionctl.yaml');
const whole = readFileSync(join(import.meta.dirname, 'valid/whole/fleet.yaml'), 'utf8');
const words = [...new Set(whole.match(/[\w-]+/g) ?? [])];
const kinds = kindsOf(standIns);
afterAll(() => rmSync(dir, {recursive: true}));

const odd = [
  '',
  'null',
  '{}',
  '[]',
  '-1',
  '1e400',
  '.nan',
  '0x7',
  '"\\0"',
  `\${`,
  `\${env:X}`,
  `$\${`,
  '*a',
  '&a',
  '!!map',
  '<<',
  '__proto__',
  'constructor',
  'toString',
  '\t',
  '\u0000',
  '\ud800',
  '{a: }',
  '? ',
  '- ',
  '---\n',
  '|\n',
  '>-\n',
  '#',
];
const change = fc.record({
  at: fc.nat(whole.length),
  cut: fc.nat(12),
  put: fc.oneof(fc.constantFrom(...odd), fc.constantFrom(...words), fc.string({maxLength: 6}), fc.string({unit: 'binary', maxLength: 3})),
});
const swap = fc.record({from: fc.constantFrom(...words), to: fc.oneof(fc.constantFrom(...words), fc.constantFrom(...odd))});

async function outcome(text: string | Uint8Array): Promise<unknown> {
  writeFileSync(file, text);
  return loadFleet(file, kinds, {DB_PASSWORD: 'x', CONTROL_TOKEN: 'y'}).catch((error: unknown) => error);
}

function expectOneClearError(result: unknown): void {
  if (!(result instanceof Error)) return;
  expect(isRegionctlError(result), result.stack).toBe(true);
  expect(result).toMatchObject({
    exit: 78,
    message: expect.stringMatching(/^regionctl\.yaml:\d+:\d+\b/),
    suggestions: expect.arrayContaining([expect.stringMatching(/\S/)]),
  });
}

it('a changed file loads, or is one clear error', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, {minLength: 1, maxLength: 4}), async (changes) => {
      expectOneClearError(await outcome(changes.reduce((text, {at, cut, put}) => text.slice(0, at) + put + text.slice(at + cut), whole)));
    }),
    {numRuns: 600},
  );
});

it('a file with words swapped loads, or is one clear error', async () => {
  await fc.assert(
    fc.asyncProperty(swap, async ({from, to}) =>
      expectOneClearError(await outcome(whole.replaceAll(new RegExp(`(?<![\\w-])${from}(?![\\w-])`, 'g'), () => to))),
    ),
    {numRuns: 400},
  );
});

it('any bytes are one clear error', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({maxLength: 200}), async (bytes) => expectOneClearError(await outcome(bytes))),
    {numRuns: 200},
  );
});

it('a file of more than 1 MiB is refused before it is read', async () => {
  expect(await outcome(`#${'x'.repeat(1024 * 1024)}`)).toMatchObject({
    code: 'fleet-invalid',
    message: expect.stringContaining('too many for a fleet file'),
  });
});

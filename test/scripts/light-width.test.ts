import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import fc from 'fast-check';
import stringWidth from 'string-width';
import {afterAll, describe, expect, it} from 'vitest';
import {lightWidth} from '../../scripts/light-width.ts';

const FILE = fileURLToPath(import.meta.resolve('string-width'));
const SOURCE = readFileSync(FILE, 'utf8');
const dir = mkdtempSync(join(tmpdir(), 'light-width-'));
afterAll(() => rmSync(dir, {recursive: true}));

/** string-width as it is built in. */
async function built(): Promise<typeof stringWidth> {
  const resolved = lightWidth(SOURCE, FILE).replaceAll(/from '([a-z-]+)'/g, (_, name) => `from '${import.meta.resolve(name)}'`);
  const file = join(dir, 'light.mjs');
  writeFileSync(file, resolved);
  return ((await import(/* @vite-ignore */ pathToFileURL(file).href)) as {default: typeof stringWidth}).default;
}

const piece = fc.oneof(
  fc.string({unit: 'grapheme-ascii'}),
  fc.string({unit: 'grapheme'}),
  fc.string({unit: 'binary'}),
  fc.constantFrom(
    '● ▸ ✗ ✓ → … ≤ ▁▂▃ ┏━┓',
    '\u001B[31mred\u001B[39m',
    '\u001B]8;;http://x\u0007link\u001B]8;;\u0007',
    '\u009B1m',
    '東京',
    '👩‍👩‍👧',
    'e\u0301',
    '\t',
    '\n',
  ),
);

describe('string-width as it is built in', () => {
  it('answers as it does itself, from the first text on', async () => {
    const width = await built();
    fc.assert(
      fc.property(fc.array(piece, {maxLength: 6}), (pieces) => {
        const text = pieces.join('');
        expect(width(text)).toBe(stringWidth(text));
        expect(width(text, {countAnsiEscapeCodes: true})).toBe(stringWidth(text, {countAnsiEscapeCodes: true}));
      }),
      {numRuns: 2000},
    );
    expect(width(undefined as unknown as string)).toBe(0);
  });

  it('is not built from what is written otherwise', () => {
    expect(() => lightWidth(SOURCE.replace('export default function stringWidth', 'export const width = function'), FILE)).toThrow(
      /any more/,
    );
    expect(() => lightWidth('export default function stringWidth() {}', FILE)).toThrow(/imports nothing/);
  });
});

import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {parseReference} from '../../src/lib/fleet/references.ts';
import {createVault} from '../../src/lib/fleet/vault.ts';

const dir = mkdtempSync(join(tmpdir(), 'regionctl-vault-'));
afterAll(() => rmSync(dir, {recursive: true}));
writeFileSync(join(dir, 'key'), 'from-a-file\r\n');
writeFileSync(join(dir, 'empty'), '\n');
writeFileSync(
  join(dir, 'print.mjs'),
  'console.error("loud-error-output"); console.log(process.argv[2] ?? ""); process.exit(Number(process.argv[3] ?? 0));',
);
const env = {TOKEN: 'p@ss word/é+"1"', SHORT: 'abc', BLANK: ''};

const reveal = (text: string, vault = createVault({baseDir: dir, env})) => vault.reveal(parseReference(text)!);
const program = (args: string) => `\${exec:${process.execPath} ${join(dir, 'print.mjs')} ${args}}`;

describe('reveal', () => {
  it.each([
    [`\${env:TOKEN}`, 'p@ss word/é+"1"'],
    [`\${file:key}`, 'from-a-file'],
    [program('$HOME;ls'), '$HOME;ls'],
  ])('%s', async (reference, value) => expect(await reveal(reference)).toBe(value));

  it.each([
    `\${env:NOPE}`,
    `\${env:BLANK}`,
    `\${file:nope}`,
    `\${file:empty}`,
    `\${file:.}`,
    `\${exec:/no/such/program}`,
    program('out-put 3'),
  ])('%s is missing, and the error names the reference only', async (reference) => {
    const error = await reveal(reference).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({code: 'secret-missing', exit: 78, message: expect.stringContaining(reference)});
    expect((error as Error).message.replaceAll(reference, '')).not.toMatch(/loud-error|out-put/);
  });

  it('reads a rotated file anew', async () => {
    const vault = createVault({baseDir: dir, env});
    writeFileSync(join(dir, 'rotating'), 'first');
    expect(await reveal(`\${file:rotating}`, vault)).toBe('first');
    writeFileSync(join(dir, 'rotating'), 'second');
    expect(await reveal(`\${file:rotating}`, vault)).toBe('second');
  });
});

describe('scrub', () => {
  it('takes every form of a revealed value out', async () => {
    const vault = createVault({baseDir: dir, env});
    const value = await reveal(`\${env:TOKEN}`, vault);
    const forms = [
      value,
      encodeURIComponent(value),
      JSON.stringify(value),
      Buffer.from(value).toString('base64'),
      Buffer.from(value).toString('base64url'),
    ];
    for (const form of forms) expect(vault.scrub(`before ${form} after`)).toMatch(/^before "?•••"? after$/);
    for (const user of ['u', 'us', 'usr']) {
      const header = Buffer.from(`${user}:${value}`).toString('base64');
      expect(Buffer.from(vault.scrub(header).replaceAll('•••', ''), 'base64').toString()).not.toContain(value.slice(2, 8));
    }
  });

  it('leaves short values, and what was not revealed', async () => {
    const vault = createVault({baseDir: dir, env});
    await reveal(`\${env:SHORT}`, vault);
    expect(vault.scrub('abc from-a-file')).toBe('abc from-a-file');
  });

  it('takes a value out of a text that it has seen before, once the value is revealed', async () => {
    const vault = createVault({baseDir: dir, env: {...env, OTHER: 'other-value'}});
    const value = await reveal(`\${env:TOKEN}`, vault);
    const text = 'before other-value after';
    for (const _ of [1, 2]) expect(vault.scrub(text)).toBe(text);
    await reveal(`\${env:OTHER}`, vault);
    for (const _ of [1, 2]) expect(vault.scrub(text)).toBe('before ••• after');
    for (let n = 0; n < 5000; n += 1) expect(vault.scrub(`${n} ${value}`)).toBe(`${n} •••`);
  });
});

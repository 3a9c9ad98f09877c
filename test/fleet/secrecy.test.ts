import {chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {inspect} from 'node:util';
import {afterAll, describe, expect, it} from 'vitest';
import {isRegionctlError} from '../../src/lib/errors.ts';
import {kindsOf} from '../../src/lib/fleet/kinds.ts';
import {loadFleet} from '../../src/lib/fleet/load.ts';
import {checkSecrets, exposedSecretFiles, secretsOf} from '../../src/lib/fleet/vault.ts';
import {standIns} from './kinds.ts';

const SECRET = 'planted-Secret+4711';
const dir = mkdtempSync(join(tmpdir(), 'regionctl-secrecy-'));
const file = join(dir, 'regionctl.yaml');
const env = {PLANTED: SECRET};
const kinds = kindsOf(standIns);
mkdirSync(join(dir, 'secrets'));
writeFileSync(join(dir, 'secrets/db'), `${SECRET}\n`);
chmodSync(join(dir, 'secrets/db'), 0o644);
afterAll(() => rmSync(dir, {recursive: true}));

const storeWith = (password: string, extra = '') => `version: 1
fleet: shop
regions: {home: {jurisdiction: EU}}
stores:
  orders: {engine: postgres, database: orders, user: me, password: ${password}, replicationUser: me, members: {home: {region: home, address: "db:5432"}}}
routes:
  door: {router: lab, control: "http://127.0.0.1:1", token: "\${env:PLANTED}", weights: {home: 100}}
${extra}`;

function load(text: string) {
  writeFileSync(file, text);
  return loadFleet(file, kinds, env);
}

describe('a secret stays a reference', () => {
  it('in the fleet, as JSON and as inspected', async () => {
    const fleet = await load(storeWith(`"\${file:secrets/db}"`));
    await fleet.secrets.reveal(secretsOf(fleet)[0]!);
    const shown = [JSON.stringify(fleet), inspect(fleet, {depth: null, showHidden: true}), String(secretsOf(fleet))].join('\n');
    expect(shown).not.toContain(SECRET);
    expect(shown).toContain(`\${file:secrets/db}`);
  });

  it.each([
    ['a literal', storeWith(SECRET)],
    ['a literal in quotes', storeWith(`"${SECRET}"`)],
    ['a literal that is not closed', storeWith(`"${SECRET}`)],
    ['a literal in a list', storeWith(`[${SECRET}]`)],
    ['text after a literal', storeWith(`"x" "${SECRET}"`)],
    [
      'a variable in an ordinary field of the wrong shape',
      storeWith(`"\${file:secrets/db}"`, `services: {a: {class: "\${env:PLANTED}", rto: 1s}}`),
    ],
    ['a variable in a duration', storeWith(`"\${file:secrets/db}"`, `services: {a: {class: core, rto: "\${env:PLANTED}"}}`)],
    [
      'a variable as an unknown store',
      storeWith(`"\${file:secrets/db}"`, `services: {a: {class: core, rto: 1s, stores: ["\${env:PLANTED}"]}}`),
    ],
    ['a URL with a password', storeWith(`"\${file:secrets/db}"`, `witness: {allowed: true, url: "http://me:${SECRET}@db"}`)],
  ])('%s never appears in the error', async (_, text) => {
    const error = await load(text).catch((thrown: unknown) => thrown);
    expect(isRegionctlError(error)).toBe(true);
    expect(inspect(error, {depth: null}).replaceAll(/\n {4}at .*/g, '')).not.toContain(SECRET);
  });
});

describe('secrets of a fleet', () => {
  it('are listed once each, checked, and their open files named', async () => {
    const fleet = await load(storeWith(`"\${file:secrets/db}"`));
    expect(secretsOf(fleet).map(String)).toEqual([`\${file:secrets/db}`, `\${env:PLANTED}`]);
    await expect(checkSecrets(fleet, env)).resolves.toBeUndefined();
    await expect(checkSecrets(fleet, {})).rejects.toMatchObject({
      code: 'secret-missing',
      exit: 78,
      message: expect.stringContaining('PLANTED'),
    });
    expect(await exposedSecretFiles(fleet)).toEqual([{reference: `\${file:secrets/db}`, mode: '644'}]);
  });

  it('change the digest by their reference only', async () => {
    const one = await load(storeWith(`"\${file:secrets/db}"`));
    const same = await load(`# a comment\n${storeWith(`'\${file:secrets/db}'`)}`);
    const other = await load(storeWith(`"\${env:PLANTED}"`));
    expect(same.digest).toBe(one.digest);
    expect(other.digest).not.toBe(one.digest);
    writeFileSync(join(dir, 'secrets/db'), 'rotated');
    expect((await load(storeWith(`"\${file:secrets/db}"`))).digest).toBe(one.digest);
  });
});

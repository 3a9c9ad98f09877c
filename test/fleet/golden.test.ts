import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {isRegionctlError} from '../../src/lib/errors.ts';
import {kindsOf} from '../../src/lib/fleet/kinds.ts';
import {fleetProblems, loadFleet} from '../../src/lib/fleet/load.ts';
import {standIns} from './kinds.ts';

const golden = join(import.meta.dirname, 'golden');
const valid = join(import.meta.dirname, 'valid');
const kinds = kindsOf(standIns);
const env = {DB_PASSWORD: 'hunter2-secret', CONTROL_TOKEN: 'token-secret', APP_HOST: 'app-internal', APP_PORT: '5432'};

/** What a person and a script get to see of a wrong file, with the folder left out. */
async function verdictOf(file: string, folder: string): Promise<string> {
  const error = await loadFleet(file, kinds, env).catch((thrown: unknown) => thrown);
  if (!isRegionctlError(error)) return error instanceof Error ? `not one of ours: ${error.stack}\n` : 'loads\n';
  const {code, exit, message, suggestions} = error as typeof error & {suggestions: readonly string[]};
  return [`${code} ${exit}`, message.replaceAll(new RegExp(`\\S*${folder}/`, 'g'), ''), ...suggestions.map((one) => `- ${one}`), ''].join(
    '\n',
  );
}

describe('a wrong fleet file is one clear error', () => {
  const cases = readdirSync(golden);
  it('has at least 24 cases', () => expect(cases.length).toBeGreaterThanOrEqual(24));
  it.each(cases)('%s', async (name) => {
    const expected = join(golden, name, 'expected.txt');
    const verdict = await verdictOf(join(golden, name, 'fleet.yaml'), name);
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(expected, verdict);
    expect(verdict).toBe(readFileSync(expected, 'utf8'));
    expect(verdict).not.toMatch(/hunter2-secret|token-secret|app-internal/);
  });
  it('lists every problem in the order of the file', async () => {
    const problems = await fleetProblems(join(golden, 'several', 'fleet.yaml'), kinds, env);
    expect(problems.map(({path}) => path.join('.'))).toEqual(['regions.eu-west.tier', 'stores.orders.quorum', 'services.checkout.rto']);
  });
});

describe('a good fleet file loads', () => {
  it.each(readdirSync(valid))('%s', async (name) => {
    expect(await fleetProblems(join(valid, name, 'fleet.yaml'), kinds, env)).toEqual([]);
    expect(await verdictOf(join(valid, name, 'fleet.yaml'), name)).toBe('loads\n');
  });
});

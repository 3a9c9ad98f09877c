import {spawn} from 'node:child_process';
import {copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {BIN, errorOf, expectNoTrace, personalEnv, ROOT, regionctl, shown} from './program.ts';

const dir = mkdtempSync(join(tmpdir(), 'regionctl-errors-'));
const VALID = join(dir, 'valid.yaml');
const INVALID = join(dir, 'invalid.yaml');
const REGIONS = 'regions:\n  us-east: {jurisdiction: US, tier: hot}\n  eu-west: {jurisdiction: EU, tier: warm}\n';
mkdirSync(join(dir, 'empty'));
writeFileSync(VALID, `version: 1\nfleet: shop\n${REGIONS}state: {kind: sqlite, dir: state}\n`);
writeFileSync(INVALID, `version: 1\nfleet: shop\n${REGIONS}regoins: {}\n`);
writeFileSync(join(dir, 'drill.yaml'), 'name: x\nscenario: nothing\n');
afterAll(() => rmSync(dir, {recursive: true, force: true}));

type Case = {readonly args: readonly string[]; readonly exit: number; readonly code: string; readonly says: string};
const usage = (says: string, ...args: string[]): Case => ({args, exit: 64, code: 'usage', says});

const CASES: readonly Case[] = [
  usage('unknown command "helth check"', 'helth', 'check'),
  usage('unknown command "health nope"', 'health', 'nope'),
  usage('unknown command "nope"', 'nope', '--help'),
  usage('"--nope" comes before a command', '--nope'),
  usage('unknown flag: --nope', 'health', 'check', '--nope'),
  usage('unknown flag: --nope', 'help', '--nope'),
  usage('--format=xml', 'health', 'check', '--format', 'xml'),
  usage('Expected explode to be one of: lose', 'lab', 'fault', 'explode', 'ap'),
  usage('--regions', 'lab', 'up', '--regions', '99'),
  usage('--regions', 'lab', 'up', '--regions', 'three'),
  usage('the flag --to is missing', 'replication', 'loss'),
  usage('expects a value', 'replication', 'loss', '--to'),
  usage('kind', 'lab', 'fault'),
  usage('run', 'runs', 'show'),
  usage('expected a duration such as 250ms, 5s or 15m, got "soon"', 'lab', 'load', '--duration', 'soon'),
  usage('got "5"', 'lab', 'load', '--duration', '5'),
  usage('unknown region "mars"', 'health', 'check', '--region', 'mars', '--fleet', VALID),
  usage('unknown region "mars"', 'replication', 'loss', '--to', 'mars', '--fleet', VALID),
  usage('unknown store "orders"', 'replication', 'lag', '--store', 'orders', '--fleet', VALID),
  usage('there is no run "last"', 'runs', 'show', 'last', '--fleet', VALID),
  usage('it is a folder', 'drill', 'run', join(dir, 'drill.yaml'), '--report', dir, '--fleet', VALID),
  usage('name the same file', 'drill', 'run', join(dir, 'drill.yaml'), '--report', 'x', '--junit', 'x', '--fleet', VALID),
  usage('it is no report of a drill', 'drill', 'run', join(dir, 'drill.yaml'), '--report', join(dir, 'drill.yaml'), '--fleet', VALID),
  usage('--dry-run leaves no report', 'drill', 'run', join(dir, 'drill.yaml'), '--dry-run', '--report', 'x.html', '--fleet', VALID),
  usage('cannot be read', 'drill', 'run', join(dir, 'none.yaml'), '--fleet', VALID),
  usage('nowhere cannot be read', 'drill', 'list', '--dir', 'nowhere', '--fleet', VALID),
  usage('--override needs --reason', 'failover', 'plan', '--override', 'loss:orders', '--fleet', VALID),
  {args: ['drill', 'run', join(dir, 'drill.yaml'), '--fleet', VALID], exit: 78, code: 'drill-invalid', says: 'drill.yaml'},
  {args: ['health', 'check'], exit: 66, code: 'fleet-missing', says: 'regionctl.yaml'},
  {args: ['status', '--fleet', join(dir, 'none.yaml')], exit: 66, code: 'fleet-missing', says: 'none.yaml'},
  {args: ['drill', 'due'], exit: 66, code: 'fleet-missing', says: 'regionctl.yaml'},
  {args: ['drill', 'list', '--fleet', join(dir, 'none.yaml')], exit: 66, code: 'fleet-missing', says: 'none.yaml'},
  {args: ['status', '--fleet', INVALID], exit: 78, code: 'fleet-invalid', says: 'regoins'},
  {args: ['lab', 'status', '--dir', join(dir, 'no-lab')], exit: 77, code: 'no-lab', says: 'no-lab'},
  {args: ['lab', 'heal', 'ap', '--dir', join(dir, 'no-lab')], exit: 77, code: 'no-lab', says: 'no-lab'},
];

describe.each(CASES)('regionctl $args', ({args, exit, code, says}) => {
  const cwd = join(dir, 'empty');

  it('is one message on stderr', async () => {
    const result = await regionctl(args, {cwd});
    expect(result.status, shown(result)).toBe(exit);
    expect(result.stdout, shown(result)).toBe('');
    expect(result.stderr, shown(result)).toMatch(/^Error: /u);
    expect(result.stderr).toContain(says);
    expectNoTrace(result);
  });

  it('is one document on stdout with --json', async () => {
    const result = await regionctl([...args, '--json'], {cwd});
    const error = errorOf(result);
    expect(error, shown(result)).toMatchObject({code, exit, message: expect.stringContaining(says)});
  });
});

it('gives a file that exists already back untouched', async () => {
  const file = join(dir, 'mine.yaml');
  copyFileSync(VALID, file);
  const result = await regionctl(['init', '--output', file, '--json']);
  expect(errorOf(result), shown(result)).toMatchObject({message: expect.stringContaining('mine.yaml')});
});

it('says which command was probably meant', async () => {
  const result = await regionctl(['helth', 'check']);
  expect(result.stderr, shown(result)).toContain('Try: regionctl health check\n');
});

describe('a reader that goes away', () => {
  const closed = (command: string) =>
    new Promise<{status: number | null; stderr: string}>((resolve) => {
      const child = spawn('bash', ['-c', `${command}; exit "\${PIPESTATUS[0]}"`], {env: personalEnv({RC: BIN, FLEET: VALID})});
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
      child.on('close', (status) => resolve({status, stderr}));
    });

  it.each([
    '"$RC" --help | true',
    '"$RC" failover run --help | head -1',
    '"$RC" --version | true',
    '"$RC" runs list --json --fleet "$FLEET" | true',
    '"$RC" runs list --fleet "$FLEET" | head -c 1',
  ])('%s', async (command) => {
    expect(await closed(command)).toEqual({status: 0, stderr: ''});
  });

  it('keeps the exit code of an error', async () => {
    expect(await closed('"$RC" nope --json | true')).toEqual({status: 64, stderr: ''});
  });
});

it('runs nothing of the folder where it is called', async () => {
  const folder = join(dir, 'hostile');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"oclif": {"bin": "other"}}');
  writeFileSync(join(folder, 'regionctl.yaml'), `version: 1\nfleet: here\n${REGIONS}`);
  const result = await regionctl(['version'], {cwd: folder});
  expect(result, shown(result)).toMatchObject({status: 0, stderr: ''});
  expect(ROOT).not.toBe(folder);
});

import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {EXIT_MEANING} from '../../src/lib/exit-codes.ts';
import {builtCommands, commandsText} from './manifest.ts';
import {ROOT, regionctl, shown} from './program.ts';

const SNAPSHOT = join(import.meta.dirname, 'commands.txt');
const commands = builtCommands();
const {oclif} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {oclif: {topics: Record<string, {description: string}>}};
const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

// A change of this file is a change of what scripts rely on: new lines are fine, a line that goes needs a major version.
it('has the commands, arguments and flags of commands.txt', () => {
  expect(commandsText(commands)).toBe(readFileSync(SNAPSHOT, 'utf8'));
});

describe.each(commands.map((command) => [command.id, command] as const))('%s', (id, command) => {
  it('says what it is, and shows itself with long flags', () => {
    expect(command.summary).toMatch(/^[A-Z].+\.$/u);
    const examples = command.examples ?? [];
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(example).toMatch(new RegExp(`^<%= config.bin %> ${id}( |$)`, 'u'));
      expect(example).not.toMatch(/ -[a-z]\b/u);
      for (const [, flag] of example.matchAll(/ --([a-z-]+)/gu)) expect(Object.keys(command.flags), example).toContain(flag);
    }
  });

  it('describes each flag and argument, each in the same way everywhere', () => {
    for (const part of [...Object.values(command.flags), ...Object.values(command.args)])
      expect(part.description, part.name).toMatch(/\S/u);
    for (const flag of Object.values(command.flags)) expect(CHARS[flag.name], flag.name).toBe(flag.char);
  });

  it('has help that fits 80 columns', async () => {
    const result = await regionctl([...id.split(' '), '--help']);
    expect(result, shown(result)).toMatchObject({status: 0, stderr: ''});
    expect(widest(result.stdout), result.stdout).toBeLessThanOrEqual(80);
  });
});

/** The only flags with a letter. A letter means the same everywhere. */
const CHARS: Readonly<Record<string, string>> = {fleet: 'f', 'nested-commands': 'n', output: 'o', yes: 'y'};

describe('the root help', () => {
  it('fits 80 columns and lists every exit code', async () => {
    const result = await regionctl(['--help']);
    expect(result, shown(result)).toMatchObject({status: 0, stderr: ''});
    expect(widest(result.stdout), result.stdout).toBeLessThanOrEqual(80);
    expect(result.stdout).toContain('\nTOPICS\n  capacity  ');
    const flowing = result.stdout.replaceAll(/\s+/gu, ' ');
    for (const [code, meaning] of Object.entries(EXIT_MEANING)) expect(flowing).toContain(`${code} ${meaning}`);
    expect((await regionctl(['help'])).stdout).toBe(result.stdout);
    expect((await regionctl([])).stdout).toBe(result.stdout);
  });

  it('describes every topic in its own words, and no topic that is not there', () => {
    const above = ({id}: {id: string}): readonly string[] => {
      const words = id.split(' ').slice(0, -1);
      return words.map((_, index) => words.slice(0, index + 1).join(':'));
    };
    const topics = [...new Set(commands.flatMap(above))].toSorted();
    expect(Object.keys(oclif.topics).toSorted()).toEqual(topics);
  });
});

describe('help and version', () => {
  it('`help COMMAND` is `COMMAND --help`', async () => {
    const [help, flag] = await Promise.all([regionctl(['help', 'failover', 'run']), regionctl(['failover', 'run', '--help'])]);
    expect(help, shown(help)).toMatchObject({status: 0, stdout: flag.stdout});
  });

  it('`version`, --version and -v say the same', async () => {
    const results = await Promise.all([['version'], ['--version'], ['-v']].map((args) => regionctl(args)));
    for (const result of results) expect(result.stdout, shown(result)).toMatch(/^regionctl\/\d+\.\d+\.\d+ \S+ node-v\d+\.\d+\.\d+\n$/u);
    expect(new Set(results.map(({stdout}) => stdout)).size).toBe(1);
  });
});

import {cpSync, existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {builtCommands} from './manifest.ts';
import {PluginHome} from './plugin-home.ts';
import {ended, expectNoTrace, personalEnv, ROOT, shown} from './program.ts';
import {noTerminal, Terminal} from './terminal.ts';

const home = new PluginHome();
const env = {...home.env, PATH: `${join(ROOT, 'bin')}:${process.env.PATH}`};
const FIXTURE = join(import.meta.dirname, 'fixtures/plugin-hello');
afterAll(() => home.remove());

beforeAll(async () => {
  const result = await home.run(['autocomplete', 'bash']);
  expect(result, shown(result)).toMatchObject({status: 0});
  expect(result.stdout).toContain('printf "$(regionctl autocomplete script bash)" >> ~/.bashrc');
  expectNoTrace(result);
});

/** What bash offers for the last word, by the function that the set-up lines of `~/.bashrc` have registered for `regionctl`. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const script = `
eval "$(regionctl autocomplete script bash)"
[[ $(complete -p regionctl) =~ -F\\ ([^ ]+) ]] || exit 9
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
"\${BASH_REMATCH[1]}"
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const result = await ended('bash', ['--norc', '-c', script, 'bash', 'regionctl', ...words], {cwd: home.dir, env: personalEnv(env)});
  expect(result, shown(result)).toMatchObject({status: 0, stderr: ''});
  return [...new Set(result.stdout.split('\n').filter((word) => word !== ''))].toSorted();
}

const verbsOf = (topic: string) =>
  builtCommands()
    .filter(({id}) => id.startsWith(`${topic} `))
    .map(({id}) => id.slice(topic.length + 1));

describe('completion in bash', () => {
  it('completes `regionctl fail`', async () => {
    expect(await offered('fail')).toEqual(['failback', 'failover']);
  });

  it('offers every topic and command for nothing', async () => {
    const first = [...new Set(builtCommands().map(({id}) => id.split(' ')[0] ?? ''))];
    expect(await offered('')).toEqual([...first, 'autocomplete', 'help', 'version'].toSorted());
  });

  it.each(['failover', 'runs', 'lab', 'replication'])('offers the commands of %s after a space', async (topic) => {
    expect(await offered(topic, '')).toEqual(verbsOf(topic).toSorted());
  });

  it('offers oclif’s commands beside ours in one topic', async () => {
    expect(await offered('plugins', '')).toEqual(expect.arrayContaining(['install', 'link', 'manifest', 'unlink', 'update']));
    expect(await offered('plugins', 'un')).toEqual(['uninstall', 'unlink']);
  });

  it('offers the flags of a command of two words', async () => {
    const {flags} = builtCommands().find(({id}) => id === 'failover run') ?? {flags: {}};
    const names = Object.keys(flags).map((name) => `--${name}`);
    expect(await offered('failover', 'run', '--')).toEqual(names.toSorted());
    expect(await offered('failover', 'run', '--wait')).toEqual(['--wait-timeout']);
  });

  const without = noTerminal();
  it('completes what is typed at a prompt', async ({skip}) => {
    if (without !== null) skip(without);
    writeFileSync(join(home.dir, '.bashrc'), (await home.run(['autocomplete', 'script', 'bash'])).stdout);
    const terminal = new Terminal(['--noprofile', '--rcfile', join(home.dir, '.bashrc'), '-i'], {columns: 120, cwd: home.dir, env}, 'bash');
    try {
      terminal.type('PS1="ready"$(echo ">")\r');
      await terminal.sees('ready>');
      terminal.type('regionctl switcho\tpl\t');
      await terminal.sees('regionctl switchover plan ');
    } finally {
      terminal.close();
    }
  });
});

it.each(['zsh', 'powershell'])('sets up %s as well', async (shell) => {
  const result = await home.run(['autocomplete', shell]);
  expect(result, shown(result)).toMatchObject({status: 0});
  expect(result.stdout).toContain(`regionctl autocomplete script ${shell}`);
  const file = shell === 'zsh' ? 'functions/zsh/_regionctl' : 'functions/powershell/regionctl.ps1';
  const text = readFileSync(join(home.cacheDir, 'autocomplete', file), 'utf8');
  for (const word of ['switchover', 'Move to another region on purpose', 'wait-timeout', 'uninstall']) expect(text).toContain(word);
  expect(text, 'a template that was not filled in').not.toContain('<%');
});

describe('completion and plugins', () => {
  it('learns the commands of a linked plugin when it is told to, and forgets them when the plugin is unlinked', async () => {
    for (const name of ['hello', 'goodbye']) linkable(name);
    for (const name of ['hello', 'goodbye']) {
      const link = await home.run(['plugins', 'link', join(home.dir, name), '--no-install']);
      expect(link.status, shown(link)).toBe(0);
    }
    const refresh = await home.run(['autocomplete', '--refresh-cache']);
    expect(refresh, shown(refresh)).toMatchObject({status: 0, stdout: ''});
    expect(await offered('')).toEqual(expect.arrayContaining(['hello', 'goodbye']));
    expect((await home.run(['plugins', 'unlink', 'hello'])).status).toBe(0);
    const left = await offered('');
    expect([left.includes('hello'), left.includes('goodbye')]).toEqual([false, true]);
  });

  function linkable(name: string): void {
    const folder = join(home.dir, name);
    cpSync(join(FIXTURE, 'commands/hello.js'), join(folder, `commands/${name}.js`));
    const pjson = JSON.parse(readFileSync(join(FIXTURE, 'package.json'), 'utf8')) as {oclif: object};
    writeFileSync(join(folder, 'package.json'), JSON.stringify({...pjson, name, oclif: {commands: './commands'}}));
  }

  it('is not set up for whoever did not ask for it', async () => {
    const other = new PluginHome();
    try {
      cpSync(FIXTURE, join(other.dir, 'hello'), {recursive: true});
      expect((await other.run(['plugins', 'link', join(other.dir, 'hello'), '--no-install'])).status).toBe(0);
      expect((await other.run(['plugins', 'unlink', 'regionctl-plugin-hello'])).status).toBe(0);
      expect(existsSync(join(other.cacheDir, 'autocomplete'))).toBe(false);
    } finally {
      other.remove();
    }
  });
});

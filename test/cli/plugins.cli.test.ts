import {chmodSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, afterEach, beforeEach, describe, expect, it} from 'vitest';
import {PluginHome} from './plugin-home.ts';
import {documentOf, ended, errorOf, expectNoTrace, expectSchema, personalEnv, ROOT, shown} from './program.ts';

const HELLO = 'regionctl-plugin-hello';
const FIXTURE = join(import.meta.dirname, 'fixtures/plugin-hello');
const OCLIF = ['@oclif/plugin-autocomplete', '@oclif/plugin-help', '@oclif/plugin-plugins', '@oclif/plugin-version'];

let home: PluginHome;
beforeEach(() => {
  home = new PluginHome();
});
afterEach(() => home.remove());

type Listed = {readonly name: string; readonly version: string; readonly type: string; readonly root: string; readonly commands: string[]};
const listed = async (...args: readonly string[]) => {
  const result = await home.run([...args, '--json']);
  expect(result, shown(result)).toMatchObject({status: 0});
  const plugins = documentOf(result) as unknown as readonly Listed[];
  for (const plugin of plugins) expectSchema('plugin', plugin);
  return plugins;
};
const linkHello = async () => {
  const folder = join(home.dir, HELLO);
  cpSync(FIXTURE, folder, {recursive: true});
  const result = await home.run(['plugins', 'link', folder, '--no-install']);
  expect(result, shown(result)).toMatchObject({status: 0, stdout: ''});
  return folder;
};

describe('a plugin that is linked', () => {
  it('is listed, inspected, used, and gone when it is unlinked', async () => {
    const root = await linkHello();
    const list = await home.run(['plugins']);
    expect(list, shown(list)).toMatchObject({status: 0, stderr: '', stdout: `${HELLO} 1.0.0 (link) ${root}\n`});
    const all = await listed('plugins');
    expect(all.find(({name}) => name === HELLO)).toEqual({name: HELLO, version: '1.0.0', type: 'link', root, commands: ['hello']});
    expect(await listed('plugins', 'inspect', HELLO)).toMatchObject([
      {name: HELLO, type: 'link', root, commands: ['hello'], dependencies: {}},
    ]);
    const help = await home.run(['hello', '--help']);
    expect(help, shown(help)).toMatchObject({status: 0, stderr: '', stdout: expect.stringContaining('$ regionctl hello us-east')});
    const version = documentOf(await home.run(['version', '--verbose', '--json']));
    expectSchema('version', version);
    expect(version).toMatchObject({root: ROOT, dataDir: home.dataDir, plugins: [{name: HELLO, version: '1.0.0', type: 'link', root}]});
    const unlink = await home.run(['plugins', 'unlink', HELLO]);
    expect(unlink, shown(unlink)).toMatchObject({status: 0, stdout: ''});
    expect((await home.run(['plugins'])).stdout).toBe('No plugins installed.\n');
    expect((await home.run(['hello', 'us-east'])).status).toBe(64);
  });

  it('costs no start the import of its commands once `plugins manifest` was run', async () => {
    const root = await linkHello();
    const file = join(root, 'oclif.manifest.json');
    const manifest = await home.run(['plugins', 'manifest', root, '--json']);
    expectSchema('plugins-manifest', documentOf(manifest));
    expect(documentOf(manifest), shown(manifest)).toEqual({file, commands: ['hello']});
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      version: '1.0.0',
      commands: {hello: {summary: expect.stringContaining('Greet')}},
    });
    writeFileSync(join(root, 'commands/hello.js'), 'throw new Error("it was imported");');
    const list = await home.run(['plugins', '--json']);
    expect(list.stderr, shown(list)).toBe('');
    const hello = await home.run(['hello', 'us-east', '--json']);
    expect(errorOf(hello)).toMatchObject({code: 'plugin-failed', exit: 69, suggestions: [`regionctl plugins unlink ${HELLO}`]});
    expect(errorOf(hello).message).toContain('could not load its command "hello": it was imported');
    const again = await home.run(['plugins', 'manifest', root]);
    expect(again, shown(again)).toMatchObject({status: 64, stdout: '', stderr: expect.stringContaining('it was imported')});
  });
});

it('a plugin is installed from a tarball, updated and uninstalled', async () => {
  const source = join(home.dir, 'source');
  cpSync(FIXTURE, source, {recursive: true});
  const npm = join(ROOT, 'node_modules/.bin/npm');
  const packed = await ended(npm, ['pack', '--silent', '--pack-destination', home.dir], {cwd: source, env: personalEnv(home.env)});
  expect(packed.status, shown(packed)).toBe(0);
  const url = `file:${join(home.dir, `${HELLO}-1.0.0.tgz`)}`;
  const root = join(home.dataDir, 'node_modules', HELLO);
  const installed = await home.run(['plugins', 'install', url, '--json']);
  expect(documentOf(installed), shown(installed)).toMatchObject([{name: HELLO, version: '1.0.0', root, commands: ['hello']}]);
  for (const plugin of documentOf(installed) as unknown as readonly Listed[]) expectSchema('plugin', plugin);
  expect((await listed('plugins')).find(({name}) => name === HELLO)).toMatchObject({type: 'user', root, url});
  const hello = await home.run(['hello', '--help']);
  expect(hello, shown(hello)).toMatchObject({status: 0, stderr: ''});
  const update = await home.run(['plugins', 'update']);
  expect(update, shown(update)).toMatchObject({status: 0, stdout: ''});
  expect((await home.run(['hello', '--help'])).status).toBe(0);
  const uninstall = await home.run(['plugins', 'uninstall', HELLO]);
  expect(uninstall, shown(uninstall)).toMatchObject({status: 0, stdout: ''});
  expect(existsSync(root)).toBe(false);
  expect((await home.run(['hello', '--help'])).status).toBe(64);
});

describe('oclif’s own plugins', () => {
  it('ship manifests, and are listed with --core', async () => {
    const core = await home.run(['plugins', '--core']);
    expect(
      core.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(OCLIF);
    const {stderr} = await home.run(['plugins'], {DEBUG: 'oclif*'});
    for (const name of OCLIF)
      expect(stderr).toContain(`oclif:config:${name} using manifest from ${ROOT}/node_modules/${name}/oclif.manifest.json`);
  });

  it('ask no registry for a newer version', async () => {
    const asked = join(home.dir, 'asked');
    const bin = home.folder('bin', {npm: `#!/bin/sh\necho "$npm_config_offline" >> '${asked}'\nexit 1\n`});
    chmodSync(join(bin, 'npm'), 0o755);
    const result = await home.run(['version', '--verbose'], {PATH: `${bin}:${process.env.PATH}`, npm_config_offline: 'false'});
    expect(result, shown(result)).toMatchObject({status: 0, stderr: '', stdout: expect.stringContaining('@oclif/plugin-version')});
    expect(readFileSync(asked, 'utf8'), 'npm was left to ask').toBe('true\n');
  });

  it.each(['health check --help', 'status', 'init --help'])('are not even looked for by %s', async (command) => {
    const {stderr} = await home.run(command.split(' '), {DEBUG: 'oclif*'});
    expect(stderr).toContain('oclif:config');
    expect(stderr).not.toContain('plugin-');
  });
});

describe('errors', () => {
  const CASES: readonly (readonly [string, number, string, string])[] = [
    ['plugins nope', 64, 'usage', 'unknown command "plugins nope"'],
    ['plugin', 64, 'usage', 'unknown command "plugin"'],
    ['plugins --nope', 64, 'usage', 'unknown flag: --nope'],
    ['plugins install', 64, 'usage', 'missing:\nplugin'],
    ['plugins install Not!A!Name', 64, 'usage', 'Invalid npm package name'],
    ['plugins install regionctl-plugin-of-nobody', 69, 'plugin-not-found', 'has no package regionctl-plugin-of-nobody, or does not answer'],
    ['plugins install file:/nowhere/none.tgz', 69, 'npm-failed', 'no such file or directory'],
    ['plugins inspect nope', 64, 'usage', 'the plugin nope is not installed'],
    ['plugins manifest /nowhere', 64, 'usage', '/nowhere is no plugin whose commands can be read'],
  ];

  it.each(CASES)('regionctl %s', async (command, exit, code, says) => {
    const words = command.split(' ');
    const [text, json] = [await home.run(words), await home.run([...words, '--json'])];
    expect(text, shown(text)).toMatchObject({status: exit, stdout: '', stderr: expect.stringMatching(/^Error: /mu)});
    expect(text.stderr).toContain(says);
    expectNoTrace(text);
    expect(documentOf(json), shown(json)).toMatchObject({error: {code, exit, message: expect.stringContaining(says)}});
    expectSchema('error', documentOf(json));
    expect(json.status).toBe(exit);
    expectNoTrace(json);
  });

  it.each([
    ['plugins uninstall nope', 64, 'the plugin nope is not installed'],
    ['plugins link /nowhere', 64, '/nowhere has no package.json'],
    ['plugins inspect', 64, 'there is no package.json'],
    ['autocomplete fish', 64, 'Expected fish to be one of: zsh, bash, powershell'],
  ])('regionctl %s', async (command, exit, says) => {
    const result = await home.run(command.split(' '));
    expect(result, shown(result)).toMatchObject({status: exit, stdout: '', stderr: expect.stringContaining(`Error: ${says}`)});
    expectNoTrace(result);
    const json = await home.run([...command.split(' '), '--json']);
    expect(documentOf(json), shown(json)).toMatchObject({error: {exit: 64}});
  });

  it('a package that is no plugin is refused, and leaves nothing behind', async () => {
    const folder = home.folder('other', {'package.json': {name: 'other', version: '1.0.0'}});
    const link = await home.run(['plugins', 'link', folder]);
    expect(link, shown(link)).toMatchObject({status: 64, stderr: expect.stringContaining('it is no plugin')});
    const install = await home.run(['plugins', 'install', `file:${folder}`, '--json']);
    expect(documentOf(install), shown(install)).toMatchObject({error: {code: 'usage', exit: 64}});
    expect((await home.run(['plugins'])).stdout).toBe('No plugins installed.\n');
  });
});

describe('a plugin that is broken', () => {
  const BROKEN: readonly (readonly [string, (folder: string) => void, string])[] = [
    ['is gone', (folder) => rmSync(folder, {recursive: true}), 'has no package.json any more'],
    ['has a package.json that is no JSON', (folder) => writeFileSync(join(folder, 'package.json'), '{'), 'its package.json is no JSON'],
    [
      'throws when it is imported',
      (folder) => command(folder, 'throw new Error("out of paper");'),
      'its command "hello" cannot be loaded: out of paper',
    ],
    ['exports no command', (folder) => command(folder, 'export const nothing = 1;'), 'its file exports no command'],
    ['has a manifest of another version', (folder) => manifest(folder, '0.9.0'), 'its oclif.manifest.json is of version 0.9.0'],
    ['fails when the program starts', (folder) => init(folder, 'throw new Error("no licence")'), 'its init hook failed: no licence'],
    ['wants to end the program', (folder) => init(folder, 'this.exit(7)'), 'its init hook failed'],
    ['hangs when the program starts', (folder) => init(folder, 'await new Promise((r) => setTimeout(r, 60_000))'), 'its init hook failed'],
  ];
  const command = (folder: string, text: string) => writeFileSync(join(folder, 'commands/hello.js'), text);
  const manifest = (folder: string, version: string) =>
    writeFileSync(join(folder, 'oclif.manifest.json'), JSON.stringify({version, commands: {}}));
  const init = (folder: string, body: string) => {
    writeFileSync(join(folder, 'init.js'), `export default async function () { ${body}; }`);
    const pjson = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {oclif: {hooks: object}};
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({...pjson, oclif: {...pjson.oclif, hooks: {...pjson.oclif.hooks, init: './init.js'}}}),
    );
  };

  it.each(BROKEN)('and %s: it is named, everything else goes on, and it can be unlinked', async (_, breakIt, says) => {
    const folder = await linkHello();
    breakIt(folder);
    const results = await Promise.all([['version'], ['plugins'], ['--help']].map((args) => home.run(args)));
    for (const result of results) {
      expect(result.status, shown(result)).toBe(0);
      expect(result.stderr).toMatch(new RegExp(`^Plugin ${HELLO}: .*`, 'u'));
      expect(result.stderr).toContain(says);
      expect(result.stderr).toContain(`Try: regionctl plugins unlink ${HELLO}\n`);
      expectNoTrace(result);
    }
    const unlink = await home.run(['plugins', 'unlink', HELLO]);
    expect(unlink, shown(unlink)).toMatchObject({status: 0, stdout: ''});
    expect(unlink.stderr).not.toContain('Try:');
    const after = await home.run(['version']);
    expect(after, shown(after)).toMatchObject({status: 0, stderr: ''});
  });

  it('and ends the program while it is imported: it is named all the same, and can be unlinked', async () => {
    command(await linkHello(), 'process.exit(3);');
    const version = await home.run(['version']);
    expect(version, shown(version)).toMatchObject({status: 3, stdout: ''});
    expect(version.stderr).toBe(`Plugin ${HELLO}: it ended regionctl while it was loaded\n  Try: regionctl plugins unlink ${HELLO}\n`);
    expect((await home.run(['plugins', 'unlink', HELLO])).status).toBe(0);
    expect(await home.run(['version'])).toMatchObject({status: 0, stderr: ''});
  });

  it('and ends the program when that starts: it is named, and not the one beside it', async () => {
    const folder = await linkHello();
    manifest(folder, '1.0.0');
    init(folder, 'process.exit(4)');
    const other = home.folder('other', {'package.json': {name: 'other', version: '1.0.0', type: 'module', oclif: {}}});
    expect((await home.run(['plugins', 'link', other, '--no-install'])).status).toBe(4);
    expect((await home.run(['plugins', 'unlink', HELLO])).status).toBe(0);
    for (const path of [other, folder]) await home.run(['plugins', 'link', path, '--no-install']);
    const version = await home.run(['version']);
    expect(version, shown(version)).toMatchObject({status: 4, stdout: ''});
    expect(version.stderr).toBe(`Plugin ${HELLO}: it ended regionctl while it was loaded\n  Try: regionctl plugins unlink ${HELLO}\n`);
  });

  it('and is never imported to its end: it is named after ten seconds, and can be unlinked', async () => {
    command(await linkHello(), 'await new Promise((resolve) => setTimeout(resolve, 60_000));');
    const version = await home.run(['version', '--json']);
    expect(errorOf(version), shown(version)).toMatchObject({code: 'plugin-failed', exit: 69, message: expect.stringContaining(HELLO)});
    expect((await home.run(['plugins', 'uninstall', HELLO])).status).toBe(0);
    expect(await home.run(['version'])).toMatchObject({status: 0, stderr: ''});
  });

  it('is told of when it is linked', async () => {
    const folder = home.folder(HELLO, {
      'package.json': {name: HELLO, version: '1.0.0', type: 'module', oclif: {commands: './commands'}},
      'commands/hello.js': 'throw new Error("out of paper");',
    });
    const link = await home.run(['plugins', 'link', folder, '--no-install']);
    expect(link, shown(link)).toMatchObject({status: 0, stdout: ''});
    expect(link.stderr).toContain('its command "hello" cannot be loaded: out of paper');
  });

  it('cannot be worse than a list that is no JSON', async () => {
    await linkHello();
    writeFileSync(join(home.dataDir, 'package.json'), '{"oclif": ');
    const version = await home.run(['version']);
    expect(version.stderr, shown(version)).toContain('package.json, which lists them, is no JSON\n  Try: regionctl plugins reset --hard\n');
    expect((await home.run(['plugins', 'reset', '--hard'])).status).toBe(0);
    expect(await home.run(['version'])).toMatchObject({status: 0, stderr: ''});
  });

  it('is said to be the one that has a bug', async () => {
    const folder = await linkHello();
    const text = readFileSync(join(folder, 'commands/hello.js'), 'utf8').replace('const {region} = this.args;', 'null.length;');
    command(folder, text);
    const result = await home.run(['hello', 'us-east', '--json']);
    expect(errorOf(result)).toMatchObject({
      code: 'bug',
      exit: 70,
      message: expect.stringContaining(`this is a bug in the plugin ${HELLO}: `),
    });
  });
});

describe('help', () => {
  const {oclif} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {oclif: {plugins: string[]}};
  const shipped = OCLIF.flatMap((name) => {
    const text = readFileSync(join(ROOT, 'node_modules', name, 'oclif.manifest.json'), 'utf8');
    const {commands} = JSON.parse(text) as {commands: Record<string, {hidden?: boolean}>};
    return Object.entries(commands)
      .filter(([, {hidden}]) => hidden !== true)
      .map(([id]) => id.replaceAll(':', ' '));
  });

  it('is there for every command that oclif’s plugins bring', () => {
    expect([...oclif.plugins].toSorted()).toEqual(OCLIF);
    expect(shipped.length).toBeGreaterThan(7);
  });

  // Of `help` itself oclif shows all: `help help` and `help --help` are its root.
  it.each(shipped.filter((id) => id !== 'help'))('%s: in the words of this program, and fits 80 columns', async (id) => {
    const result = await home.run([...id.split(' '), '--help']);
    expect(result, shown(result)).toMatchObject({status: 0, stderr: ''});
    expect(Math.max(...result.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(result.stdout).toMatch(/^[A-Z][\s\S]+?\.\n\nUSAGE\n {2}\$ regionctl /u);
    expect(result.stdout).toContain(`\nEXAMPLES\n  $ regionctl ${id}`);
    expect(result.stdout, 'oclif’s own words').not.toMatch(/myplugin|the CLI|Installs|Display/u);
    expect(result.stdout, 'a flag without a description').not.toMatch(/^ +(-\w, )?--[a-z-]+$/mu);
    expect((await home.run(['help', ...id.split(' ')])).stdout).toBe(result.stdout);
  });

  it('--nested-commands lists the commands of topics', async () => {
    const result = await home.run(['help', '--nested-commands']);
    expect(result.stdout, shown(result)).toMatch(/^ {2}failover run +\S/mu);
    expect(result.stdout).toMatch(/^ {2}plugins install +\S/mu);
  });
});

afterAll(() => expect(existsSync(join(ROOT, 'node_modules', HELLO))).toBe(false));

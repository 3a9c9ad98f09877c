import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {documentOf, type Ended, ended, errorOf, expectNoTrace, expectSchema, personalEnv, ROOT, regionctl, shown} from './program.ts';

/*
 * The two ways in which a plugin comes to a host: a user links it into the program (or installs it: plugins.cli.test.ts), or it is part of a
 * package root like regionctl's own, whose package.json names it in oclif.plugins and in dependencies, with a script that calls main().
 */
const dir = mkdtempSync(join(tmpdir(), 'regionctl-plugin-'));
const FIXTURES = join(import.meta.dirname, 'fixtures');
const NODE = join(ROOT, 'node_modules/.bin/node');
const PLUGIN = 'regionctl-plugin-hello';
const FLEET = join(dir, 'regionctl.yaml');
afterAll(() => rmSync(dir, {recursive: true, force: true}));

beforeAll(() => {
  const endpoints = (says: string, ok: boolean) => `endpoints: {voice: {probe: echo, says: ${says}, ok: ${ok}, critical: true}}`;
  writeFileSync(
    FLEET,
    `version: 1\nfleet: choir\nregions:
  us-east: {jurisdiction: US, tier: hot, ${endpoints('la', true)}}
  eu-west: {jurisdiction: EU, tier: warm, ${endpoints('mi', false)}}
state: {kind: sqlite, dir: state}\n`,
  );
});

type Host = (args: readonly string[], env?: NodeJS.ProcessEnv) => Promise<Ended>;

/** A host whose package has the plugin. `own`: the plugin brings a copy of regionctl of its own. */
async function hostWithin(name: string, own: boolean): Promise<Host> {
  const root = join(dir, name);
  mkdirSync(join(root, 'node_modules'), {recursive: true});
  cpSync(join(ROOT, 'dist'), join(root, 'dist'), {recursive: true});
  symlinkSync(join(ROOT, 'oclif.manifest.json'), join(root, 'oclif.manifest.json'));
  copyPlugin(join(root, 'node_modules', PLUGIN), own);
  const {dependencies, oclif, ...rest} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, object>;
  const pjson = {...rest, dependencies: {...dependencies, [PLUGIN]: '1.0.0'}, oclif: {...oclif, plugins: [PLUGIN]}};
  writeFileSync(join(root, 'package.json'), JSON.stringify(pjson));
  writeFileSync(join(root, 'host.js'), "import {main} from './dist/main.js';\nawait main(import.meta.dirname);\n");
  return (args, env = {}) => ended(NODE, [join(root, 'host.js'), ...args], {cwd: dir, env: personalEnv({...env, XDG_DATA_HOME: dir})});
}

/** The program itself, with the plugin linked by its own command. */
async function hostLinked(name: string, own: boolean): Promise<Host> {
  const folder = join(dir, name);
  copyPlugin(join(folder, PLUGIN), own);
  const host: Host = (args, env = {}) => regionctl(args, {cwd: dir, env: {...env, XDG_DATA_HOME: join(folder, 'data')}});
  const linked = await host(['plugins', 'link', join(folder, PLUGIN), '--no-install']);
  expect(linked, shown(linked)).toMatchObject({status: 0, stdout: ''});
  return host;
}

function copyPlugin(to: string, own: boolean): void {
  cpSync(join(FIXTURES, 'plugin-hello'), to, {recursive: true});
  if (own) cpSync(join(FIXTURES, 'stale-regionctl'), join(to, 'node_modules/regionctl'), {recursive: true});
}

describe.each([
  ['part of the host, whose kit is none of its own', hostWithin, false],
  ['part of the host, whose kit is a stale copy of its own', hostWithin, true],
  ['linked, whose kit is none of its own', hostLinked, false],
  ['linked, whose kit is a stale copy of its own', hostLinked, true],
] as const)('a plugin that is %s', (name, hosted, own) => {
  let host: Host;
  beforeAll(async () => {
    host = await hosted(name, own);
  });

  it('gets the kit of the host: the same class, flags, errors, exit codes and JSON', async () => {
    const hello = await host(['hello', 'us-east', '--patience', '2s', '--json']);
    expect(hello, shown(hello)).toMatchObject({status: 1, stderr: ''});
    expect(documentOf(hello)).toEqual({region: 'us-east', patienceMs: 2000, sameKit: true});
    const nobody = await host(['hello', 'mars', '--json']);
    expect(errorOf(nobody), shown(nobody)).toMatchObject({code: 'nobody-there', exit: 69, message: 'nobody answers in mars'});
    const wrong = await host(['hello', 'us-east', '--patience', 'soon']);
    expect(wrong, shown(wrong)).toMatchObject({status: 64, stdout: '', stderr: expect.stringContaining('expected a duration')});
  });

  it('gives a probe that the fleet file can name', async () => {
    const health = await host(['health', 'check', '--json']);
    expect(health, shown(health)).toMatchObject({status: 2, stderr: ''});
    const document = documentOf(health) as {regions: {region: string; endpoints: {probe: string; detail: string}[]}[]};
    expectSchema('health-check', document);
    expect(document.regions.map(({endpoints}) => endpoints[0])).toMatchObject([
      {probe: 'echo', verdict: 'healthy', detail: 'echo: la'},
      {probe: 'echo', verdict: 'unhealthy', detail: expect.stringContaining('echo: mi')},
    ]);
  });
});

describe.each([
  ['part of the host', hostWithin, `update or remove the plugin ${PLUGIN}`],
  ['linked', hostLinked, `regionctl plugins unlink ${PLUGIN}`],
] as const)('a plugin that is %s and misbehaves', (name, hosted, remedy) => {
  let host: Host;
  beforeAll(async () => {
    host = await hosted(`misbehaving, ${name}`, false);
  });

  it.each([
    ['throws', 'plugin-failed', 'the licence of hello has run out'],
    ['exits', 'plugin-failed', 'hello is cross'],
    ['hangs', 'plugin-failed', 'could not give its providers'],
    ['never imported', 'plugin-failed', 'could not give its providers'],
    ['nonsense', 'plugin-failed', 'must return a list of providers'],
    ['twice', 'provider-duplicate', 'gives a probe of the kind "echo"'],
    ['builtin', 'provider-duplicate', 'probe of the kind "http", which regionctl itself has'],
  ])('%s: it is named, and the command ends with 69', async (how, code, says) => {
    const began = performance.now();
    const result = await host(['health', 'check', '--json'], {PLUGIN_HELLO: how});
    const error = errorOf(result);
    expect(error, shown(result)).toMatchObject({code, exit: 69});
    expect(error.message).toContain(PLUGIN);
    expect(error.message).toContain(says);
    expect(error.suggestions).toEqual([remedy]);
    expect(performance.now() - began, 'it was waited for').toBeLessThan(15_000);
  });

  it('does not disturb commands that need no provider', async () => {
    const results = await Promise.all(
      [['status', '--help'], ['--help'], ['lab', 'down', '--dir', join(dir, 'none')]].map((args) => host(args, {PLUGIN_HELLO: 'throws'})),
    );
    for (const result of results) {
      expect(result, shown(result)).toMatchObject({status: 0, stderr: ''});
      expectNoTrace(result);
    }
  });
});

import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {noTerminal, Terminal} from '../cli/terminal.ts';
import {sessionOf, writeAtRandom} from './active-active-writers.ts';

const BIN = resolve(import.meta.dirname, '../../bin/regionctl');
const STREAMS = ['us-east', 'eu-west', 'ap'].flatMap((from, _, all) => all.filter((to) => to !== from).map((to) => `${from}>${to}`));

describe('regionctl on a lab in which every region takes writes', () => {
  const parent = mkdtempSync(join(tmpdir(), 'regionctl-peers-cli-'));
  const dir = join(parent, 'lab');
  const run = (...args: string[]) => {
    const env = {...process.env, REGIONCTL_FLEET: join(dir, 'regionctl.yaml')};
    const {status, stdout, stderr} = spawnSync(BIN, args, {encoding: 'utf8', timeout: 60_000, env});
    return {status, stdout, stderr};
  };
  const json = (...args: string[]) => JSON.parse(run(...args, '--json').stdout);
  beforeAll(() => {
    const {status, stderr} = run('lab', 'up', '--mode', 'active-active', '--dir', dir);
    expect([status, stderr]).toEqual([0, '']);
  });
  afterAll(() => {
    run('lab', 'down', '--dir', dir);
    rmSync(parent, {recursive: true, force: true});
  });

  it('refuses two modes at once', () => {
    const {status, stderr} = run('lab', 'up', '--mode', 'active-active', '--async', '--dir', join(parent, 'other'));
    expect([status, stderr]).toEqual([64, expect.stringContaining('contradicts')]);
  });

  it('finds nothing wrong: no split brain, and every check passes', () => {
    expect(run('status')).toMatchObject({status: 0});
    expect(run('health', 'check')).toMatchObject({status: 0});
    const {checks} = json('doctor') as {checks: {verdict: string}[]};
    expect(checks.filter(({verdict}) => verdict !== 'pass')).toEqual([]);
  });

  it('shows the mesh, each stream by both of its ends', () => {
    const {links} = json('replication', 'lag') as {links: {from: string; to: string; kind: string; link: string; state: string}[]};
    expect(links.map(({from, to}) => `${from}>${to}`).toSorted()).toEqual(STREAMS.toSorted());
    for (const {from, to, link, kind} of links) expect([kind, link]).toEqual(['logical', `${from}_to_${to}`.replaceAll('-', '_')]);
    expect(run('replication', 'topology').stdout).toContain('mesh of 3 members  healthy');
  });

  it('has a primary nowhere, so nothing is moved; a region that is well is left only by name', () => {
    for (const [says, ...args] of [
      ['takes writes of its own', 'switchover', 'plan', '--to', 'ap'],
      ['no region is unhealthy', 'failover', 'plan'],
      ['what the fleet file says', 'failback', 'plan', '--to', 'us-east'],
    ])
      expect(run(...args)).toMatchObject({status: 77, stderr: expect.stringContaining(says ?? '')});
    expect(run('failover', 'plan', '--from', 'ap', '--to', 'us-east')).toMatchObject({status: 64, stderr: expect.stringContaining('--to')});
    expect(json('failover', 'plan', '--from', 'ap')).toMatchObject({kind: 'evacuation', from: 'ap', to: null});
  });

  it.skipIf(noTerminal() !== null)('asks for the name of the region that is left, and of the one that is taken back', async () => {
    const asked = async (args: readonly string[], question: string, answer: string) => {
      const terminal = new Terminal(args, {columns: 200, env: {REGIONCTL_FLEET: join(dir, 'regionctl.yaml'), CI: '1'}});
      try {
        await terminal.sees(question);
        terminal.type(`${answer}\r`);
        return await terminal.ended();
      } finally {
        terminal.close();
      }
    };
    const leave = (answer: string) =>
      asked(['failover', 'run', '--from', 'ap'], 'Type the name of the region that will be emptied (ap) to go on: ', answer);
    const back = (answer: string) =>
      asked(['failback', 'run'], 'Type the name of the region that will be given traffic again (ap) to go on: ', answer);
    expect(await leave('us-east')).toMatchObject({status: 77, output: expect.stringContaining('"us-east" is not ap')});
    expect(await leave('')).toMatchObject({status: 77, output: expect.stringContaining('no name was given')});
    expect(json('runs', 'list').runs).toEqual([]);
    expect(run('failover', 'run', '--from', 'ap')).toMatchObject({
      status: 64,
      stderr: expect.stringContaining('this runs an evacuation of ap: say so with --yes'),
    });
    expect(await leave('ap')).toMatchObject({status: 0, restored: true});
    expect(await back('eu-west')).toMatchObject({status: 77});
    expect(await back('ap')).toMatchObject({status: 0, restored: true});
  });

  it('can leave each region for each other one', () => {
    const {pairs} = json('failover', 'ready') as {pairs: {from: string; to: string; ready: boolean; reason: string | null}[]};
    expect(pairs.map(({from, to}) => `${from}>${to}`).toSorted()).toEqual(STREAMS.toSorted());
    expect(pairs.filter(({ready}) => !ready)).toEqual([]);
    expect(run('failover', 'ready').status).toBe(0);
  });

  it('is equal by an audit after conflicting writes, and what was damaged is found', async () => {
    const lab = {
      record: JSON.parse(readFileSync(join(dir, 'lab.json'), 'utf8')),
      secret: (name: string) => readFileSync(join(dir, 'secrets', name), 'utf8'),
    };
    const [east, ap] = [await sessionOf(lab, 'us-east', 'regionctl'), await sessionOf(lab, 'ap', 'regionctl')];
    await Promise.all([east, ap].map((client, seed) => writeAtRandom(client, {writes: 200, keys: 4, seed})));
    await east.query("select like_post('damaged')");
    expect(json('consistency', 'audit')).toMatchObject({verdict: 'equal'});
    await ap.query("set regionctl.repair = on; delete from likes where post = 'damaged'");
    await Promise.all([east.end(), ap.end()]);
    const {tables, verdict} = json('consistency', 'audit') as {verdict: string; tables: {table: string; divergent: {key: string}[]}[]};
    const found = tables.flatMap(({table, divergent}) => divergent.map(({key}) => `${table} ${key}`));
    expect([verdict, found]).toEqual(['diverged', ['public.likes damaged']]);
  });

  it('calls a killed region unhealthy, its streams broken, and the others well', () => {
    expect(run('lab', 'fault', 'kill', 'ap', '--dir', dir).status).toBe(0);
    expect(run('status').status).toBe(2);
    const {links} = json('replication', 'lag') as {links: {from: string; to: string; state: string}[]};
    for (const {from, to, state} of links) expect(state === 'streaming' || state === 'idle').toBe(from !== 'ap' && to !== 'ap');
    expect(run('lab', 'heal', 'ap', '--dir', dir).status).toBe(0);
  });
});

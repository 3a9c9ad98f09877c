import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {deadPort, http, type Listener, listen, speaks} from '../providers/listener.ts';
import {documentOf, expectNoTrace, expectSchema, regionctl, shown} from './program.ts';
import {noTerminal, Terminal} from './terminal.ts';

const SECRET = 'hunter2-hunter2';
const without = noTerminal();
const dir = mkdtempSync(join(tmpdir(), 'regionctl-status-'));
const gone = {name: join(dir, 'gone.yaml'), env: {XDG_DATA_HOME: dir, LAB_PASSWORD: SECRET}};
const listeners: Listener[] = [];
let well = '';
let asked = 0;

/** A fleet of two regions whose servers all refuse. Its secrets are in the environment. */
function goneFleet(name: string, [dead, other]: readonly [number, number], state: string): string {
  const store = `stores:
  orders:
    engine: postgres
    database: orders
    user: regionctl
    replicationUser: replicator
    password: "\${env:LAB_PASSWORD}"
    dataClasses: [orders]
    members:
      us-east: {region: us-east, address: "127.0.0.1:${dead}"}
      eu-west: {region: eu-west, address: "127.0.0.1:${other}"}
dataClasses: {orders: {rpo: 5s}}\n`;
  const endpoint = `endpoints: {app: {probe: http, url: "http://127.0.0.1:${dead}/", timeout: 300ms, headers: {authorization: "\${env:LAB_PASSWORD}"}}}`;
  return `version: 1\nfleet: ${name}\nregions:\n  us-east: {jurisdiction: US, ${endpoint}}\n  eu-west: {jurisdiction: EU, ${endpoint}}\n${store}state: {dir: ${state}}\n`;
}

async function twoDeadPorts(): Promise<readonly [number, number]> {
  const one = await deadPort();
  for (;;) {
    const other = await deadPort();
    if (other !== one) return [one, other];
  }
}

beforeAll(async () => {
  const answer = speaks(http(200, 'fine'));
  listeners.push(
    await listen((socket) => {
      asked += 1;
      answer(socket);
    }),
  );
  well = join(dir, 'well.yaml');
  const app = `{app: {probe: http, url: "http://127.0.0.1:${listeners[0]?.port}/"}}`;
  writeFileSync(well, `version: 1\nfleet: well\nregions:\n  us: {jurisdiction: US, endpoints: ${app}}\nstate: {dir: well-state}\n`);
  writeFileSync(gone.name, goneFleet('gone', await twoDeadPorts(), 'gone-state'));
});
afterAll(async () => {
  await Promise.all(listeners.map((listener) => listener.close()));
  rmSync(dir, {recursive: true, force: true});
});

const status = (file: string, env: NodeJS.ProcessEnv, ...args: readonly string[]) =>
  regionctl(['status', '--fleet', file, ...args], {cwd: dir, env});
const ESCAPE = '\u001B';
const COLOURS = new RegExp(`${ESCAPE}\\[\\d+m`, 'gu');

describe('status with every region gone', () => {
  it('tells of each what is known: from here nothing answers, so nobody is called down', async () => {
    const result = await status(gone.name, gone.env, '--json');
    expect(result.status, shown(result)).toBe(3);
    const document = documentOf(result);
    expectSchema('status', document);
    expect(document).toMatchObject({
      verdict: 'unknown',
      regions: ['us-east', 'eu-west'].map((region) => ({
        region,
        verdict: 'unknown',
        roles: [{role: 'unknown', ageMs: null}],
        loss: [{store: 'orders', bytes: null, certainty: 'unknown', withinRpo: null}],
        ready: [],
        headroom: null,
      })),
      activeRun: null,
    });
    expect(result.stdout).not.toContain(SECRET);
  });

  it.skipIf(without !== null)('fits 80 columns, and without colour its words and signs say everything', async () => {
    for (const [more, colours] of [
      [{}, true],
      [{NO_COLOR: '1'}, false],
      [{TERM: 'dumb'}, false],
    ] as const) {
      const left = await new Terminal(['status', '--fleet', gone.name], {columns: 80, env: {...gone.env, ...more}, cwd: dir}).ended();
      expect(left.output.includes(`${ESCAPE}[3`), left.output).toBe(colours);
      const lines = left.output.replaceAll(COLOURS, '').split(/\r?\n/u);
      for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(80);
      expect(lines.find((line) => line.startsWith('eu-west'))).toMatch(/\? unknown .* \? orders .* \?/);
    }
  });
});

describe('status --cached', () => {
  it('is what was taken last, asks nobody, and needs no secret', async () => {
    const file = join(dir, 'kept.yaml');
    writeFileSync(file, readFileSync(gone.name, 'utf8').replace('fleet: gone', 'fleet: kept').replace('gone-state', 'kept-state'));
    const none = await status(file, {XDG_DATA_HOME: dir}, '--cached');
    expect(none, shown(none)).toMatchObject({status: 3, stderr: expect.stringContaining('no picture of the fleet kept is kept here')});
    expectNoTrace(none);
    const taken = documentOf(await status(file, gone.env, '--json'));
    const refused = await status(file, {XDG_DATA_HOME: dir});
    expect(refused.status, shown(refused)).toBe(78);
    const kept = await status(file, {XDG_DATA_HOME: dir}, '--cached', '--json');
    expect(kept.status, shown(kept)).toBe(3);
    const document = documentOf(kept);
    expectSchema('status', document);
    expect(document).toMatchObject({cached: true, at: taken.at, notes: taken.notes, verdict: 'unknown'});
    const [before, after] = [taken, document].map(({regions}) => (regions as {ageMs: number}[])[0]?.ageMs ?? 0);
    expect(after).toBeGreaterThan(before ?? 0);
  });

  it('loads no provider: one that is not there is nothing to it', async () => {
    const taken = await status(well, {XDG_DATA_HOME: dir});
    expect(taken.status, shown(taken)).toBe(0);
    const before = asked;
    const other = join(dir, 'other.yaml');
    writeFileSync(other, readFileSync(well, 'utf8').replace('probe: http', 'probe: of-a-plugin'));
    const kept = await status(other, {XDG_DATA_HOME: dir}, '--cached');
    expect(kept.status, shown(kept)).toBe(0);
    expect(kept.stdout).toMatch(/^well {2}● healthy {2}\S+ \S+Z, .*: nobody was asked since$/mu);
    expect(kept.stdout).toContain('- the fleet file has changed since');
    expect(asked).toBe(before);
  });

  it('a state that cannot be read is one sentence and exit code 3, and costs status itself nothing', async () => {
    for (const [name, make] of [
      ['a-file', (path: string) => writeFileSync(path, '')],
      ['damaged', (path: string) => [mkdirSync(path), writeFileSync(join(path, 'state.db'), 'x'.repeat(5000))]],
      ['a-folder', (path: string) => mkdirSync(join(path, 'state.db'), {recursive: true})],
    ] as const) {
      make(join(dir, name));
      const file = join(dir, `${name}.yaml`);
      writeFileSync(file, readFileSync(well, 'utf8').replace('well-state', name));
      const kept = await status(file, {XDG_DATA_HOME: dir}, '--cached');
      expect(kept.status, `${name}: ${shown(kept)}`).toBe(3);
      expectNoTrace(kept);
      expect(kept.stderr, name).toMatch(/^Error: .+\n {2}Try: /u);
      const live = await status(file, {XDG_DATA_HOME: dir}, '--json');
      expect(live.status, `${name}: ${shown(live)}`).toBe(0);
      expect(documentOf(live).notes, name).toContainEqual(expect.stringMatching(/^since when is not known: /u));
    }
  });

  it('is what a dashboard kept, too', async () => {
    const file = join(dir, 'dash.yaml');
    writeFileSync(file, readFileSync(well, 'utf8').replace('fleet: well', 'fleet: dash').replace('well-state', 'dash-state'));
    const ended = await regionctl(['dashboard', '--fleet', file, '--for', '3s'], {cwd: dir, env: {XDG_DATA_HOME: dir}});
    expect(ended.status, shown(ended)).toBe(0);
    const kept = await status(file, {}, '--cached', '--json');
    expect(kept.status, shown(kept)).toBe(0);
    expect(documentOf(kept)).toMatchObject({cached: true, fleet: 'dash', regions: [{region: 'us', verdict: 'healthy'}], notes: []});
  });
});

import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {deadPort, http, type Listener, listen, speaks} from '../providers/listener.ts';
import {expectNoTrace, regionctl, shown} from './program.ts';
import {expectCleanTerminal, linesOf, noTerminal, Terminal, terminalSane} from './terminal.ts';

const without = noTerminal();
const dir = mkdtempSync(join(tmpdir(), 'regionctl-dashboard-'));
const fleet = join(dir, 'regionctl.yaml');
const open: Terminal[] = [];
const listeners: Listener[] = [];
const env = {XDG_DATA_HOME: dir};
let isWell = true;

beforeAll(async () => {
  listeners.push(await listen((socket) => speaks(isWell ? http(200, 'fine') : http(500, 'down'))(socket)));
  const dead = await deadPort();
  const endpoint = (name: string, port: number) => `{${name}: {probe: http, url: "http://127.0.0.1:${port}/", timeout: 300ms}}`;
  writeFileSync(
    fleet,
    `version: 1\nfleet: shop\nregions:
  us-east: {jurisdiction: US, endpoints: ${endpoint('app', listeners[0]?.port ?? 0)}}
  eu-west: {jurisdiction: EU, endpoints: ${endpoint('app', dead)}}
health: {interval: 500ms}\nstate: {dir: state}\n`,
  );
});
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});
afterAll(async () => {
  await Promise.all(listeners.map((listener) => listener.close()));
  rmSync(dir, {recursive: true, force: true});
});

function dashboard(columns: number, rows: number, more: NodeJS.ProcessEnv = {}, ...args: readonly string[]): Terminal {
  const one = new Terminal(['dashboard', '--fleet', fleet, ...args], {columns, rows, env: {...env, ...more}, cwd: dir});
  open.push(one);
  return one;
}

describe.skipIf(without !== null)(`the dashboard in a terminal${without === null ? '' : `: ${without}`}`, () => {
  it.each([
    [80, 24],
    [300, 80],
  ])('shows the regions at %i x %i, and ends with q, its summary and the exit code of the verdict', async (columns, rows) => {
    const one = dashboard(columns, rows);
    await one.sees('✗ unhealthy');
    one.type('q');
    const left = await one.ended();
    expect(left.status, left.output.slice(-500)).toBe(2);
    expectCleanTerminal(left, columns);
    const frame = linesOf(left.output, 'q quit').join('\n');
    for (const text of ['shop', '2 regions', 'us-east', 'eu-west', '[1 regions]']) expect(frame).toContain(text);
  });

  it('obeys its keys, and a window that gets another size', async () => {
    const one = dashboard(80, 24);
    await one.sees('✗ unhealthy');
    one.type('3');
    await one.sees('eu-west/app');
    one.type('\t');
    await one.sees('no run yet');
    one.type('1/eu\r');
    await one.sees('/eu: 1 of 2');
    one.type('\r');
    await one.sees('Endpoints');
    one.type('\u001B');
    one.resize(120, 60);
    one.type('?');
    await one.sees('the next list');
    one.type('xq');
    const left = await one.ended();
    expectCleanTerminal(left, 120);
    expect(left.output, 'read-only').not.toContain('on a region: switch over');
  });

  it.each([
    ['Ctrl+C', (one: Terminal) => one.type('\u0003')],
    ['SIGINT', (one: Terminal) => one.signal('SIGINT')],
    ['SIGTERM', (one: Terminal) => one.signal('SIGTERM')],
    ['SIGHUP', (one: Terminal) => one.signal('SIGHUP')],
  ])('%s gives the terminal back', async (_, interrupt) => {
    const one = dashboard(80, 24);
    await one.sees('✗ unhealthy');
    interrupt(one);
    const left = await one.ended();
    expect(left.status, left.output.slice(-500)).toBe(2);
    expectCleanTerminal(left, 80);
  });

  it('a crash gives the terminal back before anything is told of it', async () => {
    const crash = 'data:text/javascript,setTimeout(()=>{throw%20new%20Error("boom")},2500)';
    const one = dashboard(80, 24, {NODE_OPTIONS: `--import=${crash}`});
    const left = await one.ended();
    expect(left.status).toBe(1);
    expect(left.restored).toBe(true);
    expect(left.output).toContain('✗ unhealthy');
    expect(terminalSane(left.output.slice(0, left.output.indexOf('Error: boom')))).toBe(true);
  });

  it('an action is the command itself; the dashboard comes back afterwards, and ends at a signal while it waits for that', async () => {
    const one = dashboard(80, 60, {}, '--allow-actions');
    await one.sees('✗ unhealthy');
    one.type('?');
    await one.sees('on a region: switch over to it');
    one.type('?S');
    await one.when(() => linesOf(one.output).some((line) => line.includes('region  verdict')), 'the help was not closed');
    expect(one.output, 'what is pasted starts nothing').not.toContain('Enter: back');
    one.type('S');
    await one.sees('Enter: back to the dashboard');
    expect(terminalSane(one.output), 'the command has the terminal as it was').toBe(true);
    expect(one.output, 'it is refused in the words of the command').toContain('Error: no primary of any store');
    const before = one.output.length;
    one.type('\r');
    await one.when(() => one.output.slice(before).includes('✗ unhealthy'), 'the dashboard did not come back');
    one.type('S');
    await one.when(() => one.output.slice(before).includes('Enter: back to the dashboard'), 'the command did not run');
    one.signal('SIGHUP');
    const left = await one.ended();
    expect(left.status, left.output.slice(-500)).toBe(2);
    expect(left.restored).toBe(true);
  });

  it('goes on while another process has the state locked', async () => {
    const one = dashboard(200, 40);
    await one.sees('✗ unhealthy');
    const other = new DatabaseSync(join(dir, 'state/state.db'), {timeout: 5000});
    other.exec('BEGIN IMMEDIATE');
    let [longest, drawn, size] = [0, performance.now(), one.output.length];
    try {
      isWell = false;
      await one.when(() => {
        const now = performance.now();
        longest = Math.max(longest, now - drawn);
        if (one.output.length > size) [drawn, size] = [now, one.output.length];
        return linesOf(one.output).some((line) => line.includes('locked by another process'));
      }, 'it does not say that the state is locked');
    } finally {
      isWell = true;
      other.close();
    }
    // A command that acts waits for five seconds.
    expect(longest).toBeLessThan(3000);
    one.type('q');
    expectCleanTerminal(await one.ended(), 200);
  });

  it('TERM=dumb and CI get lines', async () => {
    for (const more of [{TERM: 'dumb'}, {CI: '1'}]) {
      const left = await dashboard(80, 24, more, '--for', '3s').ended();
      expect(left.status).toBe(2);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what is looked for
      expect(left.output).not.toMatch(/\u001B\[\?/u);
      expect(left.output).toMatch(/Z {2}eu-west unhealthy: app: /u);
    }
  });

  it.each([
    ['dashboard', ['dashboard']],
    ['health watch', ['health', 'watch']],
  ])('%s reads out only what changes, where a screen reader is used', async (_, command) => {
    const one = new Terminal([...command, '--fleet', fleet, '--for', '4s'], {
      columns: 80,
      env: {...env, INK_SCREEN_READER: 'true', NO_COLOR: '1'},
      cwd: dir,
    });
    open.push(one);
    const left = await one.ended();
    expect(left.status, left.output).toBe(2);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what is looked for
    expect(left.output, 'nothing is drawn, nor taken back').not.toMatch(/\u001B/u);
    expect(left.output).toMatch(/^For a screen reader \(INK_SCREEN_READER\): /u);
    expect(left.output.match(/us-east/gu), 'what does not change is said once').toHaveLength(1);
    expect(left.output).toMatch(/eu-west.* unhealthy: app: /u);
  });

  it('NO_COLOR leaves the words', async () => {
    const one = dashboard(80, 24, {NO_COLOR: '1'});
    await one.sees('✗ unhealthy');
    one.type('q');
    const left = await one.ended();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
    expect(left.output).not.toMatch(/\u001B\[(3[0-7]|9[0-7]|1|2|7)m/u);
  });
});

describe('the dashboard without a terminal', () => {
  it('prints how each region stands, as lines or as JSON, until the time is over', async () => {
    const lines = await regionctl(['dashboard', '--fleet', fleet, '--for', '2s'], {cwd: dir, env});
    expect(lines.status, shown(lines)).toBe(2);
    expect(lines.stdout).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}us-east healthy: /mu);
    const json = await regionctl(['dashboard', '--fleet', fleet, '--for', '2s', '--format', 'ndjson'], {cwd: dir, env});
    const events = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as {type: string; region?: string});
    expect(events).toContainEqual(expect.objectContaining({type: 'region', region: 'us-east', verdict: 'healthy'}));
  });

  it('refuses an interval that is too short', async () => {
    const result = await regionctl(['dashboard', '--fleet', fleet, '--interval', '10ms'], {cwd: dir, env});
    expect(result.status, shown(result)).toBe(64);
    expectNoTrace(result);
  });
});

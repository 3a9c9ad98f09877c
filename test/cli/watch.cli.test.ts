import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {deadPort, http, type Listener, listen, speaks} from '../providers/listener.ts';
import {documentOf, expectNoTrace, regionctl, shown} from './program.ts';
import {expectCleanTerminal, linesOf, noTerminal, Terminal} from './terminal.ts';

const without = noTerminal();
const dir = mkdtempSync(join(tmpdir(), 'regionctl-watch-'));
const fleet = join(dir, 'regionctl.yaml');
const open: Terminal[] = [];
const listeners: Listener[] = [];
const env = {XDG_DATA_HOME: dir};

beforeAll(async () => {
  for (let each = 0; each < 3; each += 1) listeners.push(await listen(speaks(http(200, 'fine'))));
  const silent = await listen(() => {});
  listeners.push(silent);
  const dead = await deadPort();
  const endpoint = (name: string, port: number, more = '') =>
    `      ${name}: {probe: http, url: "http://127.0.0.1:${port}/", timeout: 300ms${more}}\n`;
  const many = Array.from({length: 300}, (_, index) =>
    endpoint(`svc-${String(index).padStart(3, '0')}`, listeners[index % 3]?.port ?? 0),
  ).join('');
  writeFileSync(
    fleet,
    `version: 1\nfleet: shop\nregions:
  us-east:\n    jurisdiction: US\n    endpoints:\n${many}
  eu-west:\n    jurisdiction: EU\n    endpoints:\n${endpoint('app', dead, ', critical: true')}${endpoint('slow', silent.port)}
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

function watch(columns: number, rows: number, more: NodeJS.ProcessEnv = {}, ...args: readonly string[]): Terminal {
  const one = new Terminal(['health', 'watch', '--fleet', fleet, ...args], {columns, rows, env: {...env, ...more}, cwd: dir});
  open.push(one);
  return one;
}

/** The last line of the sizes' frames: the footer. */
const FOOTER = 'q quit';

describe.skipIf(without !== null)(`health watch in a terminal${without === null ? '' : `: ${without}`}`, () => {
  it.each([
    [80, 24],
    [200, 50],
  ])('shows regions and endpoints at %i x %i, and ends with q, its summary and the exit code of the verdict', async (columns, rows) => {
    const one = watch(columns, rows);
    await one.sees('✗ unhealthy');
    one.type('q');
    const left = await one.ended();
    expect(left.status, left.output.slice(-500)).toBe(2);
    expectCleanTerminal(left, columns);
    const frame = linesOf(left.output, FOOTER).join('\n');
    for (const text of ['shop', '302 endpoints', 'us-east', 'eu-west', 'us-east/svc-000', 'more']) expect(frame).toContain(text);
    const after = left.output.slice(left.output.lastIndexOf('\u001B[?1049l'));
    expect(after).toMatch(/us-east.*healthy[\s\S]*eu-west.*unhealthy/u);
  });

  it('obeys its keys, and a window that gets another size', async () => {
    const one = watch(80, 24);
    await one.sees('✗ unhealthy');
    one.type('/app\r');
    await one.sees('/app: 1 of 302');
    one.type('\r');
    await one.sees('of the last');
    one.type('\u001B');
    one.resize(120, 30);
    await one.sees('probe  ');
    one.type('?');
    await one.sees('these keys');
    one.type('x');
    one.type('q');
    const left = await one.ended();
    expectCleanTerminal(left, 120);
    expect(linesOf(left.output, 'of the last').join('\n')).toMatch(/eu-west\/app {2}unhealthy/u);
  });

  it('draws few bytes a frame: what did not change is not sent again', async () => {
    const one = watch(80, 24);
    await one.sees('✗ unhealthy');
    const before = one.output.length;
    const frames = () => one.output.slice(before).split('\u001B[?2026l').length - 1;
    await one.when(() => frames() >= 8);
    const bytes = (one.output.length - before) / frames();
    // A whole screen is 80 times 24, and more with its colours.
    expect(bytes, `${Math.round(bytes)} bytes a frame`).toBeLessThan(2600);
    one.type('q');
    await one.ended();
  });

  it.each([
    ['Ctrl+C', (one: Terminal) => one.type('\u0003'), 2],
    ['SIGINT', (one: Terminal) => one.signal('SIGINT'), 2],
    ['SIGTERM', (one: Terminal) => one.signal('SIGTERM'), 2],
  ])('%s gives the terminal back', async (_, interrupt, status) => {
    const one = watch(80, 24);
    await one.sees('✗ unhealthy');
    interrupt(one);
    const left = await one.ended();
    expect(left.status, left.output.slice(-500)).toBe(status);
    expectCleanTerminal(left, 80);
  });

  it('TERM=dumb and CI get lines', async () => {
    for (const more of [{TERM: 'dumb'}, {CI: '1'}]) {
      const left = await watch(80, 24, more, '--for', '3s').ended();
      expect(left.status).toBe(2);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what is looked for
      expect(left.output).not.toMatch(/\u001B\[\?/u);
      expect(left.output).toMatch(/Z {2}eu-west {2}unhealthy: app: /u);
    }
  });

  it('NO_COLOR leaves the words', async () => {
    const one = watch(80, 24, {NO_COLOR: '1'});
    await one.sees('✗ unhealthy');
    one.type('q');
    const left = await one.ended();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
    expect(left.output).not.toMatch(/\u001B\[(3[0-7]|9[0-7]|1|2|7)m/u);
    expect(left.output).toContain('✗ eu-west');
  });
});

describe('health watch without a terminal', () => {
  it('prints how each region stands, as lines or as JSON, until the time is over', async () => {
    const lines = await regionctl(['health', 'watch', '--fleet', fleet, '--for', '2s'], {cwd: dir, env});
    expect(lines, shown(lines)).toMatchObject({status: 2, stderr: ''});
    expect(lines.stdout).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}us-east {2}healthy: 300 endpoints healthy$/mu);
    const json = await regionctl(['health', 'watch', '--fleet', fleet, '--for', '2s', '--format', 'ndjson', '--region', 'us-east'], {
      cwd: dir,
      env,
    });
    expect(json.status, shown(json)).toBe(0);
    expect(documentOf(json)).toMatchObject({type: 'region', region: 'us-east', verdict: 'healthy', code: 'ok'});
  });

  it('names what is wrong', async () => {
    const unknown = await regionctl(['health', 'watch', '--fleet', fleet, '--region', 'mars'], {cwd: dir, env});
    expect(unknown.status, shown(unknown)).toBe(64);
    expectNoTrace(unknown);
  });

  it('goes on where its state cannot be kept', async () => {
    const file = join(dir, 'no-state.yaml');
    writeFileSync(
      file,
      `version: 1\nfleet: shop\nregions:\n  us: {jurisdiction: US, endpoints: {app: {probe: http, url: "http://127.0.0.1:${listeners[0]?.port}/"}}}\nstate: {dir: /dev/null/state}\n`,
    );
    const result = await regionctl(['health', 'watch', '--fleet', file, '--for', '1s'], {cwd: dir, env});
    expect(result.status, shown(result)).toBe(0);
    expect(result.stderr).toContain('what is seen is not kept');
    expect(result.stdout).toContain('us  healthy');
  });
});

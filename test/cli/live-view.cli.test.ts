import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {CliLab} from './cli-lab.ts';
import {shown} from './program.ts';
import {everyLine, expectCleanTerminal, linesOf, noTerminal, Terminal} from './terminal.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const QUICK = ['drill', 'run', join(FIXTURES, 'quick-drill.yaml')];
const SLOW = ['drill', 'run', join(FIXTURES, 'slow-drill.yaml')];
const FAILBACK = ['failback', 'run'];
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what is looked for
const ESCAPE = /\u001B/u;
const lab = new CliLab();
const without = noTerminal();
const open: Terminal[] = [];

const terminal = (args: readonly string[], columns = 80, rows = 24, env: NodeJS.ProcessEnv = {}) => {
  const one = new Terminal(args, {columns, rows, env: {...lab.env, ...env}, cwd: lab.parent});
  open.push(one);
  return one;
};

beforeAll(async () => {
  const result = await lab.up();
  expect(result.status, shown(result)).toBe(0);
});
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});
afterAll(() => lab.down());

/** Brings the region that a drill has broken back, and the traffic home. */
async function goHome(): Promise<void> {
  await lab.document(['lab', 'heal', 'us-east']);
  await lab.document([...FAILBACK, '--yes']);
}

describe.skipIf(without !== null)(`a run in a terminal${without === null ? '' : `: ${without}`}`, () => {
  it('drill run in 80x24 shows regions, steps and the gap, and leaves its last frame', async () => {
    const drill = terminal([...QUICK, '--yes'], 80, 24);
    const left = await drill.ended();
    expect([0, 1], left.output).toContain(left.status);
    expectCleanTerminal(left, 80);
    const middle = linesOf(left.output, 'since the last acknowledged write');
    for (const text of ['us-east', 'eu-west', 'ap', 'front-door', '✓', ' acknowledged', 'q or Ctrl+C: stop'])
      expect(middle.join('\n')).toContain(text);
    expect(middle.length, 'the view must not fill the terminal: what scrolls cannot be drawn again').toBeLessThan(24);
    const end = linesOf(left.output).join('\n');
    expect(end, 'the last frame stays').toContain('longest write gap');
    expect(end, 'and the report follows').toMatch(/passed/u);
  });

  it('failback run in 120x40', async () => {
    await lab.document(['lab', 'heal', 'us-east']);
    const left = await terminal([...FAILBACK, '--yes'], 120, 40).ended();
    expect(left.status, left.output).toBe(0);
    expectCleanTerminal(left, 120);
    expect(linesOf(left.output).join('\n')).toMatch(/succeeded/u);
  });

  it.each([
    ['q', (one: Terminal) => one.type('q')],
    ['Ctrl+C', (one: Terminal) => one.type('\u0003')],
    ['SIGINT', (one: Terminal) => one.signal('SIGINT')],
    ['SIGTERM', (one: Terminal) => one.signal('SIGTERM')],
    // Here the terminal itself makes a signal of the key, for every process that runs in it: it must count once.
    ['Ctrl+C at plain lines', (one: Terminal) => one.type('\u0003'), 'dumb'],
  ])('%s in the middle of a run ends it, cleans up, and gives the terminal back', async (_, interrupt, TERM = 'xterm') => {
    const drill = terminal([...SLOW, '--yes'], 80, 24, {TERM});
    await drill.sees(TERM === 'dumb' ? '▶ write a numbered order' : 'acknowledged');
    interrupt(drill);
    const left = await drill.ended();
    expect(left.status, left.output).toBe(130);
    expectCleanTerminal(left, 80);
    // Not `left`, the code of a second interruption; and what always runs did run.
    const run = await lab.document(['runs', 'show', 'last']);
    expect(run).toMatchObject({outcome: 'interrupted', code: 'interrupted', endedAt: expect.any(String)});
    const always = (run.steps as {action: string; status: string}[]).filter(({action}) => /^(witness\.stop|store\.release)$/u.test(action));
    expect(always.map(({status}) => status)).toContain('done');
    expect(await lab.document(['lab', 'status'])).toMatchObject({faults: []});
  });

  it('shows other steps and its keys while the run goes on, and leaves the steps as its record', async () => {
    const drill = terminal([...SLOW, '--yes']);
    await drill.sees('acknowledged');
    drill.type('G');
    await drill.sees('release the claim on orders');
    await drill.sees('Esc follow');
    drill.type('?');
    await drill.sees('follow the one that runs');
    drill.type('q');
    const left = await drill.ended();
    expect(left.status, left.output).toBe(130);
    expectCleanTerminal(left, 80);
    // The view never leaves the screen: its last frame stands above the report.
    const record = linesOf(left.output).join('\n');
    expect(record).toMatch(/✓ heal +release the claim on orders/u);
    expect(record).not.toContain('follow the one that runs');
  });

  it('is lines, in words and whole, for a screen reader', async () => {
    const drill = terminal([...SLOW, '--yes'], 80, 24, {INK_SCREEN_READER: 'true', NO_COLOR: '1'});
    await drill.sees('started: write a numbered order');
    drill.type('\u0003');
    const left = await drill.ended();
    expect(left.status, left.output).toBe(130);
    expect(left.restored).toBe(true);
    expect(left.output, 'nothing is drawn, taken back or coloured').not.toMatch(ESCAPE);
    expect(left.output).toMatch(/^\d+\.\d s {2}done: see that the fleet is in its steady state/mu);
    expect(left.output).toMatch(/^\d+\.\d s {2}ended: interrupted/mu);
  });

  it('kill -9 in the middle of a run: the next command knows that it was interrupted', async () => {
    const drill = terminal([...SLOW, '--yes']);
    await drill.sees('acknowledged');
    drill.signal('SIGKILL');
    expect(await drill.ended()).toMatchObject({signal: 9});
    const resumed = await lab.run('runs', 'show', 'last', '--json');
    expect(JSON.parse(resumed.stdout), shown(resumed)).toMatchObject({outcome: 'interrupted'});
  });
});

describe.skipIf(without !== null)('being asked', () => {
  it.each([
    ['the wrong name', 'eu-west\r', 77],
    ['an empty answer', '\r', 77],
    ['the end of input', '\u0004', 77],
    ['Ctrl+C', '\u0003', 130],
  ])('%s: nothing is done', async (_, typed, status) => {
    const before = await lab.document(['runs', 'list']);
    const drill = terminal(QUICK);
    await drill.sees('to go on: ');
    drill.type(typed);
    const left = await drill.ended();
    expect(left.status, left.output).toBe(status);
    expectCleanTerminal(left, 80);
    expect(await lab.document(['runs', 'list'])).toEqual(before);
  });

  it('the right name goes on, and TERM=dumb gets lines', async () => {
    const drill = terminal(QUICK, 80, 24, {TERM: 'dumb'});
    await drill.sees('to go on: ');
    drill.type('us-east\r');
    const left = await drill.ended();
    expect([0, 1], left.output).toContain(left.status);
    expect(left.output).not.toMatch(ESCAPE);
    expectCleanTerminal(left, 80);
    expect(left.output).toMatch(/\d\.\d s {2}✓ /u);
    await lab.document(['lab', 'heal', 'us-east']);
  });

  it('CI=1 gets lines, too', async () => {
    const left = await terminal([...FAILBACK, '--yes'], 80, 24, {CI: '1'}).ended();
    expect(left.status, left.output).toBe(0);
    expect(everyLine(left.output).join('\n')).toMatch(/\d\.\d s {2}✓ /u);
    expect(left.output).not.toContain('\u001B[?25l');
    expectCleanTerminal(left, 80);
  });
});

describe('without a terminal', () => {
  it('tells each step in a line on stderr, and prints the report on stdout', async () => {
    const drill = await lab.run(...QUICK, '--yes');
    expect([0, 1], shown(drill)).toContain(drill.status);
    expect(`${drill.stdout}${drill.stderr}`).not.toMatch(ESCAPE);
    const lines = drill.stderr.trimEnd().split('\n');
    expect(lines.length, drill.stderr).toBeGreaterThan(10);
    for (const line of lines) expect(line).toMatch(/^ *\d+\.\d s {2}\S /u);
    expect(drill.stdout).toMatch(/passed/u);
    await goHome();
  });

  it('does not wait for an answer that cannot come', async () => {
    const drill = await lab.run(...QUICK);
    expect(drill, shown(drill)).toMatchObject({status: 64, stdout: '', stderr: expect.stringContaining('--yes')});
  });
});

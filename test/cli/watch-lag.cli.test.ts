import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {CliLab} from './cli-lab.ts';
import {documentOf, expectNoTrace, shown} from './program.ts';
import {expectCleanTerminal, linesOf, noTerminal, Terminal} from './terminal.ts';

const lab = new CliLab();
const without = noTerminal();
const open: Terminal[] = [];
const WATCH = ['replication', 'lag', '--watch'];

function watch(columns: number, rows: number, more: NodeJS.ProcessEnv = {}, ...args: readonly string[]): Terminal {
  const one = new Terminal([...WATCH, ...args], {columns, rows, env: {...lab.env, ...more}, cwd: lab.parent});
  open.push(one);
  return one;
}

/** Until the reading of a healthy lab says so: it may have just been healed. */
async function isWell(fleet = lab.fleetFile): Promise<void> {
  for (let each = 0; each < 60; each += 1) {
    const {status, stdout} = await lab.run('replication', 'lag', '--json', '--fleet', fleet);
    if (status === 0 && (JSON.parse(stdout) as {links: unknown[]}).links.length === 2) return;
  }
  throw new Error(shown(await lab.run('replication', 'lag')));
}

const ndjsonOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

beforeAll(async () => {
  const result = await lab.up();
  expect(result.status, shown(result)).toBe(0);
  await isWell();
});
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});
afterAll(() => lab.down());

describe.skipIf(without !== null)(`replication lag --watch in a terminal${without === null ? '' : `: ${without}`}`, () => {
  it.each([
    [80, 24, ['p95']],
    [200, 50, ['p50', 'p95', 'p99', 'runway']],
  ])('shows the links of a healthy lab at %i x %i, and ends with q and its summary', async (columns, rows, titles) => {
    const one = watch(columns, rows);
    await one.sees('us-east → ap');
    one.type('q');
    const left = await one.ended();
    expect(left.status, left.output.slice(-500)).toBe(0);
    expectCleanTerminal(left, columns);
    const frame = linesOf(left.output, 'q quit').join('\n');
    for (const text of ['lab', '2 links', '▸', 'behind', 'replay', 'age', ...titles]) expect(frame).toContain(text);
    expect(frame).toMatch(/[●○] orders us-east → eu-west +(streaming|idle) +0 ms +0 B/u);
    const after = left.output.slice(left.output.lastIndexOf('\u001B[?1049l'));
    expect(after).toMatch(/replication lag at [\s\S]*us-east → eu-west[\s\S]*us-east → ap/u);
  });

  it('obeys its keys, and a window that gets another size', async () => {
    const one = watch(80, 24, {}, '--window', '10m');
    await one.sees('us-east → ap');
    one.type('/→ ap\r');
    await one.sees('/→ ap: 1 of 2');
    one.type('\r');
    await one.sees('heard upstream');
    one.type('\u001B');
    // A key right behind Esc would be one with Alt.
    await one.when(() => linesOf(one.output).some((line) => line.includes('Enter open')), 'Esc did not lead back');
    one.resize(160, 30);
    await one.when(() => linesOf(one.output).some((line) => /p95.*p99|p99.*p95/u.test(line)), 'the new size was not used');
    one.type('s');
    await one.when(() => linesOf(one.output).some((line) => line.includes('sorted: worst')), 'it was not sorted');
    one.type('?');
    await one.sees('these keys');
    one.type('q');
    const left = await one.ended();
    expect(left.status, left.output.slice(-500)).toBe(0);
    expectCleanTerminal(left, 160);
    const detail = linesOf(left.output, 'heard upstream').join('\n');
    expect(detail).toMatch(/orders us-east → ap {2}(streaming|idle)/u);
    expect(detail).toContain('(10 min)');
  });

  it.each([
    ['Ctrl+C', (one: Terminal) => one.type('\u0003')],
    ['SIGINT', (one: Terminal) => one.signal('SIGINT')],
    ['SIGTERM', (one: Terminal) => one.signal('SIGTERM')],
    ['SIGHUP', (one: Terminal) => one.signal('SIGHUP')],
  ])('%s gives the terminal back', async (_, interrupt) => {
    const one = watch(80, 24);
    await one.sees('us-east → ap');
    interrupt(one);
    const left = await one.ended();
    expect(left.status, left.output.slice(-500)).toBe(0);
    expectCleanTerminal(left, 80);
  });

  it('TERM=dumb and CI get lines', async () => {
    for (const more of [{TERM: 'dumb'}, {CI: '1'}]) {
      const left = await watch(80, 24, more, '--for', '1s').ended();
      expect(left.status, left.output).toBe(0);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what is looked for
      expect(left.output).not.toMatch(/\u001B\[\?/u);
      expect(left.output).toMatch(/Z {2}orders us-east → ap {2}(streaming|idle), 0 ms behind, 0 B to replay: /u);
    }
  });
});

describe('replication lag --watch while a region is lost', () => {
  afterAll(async () => {
    await lab.document(['lab', 'heal', 'eu-west']);
    await isWell();
  });

  it('prints each link once, and then the change, as lines and as JSON', async () => {
    const lines = lab.run(...WATCH, '--for', '12s', '--interval', '300ms');
    const json = lab.run(...WATCH, '--for', '12s', '--interval', '300ms', '--format', 'ndjson');
    await new Promise((resolve) => setTimeout(resolve, 4000));
    await lab.document(['lab', 'fault', 'lose', 'eu-west', '--lease', '5m']);
    const [text, parsed] = [await lines, await json];
    expect(text, shown(text)).toMatchObject({status: 2, stderr: ''});
    expect(text.stdout).toMatch(
      /^\S+ \S+Z {2}orders us-east → eu-west {2}(streaming|idle), 0 ms behind, 0 B to replay: eu-west has everything/mu,
    );
    expect(text.stdout).toMatch(/^\S+ \S+Z {2}orders us-east → eu-west {2}\S+ → broken: .*\.$/mu);
    expect(parsed.status, shown(parsed)).toBe(2);
    const events = ndjsonOf(parsed.stdout);
    const ofEu = events.filter(({to}) => to === 'eu-west');
    expect(ofEu[0]).toMatchObject({type: 'link', fleet: 'lab', store: 'orders', breaker: {state: 'closed'}, percentiles: {unseen: 0}});
    expect(ofEu.filter(({type}) => type === 'link')).toHaveLength(1);
    expect(ofEu.find(({state}) => state === 'broken')).toMatchObject({
      type: 'change',
      breaker: expect.any(String),
      reason: expect.any(String),
    });
  });

  it.skipIf(without !== null)('draws it with its reason, without colour where there is none', async () => {
    const one = watch(80, 24, {NO_COLOR: '1'});
    await one.sees('✗ broken');
    await one.sees(/✗ orders us-east → eu-west: /u);
    one.type('q');
    const left = await one.ended();
    expect(left.status, left.output.slice(-500)).toBe(2);
    expectCleanTerminal(left, 80);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
    expect(left.output).not.toMatch(/\u001B\[(3[0-7]|9[0-7]|1|2|7)m/u);
  });
});

describe('replication lag --drain', () => {
  const file = join(lab.dir, 'drain.yaml');
  const drains = ['--drain', '--fleet', file];
  const heldOff = async () => (await lab.document(['replication', 'lag', '--fleet', file], 0, 1, 2)).drains as Record<string, unknown>[];
  const weights = async (): Promise<unknown> =>
    ((await (await fetch(control('front-door'), {headers: {authorization: authorization()}})).json()) as {weights: unknown}).weights;
  const control = (route: string) => `${/routes:[\s\S]*?control: (\S+)/u.exec(readFileSync(lab.fleetFile, 'utf8'))?.[1]}/routes/${route}`;
  const authorization = () => `Bearer ${readFileSync(join(lab.dir, 'secrets/control'), 'utf8').trim()}`;
  beforeAll(async () => {
    const limits = '    breaker: {warn: 1s, open: 2s, readmit: 1s, drain: {routes: [front-door]}}';
    writeFileSync(file, readFileSync(lab.fleetFile, 'utf8').replace(/^ {4}breaker:.*$/mu, limits));
    const headers = {authorization: authorization(), 'content-type': 'application/json'};
    const body = JSON.stringify({weights: {'us-east': 40, 'eu-west': 30, ap: 30}});
    expect((await fetch(control('front-door'), {method: 'PUT', headers, body})).status).toBe(200);
  });
  afterAll(async () => {
    await lab.document(['lab', 'heal', 'ap']);
    await isWell(file);
  });

  it('holds reads off a region whose links are cut, and gives them back to it by a second command once they are well', async () => {
    await lab.document(['lab', 'fault', 'partition', 'ap', '--from', 'us-east', '--lease', '5m']);
    const live = await lab.run(...WATCH, ...drains, '--for', '8s', '--interval', '300ms', '--format', 'ndjson');
    expect(live.status, shown(live)).toBe(2);
    const told = ndjsonOf(live.stdout).filter(({type}) => type === 'drain');
    expect(told, shown(live)).toMatchObject([
      {route: 'front-door', region: 'ap', what: 'held', weight: 30, reason: expect.stringContaining('us-east → ap')},
    ]);
    expect(await weights()).toEqual({'us-east': 40, 'eu-west': 30, ap: 0});
    expect(await heldOff()).toMatchObject([{route: 'front-door', region: 'ap', weight: 30, run: told[0]?.run}]);
    const shownRun = await lab.document(['runs', 'show', String(told[0]?.run), '--fleet', file]);
    expect(shownRun).toMatchObject({kind: 'shift', from: 'ap', outcome: 'succeeded'});
    await lab.document(['lab', 'heal', 'ap']);
    await isWell(file);
    const back = await lab.run(...WATCH, ...drains, '--for', '3s', '--interval', '300ms', '--format', 'text');
    expect(back.status, shown(back)).toBe(0);
    expect(back.stdout).toMatch(/^\S+ \S+Z {2}front-door {2}ap has its 30 back \(run shift-\S+\): orders us-east → ap can be relied on$/mu);
    expect(await weights()).toEqual({'us-east': 40, 'eu-west': 30, ap: 30});
    expect(await heldOff()).toEqual([]);
  });

  it('is an error of usage where no store names a route, and with --store', async () => {
    for (const [args, says] of [
      [['--drain'], 'stores.NAME.breaker.drain'],
      [['--watch', '--drain'], 'stores.NAME.breaker.drain'],
      [[...drains, '--store', 'orders'], 'leave --store out'],
    ] as const) {
      const result = await lab.run('replication', 'lag', ...args);
      expect(result.status, shown(result)).toBe(64);
      expect(`${result.stdout}${result.stderr}`).toContain(says);
      expectNoTrace(result);
    }
  });
});

describe('replication lag --watch', () => {
  it.each([
    [['--watch', '--json'], '--format ndjson'],
    [['--watch', '--interval', '20ms'], '--interval must be at least 100ms'],
    [['--for', '1s'], '--watch'],
    [['--format', 'text'], '--watch'],
    [['--watch', '--store', 'carts'], 'carts'],
  ])('%j is an error of usage that says what to do', async (args, says) => {
    const result = await lab.run('replication', 'lag', ...args);
    expect(result.status, shown(result)).toBe(64);
    expect(`${result.stdout}${result.stderr}`).toContain(says);
    expectNoTrace(result);
  });

  it('goes on where its state cannot be kept, and says so', async () => {
    const file = join(lab.dir, 'no-state.yaml');
    writeFileSync(file, readFileSync(lab.fleetFile, 'utf8').replace(/^state:.*$/mu, 'state: {dir: /dev/null/state}'));
    const result = await lab.run(...WATCH, '--fleet', file, '--for', '2s');
    expect(result.status, shown(result)).toBe(0);
    expect(result.stderr).toContain('what is seen is not kept');
    expect(result.stdout).toContain('orders us-east → ap');
  });

  it('leaves the plain command its one document', async () => {
    const result = await lab.run('replication', 'lag', '--store', 'orders', '--json');
    expect(result.status, shown(result)).toBe(0);
    expect((documentOf(result).links as unknown[]).length).toBe(2);
  });
});

import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {unavailable} from '../../src/lib/errors.ts';
import type {GeneratorSpec, StartGenerator} from '../../src/lib/ports/generator.ts';
import {startExecLoad} from '../../src/lib/witness/load-exec.ts';
import {loadFigures} from '../../src/lib/witness/load-figures.ts';
import {readLoadLog} from '../../src/lib/witness/load-log.ts';
import {type FakeClock, fakeClock} from '../run/fake-clock.ts';

let dir: string;
let clock: FakeClock;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'load-exec-'));
  clock = fakeClock({auto: false});
});
afterEach(() => rm(dir, {recursive: true}));

/** A generator of which the test says what it prints, and when it ends. */
function scripted() {
  const ended = Promise.withResolvers<string>();
  const seen: {spec: GeneratorSpec | null; stopped: number} = {spec: null, stopped: 0};
  const start: StartGenerator = async (spec) => {
    seen.spec = spec;
    return {
      ended: ended.promise,
      stop: async () => {
        seen.stopped += 1;
        ended.resolve('gen ended with SIGTERM');
      },
    };
  };
  return {start, seen, end: ended.resolve, print: (line: string) => seen.spec?.onLine(line)};
}

const begin = (start: StartGenerator, signal = new AbortController().signal) =>
  startExecLoad({
    command: ['/opt/bin/gen', '--token=s3cret'],
    cwd: null,
    env: {REGIONCTL_RUN: 'run-1'},
    timeoutMs: 1000,
    logFile: join(dir, 'x.load.ndjson'),
    clock,
    signal,
    start,
    scrub: (text) => text.replaceAll('hunter2', '•••'),
  });

it('is in its log before the generator is started', async () => {
  const {start, end} = scripted();
  const sessions: number[] = [];
  const load = await begin(async (spec) => {
    sessions.push((await readLoadLog(join(dir, 'x.load.ndjson'))).sessions.length);
    return start(spec);
  });
  expect(sessions).toEqual([1]);
  end('gen ended');
  await load.stop();
});

it('counts what the generator says of its requests, by the time at which they were sent', async () => {
  const {start, print, seen} = scripted();
  const load = await begin(start);
  const now = clock.wall();
  for (let n = 0; n < 12; n += 1) print(`${now - 400 + n} ${n + 1}.5 ok`);
  expect(load.now()).toEqual({requests: 12, errors: 0, errorRate: 0, p95Ms: 12.5});
  await load.phase('during');
  clock.advance(100);
  // Told of after the mark, but sent before it.
  print(`${now - 1} 90 error hunter2 \u001b[31mrefused`);
  print(`${new Date(now + 50).toISOString()} 20 error`);
  expect(load.now()).toMatchObject({requests: 14, errors: 2});
  const log = await load.stop();
  expect(seen.stopped).toBeGreaterThan(0);
  expect(load.now()).toBeNull();
  const figures = loadFigures(log);
  expect(figures.before).toMatchObject({requests: 13, errors: 1, maxMs: 12.5});
  expect(figures.during).toMatchObject({requests: 1, errors: 1, p95Ms: null, byEnd: [{end: 'error', count: 1}]});
  expect(log.requests[12]?.text).toBe('••• refused');
  expect(log.sessions).toMatchObject([{kind: 'exec', what: 'gen', closed: true, gone: null}]);
  expect(await readFile(join(dir, 'x.load.ndjson'), 'utf8')).not.toMatch(/s3cret|hunter2/);
});

it('counts lines that do not fit, and shows the first', async () => {
  const {start, print} = scripted();
  const load = await begin(start);
  for (const line of ['Running 10s test with hunter2', '', '  ', 'nonsense', `${clock.wall()} 5 ok`, 'more nonsense']) print(line);
  const log = await load.stop();
  expect(log.unfit).toEqual({count: 3, first: 'Running 10s test with •••'});
  expect(log.requests).toHaveLength(1);
});

it('tells of a generator that ended by itself, and still marks what comes after', async () => {
  const {start, print, end} = scripted();
  const load = await begin(start);
  print(`${clock.wall()} 5 ok`);
  clock.advance(1000);
  end('gen ended with exit code 4');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(load.now()).toBeNull();
  await load.phase('during');
  const log = await load.stop();
  expect(log.sessions).toMatchObject([{closed: true, gone: 'gen ended with exit code 4'}]);
  expect(log.phase).toBe('during');
  expect(loadFigures(log).holes).toMatchObject([{from: clock.wall(), to: null}]);
});

it('goes on with the log of a process that died', async () => {
  const first = scripted();
  const before = await begin(first.start);
  first.print(`${clock.wall()} 5 ok`);
  clock.advance(10);
  await before.phase('during');
  await before.stop();
  clock.advance(2000);
  const second = scripted();
  const after = await begin(second.start);
  second.print(`${clock.wall()} 5 ok`);
  const log = await after.stop();
  expect(log.requests.map(({n, phase}) => [n, phase])).toEqual([
    [0, 'before'],
    [1, 'during'],
  ]);
  expect(loadFigures(log).holes).toHaveLength(1);
});

it('ends with its run, whatever becomes of that', async () => {
  const end = new AbortController();
  const {start, seen} = scripted();
  const load = await begin(start, end.signal);
  end.abort();
  expect(seen.stopped).toBe(1);
  expect(load.now()).toBeNull();
  expect((await load.stop()).sessions).toMatchObject([{closed: true, gone: null}]);
});

it('that cannot be started leaves a log that is closed', async () => {
  const start: StartGenerator = async () => {
    throw unavailable('load-failed', 'gen could not be run (ENOENT)');
  };
  await expect(begin(start)).rejects.toMatchObject({code: 'load-failed', exit: 69});
  expect((await readLoadLog(join(dir, 'x.load.ndjson'))).sessions).toMatchObject([{closed: true}]);
});

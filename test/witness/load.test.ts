import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setImmediate as turnOver} from 'node:timers/promises';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {type Load, type LoadOptions, startLoad} from '../../src/lib/witness/load.ts';
import {loadFigures} from '../../src/lib/witness/load-figures.ts';
import {startLoadThread} from '../../src/lib/witness/load-thread.ts';
import {type FakeClock, fakeClock} from '../run/fake-clock.ts';
import {type Arrived, ok, startLoadServer, status} from './load-server.ts';

let dir: string;
let server: Awaited<ReturnType<typeof startLoadServer>>;
let clock: FakeClock;
const life = new AbortController();

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'load-'));
  server = await startLoadServer(20_820);
  clock = fakeClock({auto: false});
});
afterEach(async () => {
  await server.close();
  await rm(dir, {recursive: true});
});

const file = () => join(dir, 'r.load.ndjson');
const optionsOf = (more: Partial<LoadOptions> = {}): LoadOptions => ({
  url: server.url,
  method: 'GET',
  expectStatus: null,
  run: 'r',
  body: null,
  rate: 20,
  deadlineMs: 400,
  logFile: file(),
  clock,
  signal: life.signal,
  ...more,
});

/** Real sockets need a few turns of the event loop for what takes no time on the clock. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await turnOver();
}
/** Lets time pass in steps that no stall is seen in. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10) {
    clock.advance(Math.min(10, left));
    await settle();
  }
}
/** Stops while time goes on. */
async function stop(load: Load) {
  const stopped = load.stop();
  let done = false;
  void stopped.finally(() => (done = true));
  while (!done) await pass(10);
  return stopped;
}
const arrivals = (count: number) => vi.waitUntil(() => server.arrived.length >= count, {timeout: 3000, interval: 1});

describe('the open loop', () => {
  it('is in its log before its first request leaves, so one that carries it on does not use its numbers again', async () => {
    // Also when the one that carries it on is killed, too.
    for (const _ of ['first', 'second']) {
      const load = await startLoad(optionsOf());
      const atKill = await readFile(file(), 'utf8');
      await pass(50);
      await stop(load);
      await writeFile(file(), atKill);
    }
    const again = await startLoad(optionsOf());
    await pass(50);
    const log = await stop(again);
    expect(log.sessions).toHaveLength(3);
    expect(Math.min(...log.requests.map(({n}) => n))).toBeGreaterThanOrEqual((2 * (400 + 5000)) / 50);
  });

  it('sends at its rate whatever is under way, and times each request from when it should have left', async () => {
    server.state.script = () => undefined;
    const load = await startLoad(optionsOf());
    await pass(200);
    await arrivals(5);
    // The first was held for 200 ms, the second for 150 ms, and so on; none of them held up the next.
    for (const one of server.arrived) ok(one);
    await vi.waitUntil(() => load.now()?.requests === 5, {timeout: 3000, interval: 1});
    server.state.script = ok;
    const log = await stop(load);
    expect(
      log.requests
        .slice(0, 5)
        .map(({n, ms, end}) => [n, ms, end])
        .sort(),
    ).toEqual([
      [0, 200, 'ok'],
      [1, 150, 'ok'],
      [2, 100, 'ok'],
      [3, 50, 'ok'],
      [4, 0, 'ok'],
    ]);
    expect(log.sessions).toMatchObject([{closed: true, kind: 'built-in', what: `GET ${server.url}, 20 a second`, gone: null}]);
    expect(loadFigures(log)).toMatchObject({all: {requests: 5, errors: 0, p50Ms: 100, p95Ms: 200, maxMs: 200}, late: 0, notJudged: 0});
  });

  it('counts a wrong status, a broken connection and a refusal as errors of their class', async () => {
    const scripts: ((one: Arrived) => void)[] = [
      status(500),
      status(404),
      status(304),
      (one) => one.socket.destroy(),
      // The answer begins, and breaks off in the middle.
      (one) => {
        one.answer.writeHead(200, {'content-length': 100}).write('part');
        setImmediate(() => one.socket.destroy());
      },
      () => undefined,
    ];
    server.state.script = (one) => (scripts.shift() ?? ok)(one);
    const load = await startLoad(optionsOf({method: 'POST'}));
    for (let sent = 1; sent <= 6; sent += 1) {
      await arrivals(sent);
      await pass(sent === 6 ? 40 : 50);
    }
    await server.close();
    await pass(20);
    await vi.waitUntil(() => load.now()?.requests === 7, {timeout: 3000, interval: 1});
    const log = await stop(load);
    await server.reopen();
    const ends = log.requests.toSorted((a, b) => a.n - b.n).map(({end, text}) => (text === undefined ? end : `${end} ${text}`));
    // The server's end took the connection of the one that it kept waiting.
    expect(ends).toEqual(['status 500', 'status 404', 'ok', 'reset', 'reset', 'reset', 'refused']);
  });

  it('gives a request up at its deadline, and its connection with it', async () => {
    server.state.script = () => undefined;
    const load = await startLoad(optionsOf({rate: 10, deadlineMs: 150}));
    await arrivals(1);
    await pass(150);
    await arrivals(2);
    await vi.waitUntil(() => server.arrived[0]?.socket.destroyed === true, {timeout: 3000, interval: 1});
    server.state.script = ok;
    await pass(60);
    await arrivals(3);
    const log = await stop(load);
    expect(log.requests.find(({n}) => n === 0)).toMatchObject({end: 'deadline', ms: 150});
    expect(server.arrived.slice(1).every(({socket}) => socket !== server.arrived[0]?.socket)).toBe(true);
  });

  it('keeps connections alive, and sends a GET once more whose kept connection was just closed, but no POST', async () => {
    const load = await startLoad(optionsOf());
    for (let sent = 1; sent <= 3; sent += 1) {
      await arrivals(sent);
      await pass(50);
    }
    await arrivals(4);
    await settle();
    expect(new Set(server.arrived.map(({socket}) => socket)).size).toBe(1);
    // Like a server that closes an idle connection just as the next request comes.
    let closed = 0;
    server.state.script = (one) => {
      if (closed++ === 0) one.socket.destroy();
      else ok(one);
    };
    await pass(50);
    await arrivals(6);
    const log = await stop(load);
    expect(closed).toBe(2);
    expect(log.requests.map(({end}) => end)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);

    const post = await startLoad(optionsOf({method: 'POST', logFile: join(dir, 'post')}));
    await arrivals(7);
    closed = 0;
    await pass(50);
    await arrivals(8);
    expect((await stop(post)).requests.map(({end}) => end)).toEqual(['ok', 'reset']);
  });

  it('fills in what makes bodies distinct, also after another process went on', async () => {
    const body = '{"ref": "{run}-{n}", "again": "{n}"}';
    const load = await startLoad(optionsOf({method: 'POST', body}));
    await arrivals(1);
    await pass(50);
    await arrivals(2);
    await stop(load);
    expect(server.arrived.map(({body: sent}) => sent)).toEqual(['{"ref": "r-0", "again": "0"}', '{"ref": "r-1", "again": "1"}']);
    expect(server.arrived[0]).toMatchObject({method: 'POST', type: 'application/json'});
    const next = await startLoad(optionsOf({method: 'POST', body}));
    await arrivals(3);
    await stop(next);
    // What the first had under way when it died is not in its log: its numbers are left out.
    expect(server.arrived[2]?.body).toBe('{"ref": "r-110", "again": "110"}');
  });

  it('counts an answer that is wanted, and no other', async () => {
    server.state.script = status(404);
    const load = await startLoad(optionsOf({expectStatus: [404, 410]}));
    await arrivals(1);
    server.state.script = ok;
    await pass(50);
    await arrivals(2);
    const log = await stop(load);
    expect(log.requests.map(({end, text}) => [end, text])).toEqual([
      ['ok', undefined],
      ['status', '200'],
    ]);
  });

  it('shows neither the password nor the query of its URL', async () => {
    const url = server.url.replace('http://', 'http://ann:s3cret@').concat('?token=t0ken&page=2');
    const load = await startLoad(optionsOf({url}));
    await arrivals(1);
    await stop(load);
    const text = await readFile(file(), 'utf8');
    expect(text).toContain('/orders?token=…&page=…');
    expect(text).not.toMatch(/s3cret|ann|t0ken/);
  });
});

describe('what our own process holds up', () => {
  it('is not sent in a burst, and not blamed on the service', async () => {
    server.state.script = () => undefined;
    const load = await startLoad(optionsOf());
    await arrivals(1);
    await pass(50);
    await arrivals(2);
    // The process stands still for a second. Both requests would be overdue; one was answered meanwhile.
    clock.advance(1000);
    for (const one of server.arrived.slice(0, 1)) ok(one);
    server.state.script = ok;
    await settle();
    await pass(400);
    const log = await stop(load);
    expect(log.stalls).toMatchObject([{late: 19}]);
    expect(log.requests.find(({n}) => n === 0)).toMatchObject({end: 'ok', held: true});
    expect(log.requests.find(({n}) => n === 1)).toMatchObject({end: 'deadline', held: true});
    const figures = loadFigures(log);
    // Of the two that were under way, one is a request without a time, the other is not judged.
    expect(figures).toMatchObject({late: 19, untimed: 1, notJudged: 1, all: {errors: 0}});
    expect(figures.all.maxMs).toBeLessThan(60);
    expect(figures.all.requests).toBe(log.requests.length - 1);
  });

  it('does not count in the last five seconds either', async () => {
    server.state.script = () => undefined;
    const load = await startLoad(optionsOf());
    await pass(300);
    await arrivals(6);
    clock.advance(60_000);
    server.state.script = ok;
    await pass(800);
    expect(load.now()).toMatchObject({errors: 0, errorRate: 0});
    expect(load.now()?.p95Ms).toBeLessThan(60);
    await stop(load);
  });
});

describe('the last five seconds', () => {
  it('tell of errors and times, and count what is under way as slow as it is already', async () => {
    const load = await startLoad(optionsOf({deadlineMs: 5000}));
    expect(load.now()).toEqual({requests: 0, errors: 0, errorRate: null, p95Ms: null});
    await pass(450);
    await vi.waitUntil(() => load.now()?.requests === 10, {timeout: 3000, interval: 1});
    expect(load.now()).toMatchObject({errors: 0, errorRate: 0, p95Ms: expect.any(Number)});
    server.state.script = () => undefined;
    await pass(1000);
    expect(load.now()?.requests).toBe(10);
    expect(load.now()?.p95Ms).toBeGreaterThan(800);
    for (const one of server.arrived.slice(10)) status(503)(one);
    await vi.waitUntil(() => (load.now()?.errors ?? 0) >= 19, {timeout: 3000, interval: 1});
    server.state.script = ok;
    expect(load.now()?.errorRate).toBeCloseTo(20 / 30, 1);
    await pass(5100);
    expect(load.now()).toMatchObject({errors: 0, errorRate: 0});
    const stopped = stop(load);
    expect(load.now()).toBeNull();
    await stopped;
  });
});

describe('the parts of a drill', () => {
  it('have the requests that were sent in them, whenever those end, and go on in another process', async () => {
    server.state.script = () => undefined;
    const load = await startLoad(optionsOf({deadlineMs: 10_000}));
    await arrivals(1);
    await pass(60);
    await arrivals(2);
    await load.phase('during');
    await load.phase('during');
    await pass(50);
    await arrivals(3);
    for (const one of server.arrived) ok(one);
    server.state.script = ok;
    await stop(load);
    // As kill -9 leaves it.
    await writeFile(file(), `${(await readFile(file(), 'utf8')).replace(/^.*"close".*$/m, '')}{"n":11,"a`);
    clock.advance(4000);
    const next = await startLoad(optionsOf());
    await pass(30);
    await next.phase('after');
    await next.phase('during');
    await pass(30);
    const log = await stop(next);
    expect(log.torn).toBe(1);
    expect(log.requests.map(({phase}) => phase)).toEqual(['before', 'before', 'during', 'during', 'after']);
    expect(loadFigures(log).holes).toEqual([{from: log.sessions[0]?.endedAt, to: log.sessions[1]?.openedAt}]);
    expect(log.phase).toBe('after');
  });
});

describe('the end of a load', () => {
  it('comes at once when it is told to leave, and says what was under way', async () => {
    const end = new AbortController();
    server.state.script = () => undefined;
    const load = await startLoad(optionsOf({signal: end.signal, deadlineMs: 60_000}));
    await pass(50);
    await arrivals(2);
    end.abort();
    expect(load.now()).toBeNull();
    const log = await load.stop();
    expect(log).toMatchObject({left: 2, requests: [], sessions: [{closed: true}]});
    expect(await load.stop()).toEqual(log);
  });

  it('cannot begin where its log cannot be written', async () => {
    await writeFile(join(dir, 'file'), '');
    await expect(startLoad(optionsOf({logFile: join(dir, 'file', 'x')}))).rejects.toMatchObject({code: 'load-log', exit: 73});
  });
});

describe('the load in a thread of its own', () => {
  const real = systemClock();

  it('sends, marks parts, tells of the last five seconds, and stops', async () => {
    const load = await startLoadThread(optionsOf({rate: 100, clock: real}));
    await arrivals(12);
    await vi.waitUntil(() => (load.now()?.requests ?? 0) >= 10, {timeout: 3000, interval: 10});
    expect(load.now()).toMatchObject({errors: 0, errorRate: 0, p95Ms: expect.any(Number)});
    await load.phase('during');
    const before = server.arrived.length;
    await arrivals(before + 5);
    const log = await load.stop();
    expect(load.now()).toBeNull();
    expect(log.requests.length).toBe(server.arrived.length);
    expect(log.requests.filter(({phase}) => phase === 'during').length).toBeGreaterThanOrEqual(4);
    expect(log.sessions).toMatchObject([{closed: true}]);
  });

  it('leaves with its run, and fails where it cannot begin', async () => {
    const end = new AbortController();
    const load = await startLoadThread(optionsOf({clock: real, signal: end.signal}));
    await arrivals(1);
    end.abort();
    expect((await load.stop()).sessions).toMatchObject([{closed: true}]);
    await writeFile(join(dir, 'file'), '');
    await expect(startLoadThread(optionsOf({clock: real, logFile: join(dir, 'file', 'x')}))).rejects.toMatchObject({
      code: 'load-failed',
      message: expect.stringContaining('The log of the load'),
    });
  });
});

import {afterEach, describe, expect, it} from 'vitest';
import {refused as guardSays} from '../../src/lib/errors.ts';
import {judgeFleet} from '../../src/lib/health/judge.ts';
import {type Observer, startObserver} from '../../src/lib/health/observer.ts';
import {probeAll} from '../../src/lib/health/sweep.ts';
import type {Probe, ProbeResult} from '../../src/lib/ports/probe.ts';
import {httpProbe} from '../../src/lib/providers/http/http-probe.ts';
import {tcpProbe} from '../../src/lib/providers/tcp/tcp-probe.ts';
import {http, type Listener, listen, speaks} from '../providers/listener.ts';
import {realClock as clock} from './real-clock.ts';
import {endpoint, REFUSED, region} from './samples.ts';

const signal = new AbortController().signal;
const attempts = {fall: 2, pauseMs: 5};
const GOOD: ProbeResult = {ok: true, latencyMs: 1, code: 'ok', detail: 'fine'};
const good: Probe = {check: async () => GOOD};
const deaf: Probe = {check: () => new Promise(() => {})};
/** Where our own stall is not the question: on a busy machine the real meter would void the very timeouts that are asked for. */
const watcher = (more: Partial<Observer> = {}): Observer => ({
  stalledSince: () => 0,
  lostSince: () => 0,
  jumpedSince: () => 0,
  stop: () => {},
  ...more,
});
const observer = () => watcher();
const open: Listener[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close()));
});

/** A probe that gives these answers in turn, then the last one again. */
function script(...results: readonly Partial<ProbeResult>[]): Probe & {asked: number} {
  return {
    asked: 0,
    async check() {
      this.asked += 1;
      return {...GOOD, ...results[Math.min(this.asked, results.length) - 1]};
    },
  };
}

describe('isolation', () => {
  it('a hanging endpoint costs its own deadline and delays nobody', async () => {
    const hanging = await listen(() => {});
    const live = await listen(speaks(http(200, 'fine')));
    open.push(hanging, live);
    const ended: Record<string, number> = {};
    const timed = (name: string, probe: Probe): Probe => ({
      check: (stop) => probe.check(stop).finally(() => (ended[name] = performance.now())),
    });
    const target = (port: number) => ({url: `http://127.0.0.1:${port}/`, expectStatus: 200, expectText: null, headers: {}, timeoutMs: 300});
    const secrets = {reveal: async () => '', scrub: (text: string) => text};
    const readings = await probeAll({
      endpoints: [
        {endpoint: endpoint('slow', 'ap', {timeoutMs: 300}), probe: timed('slow', httpProbe(target(hanging.port), secrets))},
        {endpoint: endpoint('live', 'eu', {timeoutMs: 300}), probe: timed('live', httpProbe(target(live.port), secrets))},
        {
          endpoint: endpoint('tcp', 'us', {timeoutMs: 300}),
          probe: timed('tcp', tcpProbe({host: '127.0.0.1', port: live.port, timeoutMs: 300})),
        },
      ],
      clock,
      signal,
      attempts: {fall: 1, pauseMs: 5},
      observer,
    });
    expect(readings.map(({result}) => result.code)).toEqual(['timeout', 'ok', 'ok']);
    expect(ended.live).toBeLessThan(ended.slow ?? Number.NaN);
    expect(ended.tcp).toBeLessThan(ended.slow ?? Number.NaN);
  });

  it('holds the deadline for a probe that does not heed its signal', async () => {
    const [reading] = await probeAll({
      endpoints: [{endpoint: endpoint('a', 'eu', {timeoutMs: 200}), probe: deaf}],
      clock,
      signal,
      attempts,
      observer,
    });
    expect(reading).toMatchObject({attempts: 1, result: {ok: false, code: 'timeout', detail: 'no answer within 200 ms'}});
  });

  it('takes a probe that was cancelled by the deadline for late, not for unknown', async () => {
    const cancelled: Probe = {
      check: (stop) => new Promise((resolve) => stop.addEventListener('abort', () => resolve({...GOOD, ok: null, code: 'cancelled'}))),
    };
    const [reading] = await probeAll({
      endpoints: [{endpoint: endpoint('a', 'eu', {timeoutMs: 200}), probe: cancelled}],
      clock,
      signal,
      attempts,
      observer,
    });
    expect(reading?.result).toMatchObject({ok: false, code: 'timeout'});
  });

  it('a probe that throws is unknown and hides nobody', async () => {
    const broken: Probe = {
      check() {
        throw new Error('no such header');
      },
    };
    const without: Probe = {check: async () => Promise.reject(guardSays('secret-missing', 'env:X is not set'))};
    const readings = await probeAll({
      endpoints: [broken, without, good].map((probe, index) => ({endpoint: endpoint(`e${index}`, 'eu'), probe})),
      clock,
      signal,
      attempts,
    });
    expect(readings.map(({result}) => [result.ok, result.code])).toEqual([
      [null, 'probe-failed'],
      [null, 'secret-missing'],
      [true, 'ok'],
    ]);
    expect(readings[1]?.result.detail).toContain('env:X is not set');
  });
});

describe('attempts', () => {
  it('one blip is no failure', async () => {
    const probe = script(REFUSED, GOOD);
    const [reading] = await probeAll({endpoints: [{endpoint: endpoint('a', 'eu'), probe}], clock, signal, attempts});
    expect(reading).toMatchObject({attempts: 2, result: {ok: true}});
  });

  it('asks a failing endpoint until it has failed `fall` times, a good one once, an unknown one once', async () => {
    const probes = [script(REFUSED), script(GOOD), script({ok: null, code: 'x'})];
    const endpoints = probes.map((probe, index) => ({endpoint: endpoint(`e${index}`, 'eu'), probe}));
    await probeAll({endpoints, clock, signal, attempts: {fall: 3, pauseMs: 1}});
    expect(probes.map(({asked}) => asked)).toEqual([3, 1, 1]);
  });

  it('is unknown when the caller cancels, also with a timeout of its own', async () => {
    const endpoints = [{endpoint: endpoint('a', 'eu', {timeoutMs: 5000}), probe: deaf}];
    for (const stop of [AbortSignal.abort(), AbortSignal.timeout(20)]) {
      const [reading] = await probeAll({endpoints, clock, signal: stop, attempts});
      expect(reading?.result).toMatchObject({ok: null, code: 'interrupted'});
    }
  });
});

describe('our own stall', () => {
  const late = script({...REFUSED, code: 'timeout'});
  const endpoints = [
    {endpoint: endpoint('late', 'eu', {timeoutMs: 1000}), probe: late},
    {endpoint: endpoint('refused', 'eu', {timeoutMs: 1000}), probe: script(REFUSED)},
    {endpoint: endpoint('good', 'eu', {timeoutMs: 1000}), probe: good},
  ];

  it('makes timeouts unknown above a quarter of the deadline, and nothing else', async () => {
    const codes = async (lagMs: number) =>
      (await probeAll({endpoints, clock, signal, attempts, observer: () => watcher({lostSince: () => lagMs})})).map(
        ({result}) => result.code,
      );
    expect(await codes(250)).toEqual(['timeout', 'refused', 'ok']);
    expect(await codes(251)).toEqual(['observer-overloaded', 'refused', 'ok']);
  });

  it('that is over is no reason to judge nothing: what was late is asked once more', async () => {
    const lags = [600, 3];
    const slowStart = script({...REFUSED, code: 'timeout'}, {ok: true, latencyMs: 4, code: 'ok', detail: 'HTTP 200'});
    const asked = [{endpoint: endpoint('late', 'eu', {timeoutMs: 1000}), probe: slowStart}, ...endpoints.slice(1)];
    const readings = await probeAll({
      endpoints: asked,
      clock,
      signal,
      attempts,
      observer: () => watcher({lostSince: () => lags.shift() ?? 0}),
    });
    expect(readings.map(({result}) => result.code)).toEqual(['ok', 'refused', 'ok']);
    expect(slowStart.asked).toBe(2);
  });

  it('does not cover what failed before or after it', async () => {
    const asked = {endpoint: endpoint('late', 'eu', {timeoutMs: 1000}), probe: script({...REFUSED, code: 'timeout'})};
    const since: number[] = [];
    const began = performance.now();
    await probeAll({endpoints: [asked], clock, signal, attempts, observer: () => watcher({lostSince: (at) => since.push(at)})});
    expect(since.every((at) => at >= began)).toBe(true);
    expect(since.length).toBeGreaterThan(0);
  });

  it('of two seconds, each time it asks, leaves a region unknown and not unhealthy', async () => {
    const stall: Probe = {
      async check(stop) {
        const until = performance.now() + 2000;
        while (performance.now() < until) {}
        return deaf.check(stop);
      },
    };
    const asked = [{endpoint: endpoint('app', 'eu', {timeoutMs: 1000}), probe: stall}];
    const readings = await probeAll({endpoints: asked, clock, signal, attempts});
    expect(judgeFleet({regions: [region('eu')]}, readings)).toMatchObject({verdict: 'unknown', code: 'observer-overloaded'});
  });

  it('of many short ones leaves a region unknown and not unhealthy, though each of them is short', async () => {
    // Answers after nine steps of a millisecond, and our own process has other work to do after each.
    const slowed: Probe = {
      async check(stop) {
        for (let step = 0; step < 9; step += 1) {
          await clock.sleep(1, stop);
          const until = performance.now() + 40;
          while (performance.now() < until) {}
        }
        return GOOD;
      },
    };
    const asked = [{endpoint: endpoint('app', 'eu', {timeoutMs: 200}), probe: slowed}];
    const readings = await probeAll({endpoints: asked, clock, signal, attempts});
    expect(judgeFleet({regions: [region('eu')]}, readings)).toMatchObject({verdict: 'unknown', code: 'observer-overloaded'});
  });

  it('is seen on the real loop', async () => {
    const stall: Probe = {
      async check(stop) {
        const until = performance.now() + 90;
        while (performance.now() < until) {}
        return deaf.check(stop);
      },
    };
    const [reading] = await probeAll({
      endpoints: [{endpoint: endpoint('a', 'eu', {timeoutMs: 60}), probe: stall}],
      clock,
      signal,
      attempts,
    });
    expect(reading?.result).toMatchObject({ok: null, code: 'observer-overloaded'});
    expect(reading?.result.detail).toMatch(/stood still for \d+ ms of a 60 ms deadline/);
  });
});

describe('ourselves', () => {
  const far = {endpoint: endpoint('far', 'eu'), probe: script(REFUSED)};
  const wrong = {endpoint: endpoint('wrong', 'eu'), probe: script({ok: false, code: 'wrong-role', detail: 'a standby'})};

  it('what failed on the way while the clock jumped is asked again, and then not judged', async () => {
    const jumps = [3_600_000];
    const once = await probeAll({
      endpoints: [far, wrong],
      clock,
      signal,
      attempts,
      observer: () => watcher({jumpedSince: () => jumps.shift() ?? 0}),
    });
    expect(once.map(({result}) => result.code)).toEqual(['refused', 'wrong-role']);
    const always = await probeAll({
      endpoints: [far, wrong],
      clock,
      signal,
      attempts,
      observer: () => watcher({jumpedSince: () => 3_600_000}),
    });
    expect(always.map(({result: {ok, code}}) => [ok, code])).toEqual([
      [null, 'clock-jumped'],
      [false, 'wrong-role'],
    ]);
  });

  it('a stall that is made of many short pieces of work is seen as one', async () => {
    const watching = startObserver();
    await new Promise((resolve) => setTimeout(resolve, 30));
    const since = performance.now();
    const pieces = Array.from(
      {length: 40},
      () =>
        new Promise<void>((resolve) =>
          setTimeout(() => {
            const until = performance.now() + 10;
            while (performance.now() < until);
            resolve();
          }, 1),
        ),
    );
    await Promise.all(pieces);
    // A piece alone is 10 ms. A loop may ask for news in the middle of them once, on a machine that is busy.
    expect(watching.stalledSince(since)).toBeGreaterThan(150);
    watching.stop();
  });

  it('a real jump of the wall clock is seen', async () => {
    let wall = 1_000_000;
    const watching = startObserver(() => wall + performance.now());
    const since = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(watching.jumpedSince(since)).toBe(0);
    wall -= 7000;
    expect(watching.jumpedSince(since)).toBeCloseTo(7000, 0);
    watching.stop();
  });

  it('are cut off when no uplink answers, and then know nothing of what failed on the way', async () => {
    const uplink = (name: string, probe: Probe) => ({name, timeoutMs: 200, probe});
    const all = {endpoints: [far, wrong], clock, signal, attempts, observer};
    const dead = script(REFUSED);
    const cut = await probeAll({...all, uplinks: [uplink('gateway', dead), uplink('dns', dead)]});
    expect(cut.map(({result}) => result.code)).toEqual(['no-uplink', 'wrong-role']);
    expect(cut[0]?.result.detail).toContain('gateway: ');
    const wrongly = script({ok: false, code: 'unexpected-status', detail: 'it answered 503'});
    const answers = await probeAll({...all, uplinks: [uplink('gateway', dead), uplink('dns', wrongly)]});
    expect(answers.map(({result}) => result.code)).toEqual(['refused', 'wrong-role']);
    const unasked = script({ok: null, code: 'secret-missing', detail: 'no password'});
    expect((await probeAll({...all, uplinks: [uplink('gateway', unasked)]}))[0]?.result.code).toBe('refused');
    const half = await probeAll({...all, uplinks: [uplink('gateway', dead), uplink('dns', good)]});
    expect(half.map(({result}) => result.code)).toEqual(['refused', 'wrong-role']);
    // Nothing in any region answers, and yet the network is there: then it is they.
    const elsewhere = {endpoint: endpoint('app', 'us'), probe: script(REFUSED)};
    const dark = await probeAll({...all, endpoints: [far, elsewhere], uplinks: [uplink('dns', good)]});
    expect(judgeFleet({regions: [region('eu'), region('us')]}, dark)).toMatchObject({verdict: 'unhealthy', code: 'refused'});
  });
});

describe('other vantage points', () => {
  const viewer = (vantage: string, probe: Probe, timeoutMs = 5000) => ({
    vantage,
    region: null,
    sees: 'status' as const,
    whole: true,
    timeoutMs,
    probe,
  });
  const deafViewer: Probe = {check: (stop) => new Promise((_, reject) => stop.addEventListener('abort', () => reject(stop.reason)))};
  const asked = (...others: ReturnType<typeof viewer>[]) => [{endpoint: endpoint('app', 'eu'), probe: good, others}];

  it('are not waited for once the rest can change nothing', async () => {
    const endpoints = asked(viewer('a', good), viewer('b', deafViewer));
    const began = performance.now();
    const [reading] = await probeAll({endpoints, clock, signal, attempts, observer});
    expect(performance.now() - began).toBeLessThan(2000);
    expect(reading?.others?.map(({result}) => result.code)).toEqual(['ok', 'not-awaited']);
  });

  it('are all waited for where that is asked for, and where the verdict depends on it', async () => {
    const endpoints = asked(viewer('a', good), viewer('b', deafViewer, 300));
    const [all] = await probeAll({endpoints, clock, signal, attempts, observer, all: true});
    expect(all?.others?.map(({result}) => result.code)).toEqual(['ok', 'vantage-silent']);
    const [needed] = await probeAll({
      endpoints: asked(viewer('a', script(REFUSED)), viewer('b', deafViewer, 300)),
      clock,
      signal,
      attempts,
      observer,
    });
    expect(needed?.others?.map(({result}) => result.code)).toEqual(['refused', 'vantage-silent']);
  });

  it('end with the sweep', async () => {
    let stopped = false;
    const late: Probe = {
      check: async (stop) => {
        await clock.sleep(60_000, stop).catch(() => undefined);
        stopped = stop.aborted;
        return GOOD;
      },
    };
    await probeAll({endpoints: asked(viewer('a', good), viewer('b', late)), clock, signal, attempts, observer});
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(stopped).toBe(true);
  });
});

describe('an uplink', () => {
  it('that hangs holds up nothing while all is well', async () => {
    const uplinks = [{name: 'gateway', timeoutMs: 3000, probe: deaf}];
    const began = performance.now();
    await probeAll({endpoints: [{endpoint: endpoint('app', 'eu'), probe: good}], uplinks, clock, signal, attempts, observer});
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe('many at once', () => {
  it('keep the order, and no more than the limit are under way', async () => {
    let now = 0;
    let most = 0;
    const probe: Probe = {
      check: async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 5));
        now -= 1;
        return GOOD;
      },
    };
    const endpoints = Array.from({length: 3000}, (_, index) => ({endpoint: endpoint(`e${index}`, 'eu', {timeoutMs: 60_000}), probe}));
    const readings = await probeAll({endpoints, clock, signal, attempts, observer});
    expect(readings.map(({endpoint: {name}}) => name)).toEqual(endpoints.map(({endpoint: {name}}) => name));
    expect(most).toBeLessThanOrEqual(1024);
  });
});

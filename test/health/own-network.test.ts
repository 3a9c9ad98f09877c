import {afterEach, describe, expect, it} from 'vitest';
import {checkHealth} from '../../src/lib/health/check.ts';
import {judgeFleet} from '../../src/lib/health/judge.ts';
import {mapMemory} from './memory.ts';
import {realClock as clock} from './real-clock.ts';
import {endpoint, fleet, REFUSED, reading, region} from './samples.ts';
import {all, attempts, BAD, fn, GOOD, over, SILENT, stopAll, TIMEOUT, until, verdictOf, wait, watch} from './watching.ts';

/* Our own network fails in every way that we could think of: what is ours is never called an endpoint's. */
afterEach(stopAll);

describe('while our own network is cut', () => {
  it('the uplinks are asked, whoever answers nearby', async () => {
    const net = {up: true};
    const uplinks = [{name: 'gateway', timeoutMs: 100, probe: over(net)}];
    const probes = [
      {endpoint: endpoint('app', 'eu', {intervalMs: 20}), probe: fn(async () => GOOD)},
      {endpoint: endpoint('app', 'us', {intervalMs: 20}), probe: over(net, 100)},
    ];
    const monitor = watch(probes, {uplinks});
    await all(monitor, 'healthy');
    net.up = false;
    await until(() => verdictOf(monitor.view(), 'us') !== 'healthy');
    expect(monitor.told).toEqual(['us unknown no-uplink']);
  });

  it('an answer to what was asked after a slow question says nothing of the end of that', async () => {
    const net = {up: true};
    let asked = 0;
    const slow = fn(async () => {
      await wait(60);
      if (net.up) return GOOD;
      await wait(40);
      return TIMEOUT;
    });
    const fast = fn(async () => {
      asked += 1;
      if (net.up) return GOOD;
      await wait(100);
      return TIMEOUT;
    });
    const monitor = watch([
      {endpoint: endpoint('slow', 'eu', {intervalMs: 500}), probe: slow},
      {endpoint: endpoint('app', 'us', {intervalMs: 520}), probe: fast},
    ]);
    await all(monitor, 'healthy');
    const before = asked;
    await until(() => asked > before);
    await wait(5);
    net.up = false;
    await all(monitor, 'unknown');
    expect(monitor.down()).toEqual([]);
  });

  it('what fails again after a look that found it there is looked at again', async () => {
    const net = {up: true, blip: false};
    let asked = 0;
    const x = fn(async () => {
      asked += 1;
      if (net.blip) {
        net.blip = false;
        return BAD;
      }
      await wait(50);
      return net.up ? GOOD : TIMEOUT;
    });
    const monitor = watch([
      {endpoint: endpoint('x', 'eu', {intervalMs: 200}), probe: x},
      {endpoint: endpoint('y', 'us', {intervalMs: 600}), probe: fn(async () => (net.up ? GOOD : TIMEOUT))},
    ]);
    await all(monitor, 'healthy');
    net.blip = true;
    const before = asked;
    await until(() => asked >= before + 2);
    net.up = false;
    await all(monitor, 'unknown');
    expect(monitor.down()).toEqual([]);
  });

  it('one answer between two gaps calls nobody down', async () => {
    const net = {up: true, once: false};
    const probe = (first: boolean) =>
      fn(async () => {
        if (net.up) return GOOD;
        if (!first || !net.once) return BAD;
        net.once = false;
        return GOOD;
      });
    const monitor = watch(
      ['eu', 'us', 'ap'].map((name) => ({endpoint: endpoint('app', name, {intervalMs: 60}), probe: probe(name === 'eu')})),
    );
    await all(monitor, 'healthy');
    net.up = false;
    await all(monitor, 'unknown');
    net.once = true;
    await until(() => !net.once);
    await wait(400);
    expect(monitor.down()).toEqual([]);
    net.up = true;
    await all(monitor, 'healthy');
    expect(monitor.down()).toEqual([]);
  });

  it('whoever cannot be asked any more does not end the doubt', async () => {
    const net = {up: true, us: BAD};
    const monitor = watch([
      {endpoint: endpoint('app', 'eu', {intervalMs: 60}), probe: over(net)},
      {endpoint: endpoint('app', 'us', {intervalMs: 60}), probe: fn(async () => (net.up ? GOOD : net.us))},
    ]);
    await all(monitor, 'healthy');
    net.up = false;
    await all(monitor, 'unknown');
    net.us = SILENT;
    await wait(2500);
    expect(monitor.down()).toEqual([]);
  });

  it('who comes back in the middle of a look has not been down', async () => {
    const net = {up: true};
    let looked = 0;
    const probe = over(net, 200);
    const rare = fn(async () => {
      looked += 1;
      return probe.check(new AbortController().signal);
    });
    const monitor = watch([
      {endpoint: endpoint('x', 'eu', {intervalMs: 300}), probe},
      {endpoint: endpoint('y', 'us', {intervalMs: 9000}), probe: rare},
      {endpoint: endpoint('z', 'eu', {intervalMs: 9000}), probe},
      {endpoint: endpoint('q', 'eu', {intervalMs: 690, critical: false}), probe},
    ]);
    await all(monitor, 'healthy');
    net.up = false;
    await until(() => looked > 1);
    await wait(120);
    net.up = true;
    await wait(500);
    expect(monitor.down()).toEqual([]);
  });

  it.each([
    ['an exporter that does not answer', SILENT],
    ['a plugin that could not reach anything', {ok: false, latencyMs: null, code: 'plugin-critical', detail: 'CRITICAL', local: true}],
  ] as const)('%s is no sign of a network', async (_, says) => {
    const net = {up: true};
    const monitor = watch([
      ...['eu', 'us'].map((name) => ({endpoint: endpoint('app', name, {intervalMs: 60}), probe: over(net)})),
      {endpoint: endpoint('other', 'ap', {intervalMs: 60, critical: false}), probe: over(net, 0, says)},
    ]);
    await all(monitor, 'healthy');
    net.up = false;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unknown' && verdictOf(monitor.view(), 'us') === 'unknown');
    await wait(200);
    expect(monitor.down()).toEqual([]);
  });

  it('a check says so, too, of one region as of all, whatever could not be asked', async () => {
    const probes = [
      {endpoint: endpoint('app', 'eu'), probe: fn(async () => BAD)},
      {endpoint: endpoint('exporter', 'eu', {critical: false}), probe: fn(async () => SILENT)},
      {endpoint: endpoint('app', 'us'), probe: fn(async () => BAD)},
    ];
    const open = {fleet: fleet([region('eu'), region('us')]), clock, state: async () => mapMemory(), probes};
    const {signal} = new AbortController();
    const one = await checkHealth(open, {region: 'eu', signal, attempts});
    const whole = await checkHealth(open, {signal, attempts});
    expect([one.exit, whole.exit, whole.document.code]).toEqual([3, 3, 'cut-off']);
    const three = judgeFleet(fleet([region('eu'), region('us'), region('ap')]), [
      reading(endpoint('app', 'eu'), REFUSED),
      reading(endpoint('app', 'us'), REFUSED),
      reading(endpoint('exporter', 'ap'), SILENT),
    ]);
    expect(three.regions.map(({verdict, code}) => `${verdict} ${code}`)).toEqual([
      'unknown cut-off',
      'unknown cut-off',
      'unknown vantage-silent',
    ]);
  });
});

describe('what is lost on the way', () => {
  it('one packet now and then calls nobody down', async () => {
    let seed = 7;
    const chance = (): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed / 2_147_483_648;
    };
    // Two in a row of one endpoint are an outage of it. Which endpoint meets which of these numbers depends on how busy the machine is.
    const lossy = () => {
      let isLost = false;
      return fn(async () => {
        isLost = !isLost && chance() <= 0.05;
        if (!isLost) return GOOD;
        await wait(100);
        return TIMEOUT;
      });
    };
    const probes = ['eu', 'us', 'ap'].flatMap((name) =>
      Array.from({length: 8}, (_, n) => ({endpoint: endpoint(`a${n}`, name, {intervalMs: 100, timeoutMs: 100}), probe: lossy()})),
    );
    const monitor = watch(probes, {random: Math.random});
    await wait(4000);
    expect(monitor.down()).toEqual([]);
  });

  it('what is asked in a short gap and fails after it calls nobody down', async () => {
    const gap = {now: false};
    const probe = fn(async () => {
      if (!gap.now) return GOOD;
      await wait(200);
      return TIMEOUT;
    });
    const names = ['b', 'c', 'd'];
    const monitor = watch([
      {endpoint: endpoint('x', 'eu', {intervalMs: 300}), probe},
      ...names.map((name, n) => ({endpoint: endpoint(name, 'us', {intervalMs: 500 + 7 * n}), probe})),
    ]);
    await all(monitor, 'healthy');
    for (let turn = 0; turn < 8; turn += 1) {
      await wait(330 + 7 * turn);
      gap.now = true;
      await wait(80);
      gap.now = false;
    }
    await wait(500);
    expect(monitor.down()).toEqual([]);
  });

  it('an old silence that comes to nothing does not make the next failure believed', async () => {
    const net = {up: true};
    let asked = 0;
    const x = fn(async () => {
      asked += 1;
      if (asked === 3) {
        await wait(400);
        return TIMEOUT;
      }
      return net.up ? GOOD : BAD;
    });
    let failed = 0;
    const f = fn(async () => {
      failed += 1;
      return failed === 2 || !net.up ? BAD : GOOD;
    });
    const monitor = watch([
      {endpoint: endpoint('x', 'eu', {intervalMs: 500}), probe: x},
      {endpoint: endpoint('f', 'us', {intervalMs: 1310, critical: false}), probe: f},
      {endpoint: endpoint('g', 'us', {intervalMs: 60_000}), probe: over(net)},
    ]);
    await wait(1460);
    net.up = false;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unknown');
    expect(monitor.down()).toEqual([]);
  });

  it('one failure that was its own does not make those that are ours count, where it takes several', async () => {
    const base = fleet([region('eu'), region('us')]);
    const net = {up: true, x: true};
    const monitor = watch(
      [
        {endpoint: endpoint('x', 'eu', {intervalMs: 200}), probe: fn(async () => (net.up && net.x ? GOOD : BAD))},
        {endpoint: endpoint('y', 'us', {intervalMs: 60_000}), probe: over(net)},
      ],
      {fleet: {...base, health: {...base.health, riseFall: {rise: 2, fall: 3}}}},
    );
    await all(monitor, 'healthy');
    net.x = false;
    await until(() => verdictOf(monitor.view(), 'eu') === 'degraded');
    net.up = false;
    net.x = true;
    await wait(1500);
    expect(monitor.down()).toEqual([]);
  });
});

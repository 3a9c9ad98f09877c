import {afterEach, describe, expect, it} from 'vitest';
import type {Probe} from '../../src/lib/ports/probe.ts';
import {endpoint, fleet, region} from './samples.ts';
import {all, BAD, fn, GOOD, over, stopAll, TIMEOUT, until, verdictOf, WRONG, wait, watch} from './watching.ts';

/* Endpoints fail beside one another, and beside what our own network does: what is down is said soon, and only of what is down. */
afterEach(stopAll);

describe('what is really down', () => {
  it('is said although another region hangs and a neighbour fails', async () => {
    const dead = {us: false, noisy: false, db: false};
    const monitor = watch([
      {endpoint: endpoint('db', 'eu', {intervalMs: 200}), probe: fn(async () => (dead.db ? WRONG : GOOD))},
      {endpoint: endpoint('noisy', 'eu', {critical: false, intervalMs: 200}), probe: fn(async () => (dead.noisy ? BAD : GOOD))},
      {
        endpoint: endpoint('app', 'us', {timeoutMs: 1500, intervalMs: 200}),
        probe: fn(async () => {
          if (!dead.us) return GOOD;
          await wait(1500);
          return TIMEOUT;
        }),
      },
    ]);
    await all(monitor, 'healthy');
    dead.us = true;
    await wait(500);
    dead.noisy = true;
    await wait(300);
    dead.db = true;
    const began = performance.now();
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy');
    expect(performance.now() - began).toBeLessThan(500);
  });

  it('is said of one region although whom was asked of another one is dead: others of that are asked', async () => {
    const eu = {up: true};
    const elsewhere = [
      {endpoint: endpoint('app', 'us'), probe: fn(async () => BAD)},
      {endpoint: endpoint('web', 'us'), probe: fn(async () => GOOD)},
    ];
    const monitor = watch([{endpoint: endpoint('app', 'eu', {intervalMs: 20}), probe: over(eu)}], {elsewhere});
    await all(monitor, 'healthy');
    eu.up = false;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy', 1000);
  });

  it('is said although the other region is down for long, when something else of its own answers', async () => {
    const [us, db] = [{up: true}, {up: true}];
    const monitor = watch([
      {endpoint: endpoint('db', 'eu', {intervalMs: 300}), probe: over(db)},
      {endpoint: endpoint('web', 'eu', {intervalMs: 300}), probe: fn(async () => GOOD)},
      {endpoint: endpoint('app', 'us', {intervalMs: 300}), probe: over(us)},
    ]);
    await all(monitor, 'healthy');
    us.up = false;
    await until(() => verdictOf(monitor.view(), 'us') === 'unhealthy');
    db.up = false;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy');
    expect(monitor.told.filter((line) => line.includes('cut-off'))).toEqual([]);
  });

  it('is not said of whoever was asked for another one and lost one packet', async () => {
    const eu = {up: true};
    let lose = false;
    const us = fn(async () => {
      if (!lose) return GOOD;
      lose = false;
      await wait(50);
      return TIMEOUT;
    });
    const monitor = watch([
      {endpoint: endpoint('db', 'eu', {intervalMs: 200}), probe: over(eu)},
      {endpoint: endpoint('app', 'us', {intervalMs: 5000}), probe: us},
      {endpoint: endpoint('app', 'ap', {intervalMs: 5000}), probe: fn(async () => GOOD)},
    ]);
    await all(monitor, 'healthy');
    eu.up = false;
    lose = true;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy');
    await wait(200);
    expect(monitor.told).toEqual(['eu unhealthy refused']);
  });

  it('is said of one that hangs after two deadlines', async () => {
    const db = {up: true};
    const hangs: Probe = {
      check: (signal) =>
        db.up
          ? Promise.resolve(GOOD)
          : new Promise((resolve) => signal.addEventListener('abort', () => resolve({...TIMEOUT, connected: true}), {once: true})),
    };
    const monitor = watch([
      {endpoint: endpoint('db', 'eu', {timeoutMs: 500, intervalMs: 100}), probe: hangs},
      {endpoint: endpoint('app', 'us', {intervalMs: 100}), probe: fn(async () => GOOD)},
    ]);
    await all(monitor, 'healthy');
    db.up = false;
    const began = performance.now();
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy');
    expect(performance.now() - began).toBeLessThan(1900);
  });

  it('takes as many failures in a row of all, where a region has nothing critical', async () => {
    const base = fleet([region('eu')]);
    const says = {a: GOOD, b: GOOD};
    const monitor = watch(
      (['a', 'b'] as const).map((name) => ({
        endpoint: endpoint(name, 'eu', {critical: false, intervalMs: 100}),
        probe: fn(async () => says[name]),
      })),
      {fleet: {...base, health: {...base.health, riseFall: {rise: 2, fall: 5}}}},
    );
    await all(monitor, 'healthy');
    says.a = WRONG;
    await wait(1000);
    const before = monitor.view().endpoints[1]?.history.length ?? 0;
    says.b = WRONG;
    await until(() => (monitor.view().endpoints[1]?.history.length ?? 0) > before && monitor.view().endpoints[1]?.history.at(-1) === null);
    says.b = GOOD;
    await wait(500);
    expect(monitor.down()).toEqual([]);
  });

  it('is said of what plugins find, and that nothing shows the network keeps nobody from being judged', async () => {
    const bad = new Set<string>();
    const names = ['r0', 'r1', 'r2', 'r3'];
    const plugin = (name: string) =>
      fn(async () =>
        bad.has(name) ? {ok: false, latencyMs: 2, code: 'plugin-critical', detail: 'C', local: true} : {...GOOD, local: true},
      );
    const monitor = watch(names.map((name) => ({endpoint: endpoint('a', name, {intervalMs: 100}), probe: plugin(name)})));
    await all(monitor, 'healthy');
    bad.add('r0').add('r1');
    await until(() => ['r0', 'r1'].every((name) => verdictOf(monitor.view(), name) === 'unhealthy'));
    bad.clear();
    await all(monitor, 'healthy');
    bad.add('r3');
    await until(() => verdictOf(monitor.view(), 'r3') === 'unhealthy');
    expect(monitor.told.filter((line) => line.includes('unknown'))).toEqual([]);
  });

  it('takes as many failures of one endpoint as the fleet file asks for, not one of each of several', async () => {
    const base = fleet([region('eu')]);
    const bad = {now: false};
    const monitor = watch(
      ['a', 'b', 'c'].map((name) => ({endpoint: endpoint(name, 'eu', {intervalMs: 200}), probe: fn(async () => (bad.now ? WRONG : GOOD))})),
      {fleet: {...base, health: {...base.health, riseFall: {rise: 2, fall: 3}}}, random: Math.random},
    );
    await all(monitor, 'healthy');
    bad.now = true;
    await all(monitor, 'unhealthy');
    const failures = monitor.view().endpoints.map(({history}) => history.filter((each) => each === null).length);
    expect(Math.max(...failures)).toBeGreaterThanOrEqual(3);
  });

  it('is said soon after an outage of our own, though of many others one alone is there', async () => {
    const net = {up: true, eu: true};
    const elsewhere = Array.from({length: 12}, (_, n) => ({
      endpoint: endpoint(`a${n}`, 'us'),
      probe: fn(async () => (net.up && n === 9 ? GOOD : BAD)),
    }));
    const monitor = watch([{endpoint: endpoint('app', 'eu', {intervalMs: 300}), probe: fn(async () => (net.up && net.eu ? GOOD : BAD))}], {
      elsewhere,
    });
    await all(monitor, 'healthy');
    net.up = false;
    await all(monitor, 'unknown');
    net.eu = false;
    net.up = true;
    const began = performance.now();
    await all(monitor, 'unhealthy');
    expect(performance.now() - began).toBeLessThan(3500);
  }, 20_000);

  it('is said although all that answers elsewhere takes seconds to do so', async () => {
    const eu = {up: true};
    const slow = fn(async () => {
      await wait(3400);
      return GOOD;
    });
    const monitor = watch([
      {endpoint: endpoint('app', 'eu', {intervalMs: 300}), probe: over(eu)},
      {
        endpoint: endpoint('slow', 'us', {intervalMs: 300, timeoutMs: 10_000, slowMs: null}),
        probe: fn(async () => ({...(await slow.check(new AbortController().signal)), latencyMs: 3400})),
      },
    ]);
    await until(() => monitor.view().regions.every(({verdict}) => verdict === 'healthy'), 10_000);
    eu.up = false;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy', 12_000);
  }, 30_000);

  it('is asked ever more rarely, however noisy another one is', async () => {
    const us = {up: true, asked: 0};
    let odd = false;
    const noisy = fn(async () => {
      odd = !odd;
      return odd || us.up ? GOOD : BAD;
    });
    const dead = fn(async () => {
      us.asked += 1;
      return us.up ? GOOD : BAD;
    });
    const monitor = watch([
      {endpoint: endpoint('noisy', 'eu', {critical: false, intervalMs: 100}), probe: noisy},
      {endpoint: endpoint('web', 'eu', {intervalMs: 100}), probe: fn(async () => GOOD)},
      {endpoint: endpoint('app', 'us', {intervalMs: 100}), probe: dead},
    ]);
    await all(monitor, 'healthy');
    us.up = false;
    us.asked = 0;
    await wait(2500);
    expect(us.asked).toBeLessThan(25);
    expect(monitor.view().endpoints[2]?.lane).toBe('dead');
  });

  it('in half of a large region holds up nobody', async () => {
    const probe = (up: boolean) => fn(async () => (up ? GOOD : BAD));
    const probes = Array.from({length: 2000}, (_, n) => ({
      endpoint: endpoint(`a${n}`, 'eu', {critical: false, intervalMs: 1000}),
      probe: probe(n % 2 === 0),
    }));
    probes.push({endpoint: endpoint('a', 'us', {intervalMs: 1000}), probe: probe(true)});
    const monitor = watch(probes, {random: Math.random});
    await until(() => monitor.view().endpoints.filter(({lane}) => lane === 'dead').length === 1000, 20_000);
    await wait(3000);
    // A thousand live ones a second are due; where each had to look at all others, there were a hundred.
    expect(monitor.view().askedPerSecond).toBeGreaterThan(400);
  }, 30_000);

  it('does not have everybody else asked over and over', async () => {
    const dead = {now: false};
    const probe = (mine: boolean) =>
      fn(async () => {
        await wait(mine && dead.now ? 500 : 250);
        return mine && dead.now ? TIMEOUT : {...GOOD, latencyMs: 250};
      });
    const under = {now: 0, most: 0};
    const counted = (inner: ReturnType<typeof fn>) =>
      fn(async () => {
        under.now += 1;
        under.most = Math.max(under.most, under.now);
        try {
          return await inner.check(new AbortController().signal);
        } finally {
          under.now -= 1;
        }
      });
    const regions = ['eu', 'us', 'ap', 'sa'];
    const probes = regions.flatMap((name) =>
      Array.from({length: 100}, (_, n) => ({
        endpoint: endpoint(`a${n}`, name, {intervalMs: 2000, slowMs: null}),
        probe: counted(probe(name === 'eu')),
      })),
    );
    const monitor = watch(probes, {random: Math.random});
    await until(() => monitor.view().regions.every(({verdict}) => verdict === 'healthy'), 10_000);
    await wait(2500);
    under.most = 0;
    dead.now = true;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy', 10_000);
    await wait(1000);
    expect(under.most, 'some fifty are under way at any time; in a look at most a few dozen more').toBeLessThan(200);
  }, 30_000);
});

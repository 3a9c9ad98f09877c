import {afterEach, describe, expect, it} from 'vitest';
import {endpoint} from './samples.ts';
import {all, BAD, fn, GOOD, over, SILENT, stopAll, TIMEOUT, until, verdictOf, WRONG, wait, watch} from './watching.ts';

afterEach(stopAll);

describe('when our own network is back', () => {
  it('an uplink that answers ends the doubt, and what is down is called down', async () => {
    const net = {up: true, uplink: true};
    const uplinks = [
      {name: 'gateway', timeoutMs: 100, probe: fn(async () => (net.uplink ? GOOD : {...SILENT, code: 'observer-overloaded'}))},
    ];
    const monitor = watch(
      ['eu', 'us'].map((name) => ({endpoint: endpoint('app', name, {intervalMs: 50}), probe: over(net)})),
      {uplinks},
    );
    await all(monitor, 'healthy');
    net.up = net.uplink = false;
    await all(monitor, 'unknown');
    net.uplink = true;
    await all(monitor, 'unhealthy');
  });

  it('what failed in a gap of the uplink is asked again as soon as the uplink answers', async () => {
    const bad = {uplink: false, y: false};
    const uplinks = [{name: 'gateway', timeoutMs: 100, probe: fn(async () => (bad.uplink ? BAD : GOOD))}];
    const monitor = watch(
      [
        {endpoint: endpoint('x', 'eu', {intervalMs: 100}), probe: fn(async () => (bad.uplink ? BAD : GOOD))},
        {endpoint: endpoint('y', 'us', {intervalMs: 500}), probe: fn(async () => (bad.y ? BAD : GOOD))},
        {endpoint: endpoint('z', 'ap', {intervalMs: 60_000}), probe: fn(async () => GOOD)},
      ],
      {uplinks},
    );
    await all(monitor, 'healthy');
    bad.uplink = bad.y = true;
    await until(() => verdictOf(monitor.view(), 'us') === 'unknown');
    const began = performance.now();
    bad.uplink = false;
    await until(() => verdictOf(monitor.view(), 'us') === 'unhealthy');
    expect(performance.now() - began, 'a second until the next look, another until the ways have settled').toBeLessThan(2600);
  });

  it('what is watched alone is asked again within seconds, not at its next turn', async () => {
    const net = {up: true};
    const elsewhere = [{endpoint: endpoint('app', 'us'), probe: over(net)}];
    const monitor = watch([{endpoint: endpoint('app', 'eu', {intervalMs: 2000}), probe: over(net)}], {elsewhere});
    await all(monitor, 'healthy');
    await until(() => monitor.view().endpoints[0]?.history.length === 2);
    net.up = false;
    await all(monitor, 'unknown');
    const began = performance.now();
    net.up = true;
    await all(monitor, 'healthy');
    expect(performance.now() - began).toBeLessThan(1700);
  }, 20_000);

  it('an older look that ends later does not bring the doubt back', async () => {
    const eu = {up: true};
    let asked = 0;
    const us = fn(async () => {
      asked += 1;
      if (asked > 1) return GOOD;
      await wait(700);
      return TIMEOUT;
    });
    const monitor = watch(
      [
        {endpoint: endpoint('a', 'eu', {intervalMs: 300}), probe: over(eu)},
        {endpoint: endpoint('b', 'eu', {intervalMs: 430}), probe: over(eu)},
      ],
      {elsewhere: [{endpoint: endpoint('app', 'us'), probe: us}]},
    );
    await all(monitor, 'healthy');
    eu.up = false;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy');
    await wait(1500);
    expect(monitor.told.filter((line) => line.includes('cut-off'))).toEqual([]);
  });

  it('who failed first, and is the only one to answer now, ends the doubt for good', async () => {
    const net = {us: true, eu: true};
    const monitor = watch([
      {endpoint: endpoint('b', 'us', {intervalMs: 300}), probe: fn(async () => (net.us ? GOOD : BAD))},
      {endpoint: endpoint('a', 'eu', {intervalMs: 700}), probe: fn(async () => (net.eu ? GOOD : BAD))},
    ]);
    await all(monitor, 'healthy');
    net.us = false;
    // The look that this calls for is put off while there is doubt, and comes after `b` has answered.
    await wait(320);
    net.eu = false;
    await all(monitor, 'unknown');
    net.us = true;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy');
    expect(verdictOf(monitor.view(), 'us')).toBe('healthy');
  });

  it('a wrong answer is one, too: whoever else in its region is dead, it shows that our network is there', async () => {
    const net = {up: true, eu: true};
    const dead = Array.from({length: 40}, (_, n) => ({
      endpoint: endpoint(`x${n}`, 'us', {intervalMs: 300, critical: false}),
      probe: over(net),
    }));
    const monitor = watch([
      ...dead,
      {endpoint: endpoint('b', 'us', {intervalMs: 200}), probe: fn(async () => WRONG)},
      {endpoint: endpoint('a', 'eu', {intervalMs: 200}), probe: fn(async () => (net.up && net.eu ? GOOD : BAD))},
    ]);
    await until(() => verdictOf(monitor.view(), 'eu') === 'healthy');
    net.up = false;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy');
    await wait(1500);
    expect(monitor.told.at(-1), 'it is not doubted again').toBe('eu unhealthy refused');
  });

  it('whoever stays down is asked again a few at a time, too, and a slow plugin holds up nobody', async () => {
    const net = {up: true, eu: true};
    const turns = {now: 0, counted: -1, asked: 0, most: 0, tick: true};
    const tick = (): void => {
      turns.now += 1;
      if (turns.tick) setImmediate(tick);
    };
    tick();
    const eu = fn(async () => {
      if (turns.counted !== turns.now) Object.assign(turns, {counted: turns.now, asked: 0});
      turns.asked += 1;
      turns.most = Math.max(turns.most, turns.asked);
      return net.up && net.eu ? GOOD : BAD;
    });
    const slow = fn(async () => {
      await wait(6000);
      return {...GOOD, latencyMs: 6000, local: true};
    });
    const probes = Array.from({length: 600}, (_, n) => ({endpoint: endpoint(`a${n}`, 'eu', {intervalMs: 1000}), probe: eu}));
    const monitor = watch(
      [
        ...probes,
        {endpoint: endpoint('b', 'us', {intervalMs: 300}), probe: over(net)},
        {endpoint: endpoint('plugin', 'ap', {intervalMs: 300, timeoutMs: 10_000, slowMs: null, critical: false}), probe: slow},
      ],
      {random: Math.random},
    );
    await until(() => monitor.view().regions.every(({verdict}) => verdict === 'healthy'), 12_000);
    net.up = false;
    const began = performance.now();
    await until(() => verdictOf(monitor.view(), 'us') === 'unknown' && verdictOf(monitor.view(), 'eu') === 'unknown');
    expect(performance.now() - began, 'who proves nothing is waited for').toBeLessThan(4500);
    await wait(1200);
    turns.most = 0;
    net.eu = false;
    net.up = true;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy', 8000);
    await wait(1000);
    turns.tick = false;
    expect(turns.most).toBeLessThanOrEqual(64);
  }, 30_000);

  it('everybody is asked again, a few in each turn, and spread afterwards', async () => {
    const net = {up: true};
    const turns = {now: 0, counted: -1, asked: 0, most: 0, tick: true};
    const tick = (): void => {
      turns.now += 1;
      if (turns.tick) setImmediate(tick);
    };
    tick();
    const probe = fn(async () => {
      if (turns.counted !== turns.now) Object.assign(turns, {counted: turns.now, asked: 0});
      turns.asked += 1;
      turns.most = Math.max(turns.most, turns.asked);
      return net.up ? GOOD : BAD;
    });
    const probes = Array.from({length: 600}, (_, n) => ({endpoint: endpoint(`a${n}`, n % 2 ? 'eu' : 'us', {intervalMs: 1000}), probe}));
    const monitor = watch(probes, {random: Math.random});
    await all(monitor, 'healthy');
    net.up = false;
    await all(monitor, 'unknown');
    await wait(1200);
    turns.most = 0;
    net.up = true;
    await all(monitor, 'healthy');
    turns.tick = false;
    expect(turns.most).toBeLessThanOrEqual(64);
    expect(monitor.down()).toEqual([]);
  }, 20_000);
});

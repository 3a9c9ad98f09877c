import {afterEach, describe, expect, it} from 'vitest';
import {type Monitor, type MonitorOptions, type MonitorView, startMonitor} from '../../src/lib/health/monitor.ts';
import type {Observer} from '../../src/lib/health/observer.ts';
import {FRESH, laneOf, nextPace, type Pace, waitMs} from '../../src/lib/health/schedule.ts';
import type {Probe, ProbeResult} from '../../src/lib/ports/probe.ts';
import {mapMemory} from './memory.ts';
import {realClock as clock} from './real-clock.ts';
import {endpoint, fleet, REFUSED, reading, region, UNKNOWN} from './samples.ts';

const GOOD: ProbeResult = {ok: true, latencyMs: 2, code: 'ok', detail: 'fine'};
const attempts = {fall: 1, pauseMs: 1};
const observer = (): Observer => ({stalledSince: () => 0, lostSince: () => 0, jumpedSince: () => 0, stop: () => {}});
const running: Monitor[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((monitor) => monitor.stop()));
});

function watch(probes: MonitorOptions['probes'], more: Partial<MonitorOptions> = {}): Monitor {
  const regions = [...new Set(probes.map(({endpoint: {region: name}}) => name))].map((name) => region(name));
  const all = {fleet: fleet(regions), probes, clock, memory: null, intervalMs: 20, attempts, observer, ...more};
  const monitor = startMonitor(all);
  running.push(monitor);
  return monitor;
}

/** A probe that counts, and says what it is told to. */
function teller(says: Partial<ProbeResult> = {}): Probe & {says: Partial<ProbeResult>; asked: number} {
  return {
    says,
    asked: 0,
    async check() {
      this.asked += 1;
      return {...GOOD, ...this.says};
    },
  };
}

const never: Probe = {check: (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))};

async function until<T>(what: () => T | undefined | false): Promise<T> {
  for (let tries = 0; tries < 1000; tries += 1) {
    const value = what();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('it did not come to that');
}

const verdictOf = (view: MonitorView, name: string) => view.regions.find((each) => each.region === name)?.verdict;

describe('a monitor', () => {
  it('knows nothing of a region, and calls it down never, while each look at it was touched by a standstill of our own', async () => {
    const app = teller();
    let lostMs = 0;
    const touched = (): Observer => ({...observer(), lostSince: () => lostMs});
    const monitor = watch([{endpoint: endpoint('app', 'eu', {timeoutMs: 100}), probe: app}], {observer: touched, intervalMs: 5});
    const told: string[] = [];
    monitor.onChange(({to}) => told.push(to));
    await until(() => verdictOf(monitor.view(), 'eu') === 'healthy');
    lostMs = 40;
    app.says = {ok: false, latencyMs: null, code: 'timeout', detail: 'no answer'};
    const before = app.asked;
    await until(() => app.asked >= before + 20);
    expect(told).toEqual(['unknown']);
    lostMs = 0;
    await until(() => told.includes('unhealthy'));
  });

  it('asks again and again, and knows latencies and verdicts', async () => {
    const app = teller();
    const monitor = watch([{endpoint: endpoint('app', 'eu'), probe: app}]);
    expect(verdictOf(monitor.view(), 'eu')).toBeNull();
    const view = await until(() => (app.asked >= 4 && verdictOf(monitor.view(), 'eu') === 'healthy' ? monitor.view() : undefined));
    expect(view.endpoints).toMatchObject([{name: 'app', region: 'eu', lane: 'live', judged: {verdict: 'healthy'}}]);
    expect(view.endpoints[0]?.history.slice(0, 2)).toEqual([2, 2]);
  });

  it('tells each change of a region once, and where it came from', async () => {
    const app = teller();
    const memory = mapMemory();
    const monitor = watch([{endpoint: endpoint('app', 'eu'), probe: app}], {memory});
    const told: string[] = [];
    const end = monitor.onChange(({from, to, code}) => told.push(`${from} ${to} ${code}`));
    await until(() => verdictOf(monitor.view(), 'eu') === 'healthy');
    app.says = REFUSED;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy');
    app.says = {};
    await until(() => verdictOf(monitor.view(), 'eu') === 'healthy');
    expect(told).toEqual(['healthy unhealthy refused', 'unhealthy recovering recovering', 'recovering healthy ok']);
    expect(monitor.view().changes.map(({to}) => to)).toEqual(['unhealthy', 'recovering', 'healthy']);
    await until(() => memory.noted.length >= 4);
    expect(memory.noted.map(({data}) => (data as {to: string}).to)).toEqual(['healthy', 'unhealthy', 'recovering', 'healthy']);
    end();
    app.says = REFUSED;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy');
    expect(told).toHaveLength(3);
  });

  it('is not held up by endpoints that hang, in the same region or another', async () => {
    const live = teller();
    const hanging = Array.from({length: 40}, (_, index) => ({
      endpoint: endpoint(`hangs${index}`, 'eu', {timeoutMs: 60_000}),
      probe: never,
    }));
    const others = [
      {endpoint: endpoint('live', 'eu'), probe: live},
      {endpoint: endpoint('live', 'us'), probe: teller()},
    ];
    const monitor = watch([...hanging, ...others]);
    await until(() => live.asked > 8);
    expect(verdictOf(monitor.view(), 'us')).toBe('healthy');
    expect(verdictOf(monitor.view(), 'eu'), 'nothing is said of a region before all of it was asked').toBeNull();
  });

  it('judges a region without waiting for its dead, and asks those less often', async () => {
    const [dead, live] = [teller(REFUSED), teller()];
    const monitor = watch([
      {endpoint: endpoint('dead', 'eu', {critical: false}), probe: dead},
      {endpoint: endpoint('live', 'eu'), probe: live},
    ]);
    await until(() => live.asked > 40);
    expect(verdictOf(monitor.view(), 'eu')).toBe('degraded');
    expect(monitor.view().endpoints.map(({lane}) => lane)).toEqual(['dead', 'live']);
    expect(dead.asked).toBeLessThan(live.asked / 2);
    dead.says = {};
    await until(() => verdictOf(monitor.view(), 'eu') === 'healthy');
    expect(monitor.view().endpoints[0]?.lane).toBe('live');
  });

  it('says a fall at once, and does not wait for the slowest of the region', async () => {
    const slow: Probe = {
      check: async (signal) => {
        await clock.sleep(400, signal).catch(() => undefined);
        return GOOD;
      },
    };
    const app = teller();
    const monitor = watch([
      {endpoint: endpoint('slow', 'eu', {slowMs: null, timeoutMs: 5000}), probe: slow},
      {endpoint: endpoint('app', 'eu'), probe: app},
    ]);
    await until(() => verdictOf(monitor.view(), 'eu') === 'healthy');
    const began = performance.now();
    app.says = REFUSED;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy');
    expect(performance.now() - began).toBeLessThan(350);
  });

  it('goes on where what it sees cannot be kept, and says so', async () => {
    const memory = {
      ...mapMemory(),
      together: () => {
        throw new Error('no space left on device');
      },
    };
    const app = teller();
    const monitor = watch([{endpoint: endpoint('app', 'eu'), probe: app}], {memory});
    await until(() => verdictOf(monitor.view(), 'eu') === 'healthy');
    await until(() => monitor.view().notes.length > 0);
    expect(monitor.view().notes).toEqual(['what is seen is not kept: no space left on device']);
    // And what it saw itself is what it goes on with.
    app.says = REFUSED;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy');
    app.says = {};
    await until(() => verdictOf(monitor.view(), 'eu') === 'recovering');
  });

  it('does not judge what fails on the way while no uplink answers, and asks the uplinks only then', async () => {
    const [app, gateway] = [teller(), teller()];
    const uplinks = [{name: 'gateway', timeoutMs: 100, probe: gateway}];
    const monitor = watch(
      [
        {endpoint: endpoint('app', 'eu'), probe: app},
        {endpoint: endpoint('app', 'us'), probe: teller()},
      ],
      {uplinks},
    );
    await until(() => verdictOf(monitor.view(), 'eu') === 'healthy');
    expect(gateway.asked).toBe(0);
    gateway.says = REFUSED;
    app.says = REFUSED;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unknown');
    expect(monitor.view().notes[0]).toMatch(/^no uplink answers: this machine is cut off, or the uplinks/);
    expect(monitor.view().endpoints[0]?.judged?.code).toBe('no-uplink');
    // A wrong answer comes over a network that is there.
    gateway.says = {ok: false, code: 'unexpected-status', detail: 'it answered 503'};
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy');
    expect(monitor.view().notes).toEqual([]);
  });

  it('does not call regions down one after the other when it is this machine that is cut off', async () => {
    const network = {up: true};
    const probe = (): Probe => ({check: async () => (network.up ? GOOD : {...GOOD, ...REFUSED})});
    const probes = ['eu', 'us', 'ap'].flatMap((name) => ['a', 'b', 'c'].map((each) => ({endpoint: endpoint(each, name), probe: probe()})));
    const monitor = watch(probes, {intervalMs: 60});
    const told: string[] = [];
    monitor.onChange(({region: name, to}) => told.push(`${name} ${to}`));
    await until(() => monitor.view().regions.every(({verdict}) => verdict === 'healthy'));
    network.up = false;
    await until(() => monitor.view().regions.every(({verdict}) => verdict === 'unknown'));
    expect(told.filter((line) => line.includes('unhealthy'))).toEqual([]);
    network.up = true;
    await until(() => monitor.view().regions.every(({verdict}) => verdict === 'healthy'));
    expect(told.filter((line) => line.includes('unhealthy'))).toEqual([]);
  });

  it('does not call down what failed in a gap of our own network that is over', async () => {
    const gap = {now: false};
    // What begins in the gap is lost, and fails after it is over.
    const probe: Probe = {
      check: async () => {
        if (!gap.now) return GOOD;
        await new Promise((resolve) => setTimeout(resolve, 60));
        return {ok: false, latencyMs: null, code: 'timeout', detail: 'no answer within 60 ms'};
      },
    };
    const probes = ['eu', 'us'].flatMap((name) => ['a', 'b'].map((each) => ({endpoint: endpoint(each, name), probe})));
    const monitor = watch(probes, {intervalMs: 30});
    const told: string[] = [];
    monitor.onChange(({region: name, to}) => told.push(`${name} ${to}`));
    await until(() => monitor.view().regions.every(({verdict}) => verdict === 'healthy'));
    gap.now = true;
    await new Promise((resolve) => setTimeout(resolve, 40));
    gap.now = false;
    await new Promise((resolve) => setTimeout(resolve, 300));
    await until(() => monitor.view().regions.every(({verdict}) => verdict === 'healthy'));
    expect(told.filter((line) => line.includes('unhealthy'))).toEqual([]);
  });

  it('says that the last region is down, too, where an uplink shows that the network is there', async () => {
    const [eu, us] = [teller(), teller(REFUSED)];
    const uplinks = [{name: 'gateway', timeoutMs: 100, probe: teller()}];
    const probes = [
      {endpoint: endpoint('app', 'eu'), probe: eu},
      {endpoint: endpoint('app', 'us'), probe: us},
    ];
    const monitor = watch(probes, {uplinks});
    await until(() => verdictOf(monitor.view(), 'us') === 'unhealthy' && verdictOf(monitor.view(), 'eu') === 'healthy');
    eu.says = REFUSED;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy');
    expect(verdictOf(monitor.view(), 'us')).toBe('unhealthy');
  });

  it('of one region finds its outage after one of our own, by the endpoints of the others', async () => {
    const network = {up: true, eu: true};
    const probe = (mine: () => boolean): Probe => ({check: async () => (network.up && mine() ? GOOD : {...GOOD, ...REFUSED})});
    const witness = {endpoint: endpoint('app', 'us'), probe: probe(() => true)};
    const monitor = watch([{endpoint: endpoint('app', 'eu'), probe: probe(() => network.eu)}], {elsewhere: [witness]});
    await until(() => verdictOf(monitor.view(), 'eu') === 'healthy');
    network.up = false;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unknown');
    network.eu = false;
    network.up = true;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy');
  });

  it('counts looks, not how often it judged: one failed look is one, whatever happens to its neighbours', async () => {
    const [db, noisy] = [teller(), teller()];
    const base = fleet([region('eu')]);
    const monitor = watch(
      [
        {endpoint: endpoint('db', 'eu', {intervalMs: 600}), probe: db},
        {endpoint: endpoint('noisy', 'eu', {critical: false, intervalMs: 20}), probe: noisy},
      ],
      {fleet: {...base, health: {...base.health, riseFall: {rise: 2, fall: 3}}}, intervalMs: undefined},
    );
    await until(() => verdictOf(monitor.view(), 'eu') === 'healthy');
    db.says = REFUSED;
    await until(() => verdictOf(monitor.view(), 'eu') === 'degraded');
    for (let turn = 0; turn < 6; turn += 1) {
      noisy.says = turn % 2 === 0 ? REFUSED : {};
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    expect(verdictOf(monitor.view(), 'eu')).toBe('degraded');
  }, 10_000);

  it('does not wait for an endpoint that is asked rarely', async () => {
    const [db, certificate] = [teller(), teller()];
    const monitor = watch(
      [
        {endpoint: endpoint('db', 'eu', {intervalMs: 20}), probe: db},
        {endpoint: endpoint('certificate', 'eu', {critical: false, intervalMs: 3_600_000}), probe: certificate},
      ],
      {intervalMs: undefined},
    );
    await until(() => verdictOf(monitor.view(), 'eu') === 'healthy');
    db.says = REFUSED;
    await until(() => verdictOf(monitor.view(), 'eu') === 'unhealthy');
    db.says = {};
    await until(() => verdictOf(monitor.view(), 'eu') === 'healthy');
    expect(certificate.asked).toBe(1);
  });

  it('says at once of a region without endpoints that nothing is known', async () => {
    const regions = [region('eu'), region('empty')];
    const monitor = watch([{endpoint: endpoint('app', 'eu'), probe: teller()}], {fleet: fleet(regions)});
    await until(() => verdictOf(monitor.view(), 'empty') === 'unknown');
  });

  it('asks nobody after it was stopped, and stops at once though endpoints hang', async () => {
    const app = teller();
    const hangs = {endpoint: endpoint('hangs', 'eu', {timeoutMs: 60_000}), probe: never};
    const monitor = watch([{endpoint: endpoint('app', 'us'), probe: app}, hangs]);
    await until(() => app.asked > 2);
    const began = performance.now();
    await monitor.stop();
    expect(performance.now() - began).toBeLessThan(500);
    const {asked} = app;
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(app.asked).toBe(asked);
  });
});

describe('the pace', () => {
  const paceAfter = (...results: readonly Partial<ProbeResult>[]): Pace =>
    results.reduce<Pace>((pace, result) => nextPace(pace, reading(endpoint('app', 'eu'), result)), FRESH);
  const WRONG: Partial<ProbeResult> = {ok: false, code: 'unexpected-status', detail: 'it answered 500'};

  it('an endpoint is dead after three looks without any answer, and alive with the first one, be it wrong', () => {
    expect(laneOf(paceAfter(REFUSED, REFUSED))).toBe('live');
    expect(laneOf(paceAfter(REFUSED, REFUSED, REFUSED))).toBe('dead');
    expect(laneOf(paceAfter(REFUSED, REFUSED, UNKNOWN, REFUSED))).toBe('dead');
    expect(laneOf(paceAfter(REFUSED, REFUSED, REFUSED, WRONG))).toBe('live');
    expect(laneOf(paceAfter(WRONG, WRONG, WRONG, WRONG))).toBe('live');
  });

  it('the living keep their interval but for a tenth; the dead are asked up to eight times less often, and within half a minute', () => {
    expect([waitMs(FRESH, 1000, 0), waitMs(FRESH, 1000, 0.5), waitMs(FRESH, 1000, 1)]).toEqual([900, 1000, 1100]);
    const dead = (deaf: number, intervalMs: number) => waitMs({deaf}, intervalMs, 0.5);
    expect([3, 4, 5, 6, 50].map((deaf) => dead(deaf, 1000))).toEqual([2000, 4000, 8000, 8000, 8000]);
    expect([3, 4, 9].map((deaf) => dead(deaf, 10_000))).toEqual([20_000, 30_000, 30_000]);
    expect(dead(9, 60_000)).toBe(60_000);
  });
});

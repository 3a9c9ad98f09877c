import {readFileSync} from 'node:fs';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {routerContract} from '../../../src/kit/testing.ts';
import type {Ctx} from '../../../src/lib/plan/action.ts';
import {haproxyRouter, type Instance} from '../../../src/lib/providers/haproxy/haproxy-router.ts';
import {realClock as clock} from '../../health/real-clock.ts';
import {eventually, freePort} from '../../servers/embedded.ts';
import {type Backend, type Haproxy, type HaproxyOptions, noHaproxy, startHaproxy} from '../../servers/haproxy.ts';
import {type Listener, listen} from '../listener.ts';
import {answers, openSession, tally} from './traffic.ts';

const SERVERS = {us: ['be/us1', 'be/us2'], eu: ['be/eu1']};

const live = () => AbortSignal.timeout(20_000);
const ctx = (signal = live()): Ctx => {
  return {runId: 'r', token: 't', signal, now: () => performance.now(), deadline: performance.now() + 20_000};
};
const failed = (attempt: Promise<unknown>): Promise<object> =>
  attempt.then(
    () => ({}),
    (error: unknown) => Object(error) as object,
  );

/** The instance as a fleet file has it: over TCP, with the state file that HAProxy reads at its start. */
function instanceOf(haproxy: Haproxy, more: Partial<Instance> = {}): Instance {
  return {place: {name: `HAProxy at ${haproxy.runtime.port}`, to: haproxy.runtime}, stateFile: haproxy.stateFile, ...more};
}

function routerOf(...instances: readonly Instance[]) {
  return haproxyRouter({name: 'front-door', servers: SERVERS, instances, clock});
}

describe.skipIf(noHaproxy !== null)(
  `the haproxy router against Debian's HAProxy${noHaproxy === null ? '' : ` (skipped: ${noHaproxy})`}`,
  () => {
    /** One web server per server of the backend: it says which it is. */
    let web: (Listener & {name: string})[];
    const started: Haproxy[] = [];

    beforeAll(async () => {
      web = await Promise.all(['us1', 'us2', 'eu1'].map(answers));
    });
    afterEach(async () => {
      for (const haproxy of started.splice(0)) await haproxy.end();
    });
    afterAll(async () => {
      for (const each of web) await each.close();
    });

    const backend = (name: string, more: Partial<Backend> = {}): Backend => {
      return {name, host: '127.0.0.1', port: web.find((each) => each.name === name)?.port ?? 1, ...more};
    };
    const start = async (more: Partial<HaproxyOptions> = {}): Promise<Haproxy> => {
      const servers = {us: [backend('us1'), backend('us2')], eu: [backend('eu1')]};
      const haproxy = await startHaproxy({mode: 'http', servers, ...more});
      started.push(haproxy);
      return haproxy;
    };

    describe.each([1, 2])('over %i of them', (count) => {
      const shared: Haproxy[] = [];
      beforeAll(async () => {
        const servers = {us: [backend('us1'), backend('us2')], eu: [backend('eu1')]};
        for (let index = 0; index < count; index += 1) shared.push(await startHaproxy({mode: 'http', servers}));
      });
      afterAll(async () => {
        for (const haproxy of shared) await haproxy.end();
      });

      routerContract({describe, it, expect}, async () => {
        const dead = {place: {name: 'nobody', to: {host: '127.0.0.1', port: await freePort()}}, stateFile: null};
        return {
          router: routerOf(...shared.map((each) => instanceOf(each))),
          unreachable: routerOf(...shared.slice(1).map((each) => instanceOf(each)), dead),
          regions: Object.keys(SERVERS),
          ctx,
        };
      });
    });

    it('sends traffic where the weights say, and nowhere when they say so', async () => {
      const haproxy = await start();
      const router = routerOf(instanceOf(haproxy));
      await router.write(ctx(), {us: 0, eu: 100});
      expect(await tally(haproxy, 20)).toEqual({eu1: 20});
      await router.write(ctx(), {us: 100, eu: 0});
      expect(await tally(haproxy, 20)).toEqual({us1: 10, us2: 10});
      await router.write(ctx(), {us: 0, eu: 0});
      expect(await tally(haproxy, 5)).toEqual({503: 5});
      // Two servers with 10 each, one with 80.
      await router.write(ctx(), {us: 10, eu: 80});
      const shares = await tally(haproxy, 100);
      expect(Math.abs((shares.eu1 ?? 0) - 80)).toBeLessThanOrEqual(2);
      expect(Math.abs((shares.us1 ?? 0) - 10)).toBeLessThanOrEqual(1);
    });

    it('reads back every whole weight as it was written', async () => {
      const router = routerOf(instanceOf(await start()));
      for (let weight = 0; weight <= 100; weight += 1) {
        await router.write(ctx(), {us: weight, eu: 100 - weight});
        expect(await router.read(live())).toEqual({us: weight, eu: 100 - weight});
      }
    });

    it('lets open sessions go on when a region is closed, and cut ends them', async () => {
      const echo = await Promise.all(
        ['us1', 'us2', 'eu1'].map(async (name) => ({name, ...(await listen((socket) => socket.write(name)))})),
      );
      try {
        const at = (name: string): Backend => ({name, host: '127.0.0.1', port: echo.find((each) => each.name === name)?.port ?? 1});
        const haproxy = await start({mode: 'tcp', servers: {us: [at('us1'), at('us2')], eu: [at('eu1')]}});
        const router = routerOf(instanceOf(haproxy));
        const sessions = await Promise.all([1, 2, 3, 4, 5, 6].map(() => openSession(haproxy.frontPort)));
        const to = (region: string) => sessions.filter(({name}) => name.startsWith(region));
        expect([to('us').length, to('eu').length]).toEqual([4, 2]);
        await router.write(ctx(), {us: 0, eu: 100});
        expect(sessions.filter(({closed}) => closed()).length).toBe(0);
        expect((await openSession(haproxy.frontPort)).name).toBe('eu1');
        expect(await router.cut(ctx(), 'us')).toBe(4);
        await eventually(() => to('us').every(({closed}) => closed()));
        expect(to('eu').filter(({closed}) => closed()).length).toBe(0);
        expect(await router.cut(ctx(), 'us')).toBe(0);
        // Two of the beginning and the one after.
        expect(await router.cut(ctx(), 'eu')).toBe(3);
        await eventually(() => to('eu').every(({closed}) => closed()));
      } finally {
        for (const each of echo) await each.close();
      }
    });

    it.each(['a reload', 'a crash'])('keeps weights and maintenance over %s through the state file', async (what) => {
      const again = (haproxy: Haproxy) => (what === 'a reload' ? haproxy.reload() : haproxy.kill().then(haproxy.start));
      const haproxy = await start();
      const router = routerOf(instanceOf(haproxy));
      for (const weights of [
        {us: 0, eu: 40},
        {us: 7, eu: 0},
      ]) {
        await router.write(ctx(), weights);
        await again(haproxy);
        expect(await router.read(live())).toEqual(weights);
        expect(Object.keys(await tally(haproxy, 10))).toEqual(weights.us === 0 ? ['eu1'] : ['us1', 'us2']);
      }
      // And what it had not been told to keep is lost: it is the file that does it.
      await routerOf(instanceOf(haproxy, {stateFile: null})).write(ctx(), {us: 0, eu: 3});
      await again(haproxy);
      expect(await router.read(live())).toEqual({us: 7, eu: 0});
    });

    it('is not overruled by health checks: a closed region stays closed however well it is', async () => {
      const haproxy = await start({check: true});
      const router = routerOf(instanceOf(haproxy));
      await eventually(async () => (await tally(haproxy, 3)).us1 !== undefined);
      await router.write(ctx(), {us: 0, eu: 100});
      // Two seconds: time for twenty checks.
      const uptime = async () => Number(/Uptime_sec: (\d+)/.exec(await haproxy.command('show info'))?.[1]);
      const before = await uptime();
      await eventually(async () => (await uptime()) >= before + 2, 20_000);
      expect(await router.read(live())).toEqual({us: 0, eu: 100});
      expect(await tally(haproxy, 10)).toEqual({eu1: 10});
      await router.write(ctx(), {us: 100, eu: 0});
      expect(await tally(haproxy, 10)).toEqual({us1: 5, us2: 5});
    });

    it('works over a UNIX socket', async () => {
      const haproxy = await start();
      const router = routerOf(instanceOf(haproxy, {place: {name: 'HAProxy', to: {path: haproxy.socket}}}));
      await router.write(ctx(), {us: 5, eu: 0});
      expect(await router.read(live())).toEqual({us: 5, eu: 0});
      expect(readFileSync(haproxy.stateFile, 'utf8')).toContain(' be 3 eu1 127.0.0.1 0 1 0 100 ');
    });

    it('names the instance that was killed, and leaves the other alone', async () => {
      const [one, two] = [await start(), await start()];
      const router = routerOf(instanceOf(one), instanceOf(two));
      await router.write(ctx(), {us: 90, eu: 10});
      await two.kill();
      const says = {
        code: 'router-unreachable',
        exit: 69,
        message: expect.stringContaining(`HAProxy at ${two.runtime.port} does not answer`),
      };
      expect(await failed(router.read(live()))).toMatchObject(says);
      expect(await failed(router.write(ctx(), {us: 0, eu: 100}))).toMatchObject(says);
      expect(await routerOf(instanceOf(one)).read(live())).toEqual({us: 90, eu: 10});
      await two.start();
      expect(await router.read(live())).toEqual({us: 90, eu: 10});
      await routerOf(instanceOf(two)).write(ctx(), {us: 0, eu: 10});
      expect(await failed(router.read(live()))).toMatchObject({code: 'router-differs'});
    });

    it('tells what cannot work: weight 0 in the configuration, a static algorithm, a socket that may not', async () => {
      const zero = await start({servers: {us: [backend('us1'), backend('us2')], eu: [backend('eu1', {weight: 0})]}});
      expect(await failed(routerOf(instanceOf(zero)).write(ctx(), {us: 0, eu: 100}))).toMatchObject({code: 'server-weight', exit: 69});
      expect(await tally(zero, 4)).toEqual({us1: 2, us2: 2});
      const fixed = await start({balance: 'static-rr'});
      expect(await failed(routerOf(instanceOf(fixed)).write(ctx(), {us: 50, eu: 50}))).toMatchObject({
        ...{code: 'haproxy-refused', exit: 69},
        message: expect.stringContaining('static LB algorithm'),
      });
      await routerOf(instanceOf(fixed)).write(ctx(), {us: 0, eu: 100});
      expect(await tally(fixed, 4)).toEqual({eu1: 4});
      for (const level of ['operator', 'user'] as const) {
        const denied = await failed(routerOf(instanceOf(await start({level}))).write(ctx(), {us: 0}));
        expect(denied).toMatchObject({
          exit: 69,
          message: expect.stringMatching(/permission denied/i),
          suggestions: [expect.stringContaining('level admin')],
        });
      }
    });

    it('says which servers there are when the fleet file names another', async () => {
      const haproxy = await start();
      const router = haproxyRouter({name: 'front-door', servers: {us: ['be/us9']}, instances: [instanceOf(haproxy)], clock});
      expect(await failed(router.read(live()))).toMatchObject({
        code: 'unknown-server',
        suggestions: [expect.stringContaining('be/us1, be/us2, be/eu1')],
      });
    });
  },
);

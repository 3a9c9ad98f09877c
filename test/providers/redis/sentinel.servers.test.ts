import {afterEach, describe, expect, it} from 'vitest';
import type {Finding} from '../../../src/lib/ports/finding.ts';
import type {Store} from '../../../src/lib/ports/store.ts';
import {eventually} from '../../servers/embedded.ts';
import {noRedis, type RedisOptions, type RedisServer, startRedis} from '../../servers/redis.ts';
import {env, PASSWORD} from './probe-under-test.ts';
import {at, linksOf, live, storeOf, wellTo} from './store-under-test.ts';

const findings = async (store: Store): Promise<readonly Finding[]> => (await store.abilities.overseers?.overseers(live())) ?? [];
const verdicts = (all: readonly Finding[]): string => all.map(({verdict}) => verdict).join(' ');

describe.skipIf(noRedis !== null)(`the Sentinels of a redis store${noRedis === null ? '' : ` (skipped: no ${noRedis})`}`, () => {
  const ends: (() => Promise<unknown>)[] = [];
  const start = async (options: RedisOptions = {}): Promise<RedisServer> => {
    const server = await startRedis(options);
    ends.push(() => server.end());
    return server;
  };
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()));
  });

  const sentinelOf = ({port}: RedisServer, {quorum = 2, ...more}: {quorum?: number; password?: string} = {}): Promise<RedisServer> =>
    start({
      sentinel: true,
      ...(more.password === undefined ? {} : {password: more.password}),
      settings: {
        'sentinel monitor cache-1': `127.0.0.1 ${port} ${quorum}`,
        'sentinel down-after-milliseconds cache-1': '2000',
        'sentinel failover-timeout cache-1': '3000',
      },
    });
  const open = async (
    members: Readonly<Record<string, RedisServer>>,
    sentinels: readonly RedisServer[],
    more: object = {},
  ): Promise<Store> => {
    const parts = Object.fromEntries(Object.entries(members).map(([name, server]) => [name, at(server)]));
    const store = await storeOf(parts, {sentinels: {master: 'cache-1', members: sentinels.map(({port}) => `127.0.0.1:${port}`), ...more}});
    ends.push(() => store.close());
    return store;
  };
  /** A pair with three Sentinels that know each other and the replica. */
  const watched = async () => {
    const us = await start();
    const eu = await start({upstream: us});
    const sentinels = [await sentinelOf(us), await sentinelOf(us), await sentinelOf(us)];
    const store = await open({us, eu}, sentinels);
    // They hear of each other, and of replicas, from what they publish every two seconds, and from INFO every ten.
    await eventually(async () => {
      const known = await Promise.all(sentinels.map((sentinel) => sentinel.cli('sentinel', 'ckquorum', 'cache-1').catch(() => '')));
      const all = await findings(store);
      return (
        known.every((says) => says.startsWith('OK 3 ')) &&
        all.every(({verdict, says}) => verdict === 'pass' && !says.includes('0 replicas'))
      );
    }, 30_000);
    return {us, eu, sentinels, store};
  };

  it('are well while a majority can be reached, warn of one that is down, and are an error when too few are left', async () => {
    const {sentinels, store} = await watched();
    const [first, second, third] = sentinels as [RedisServer, RedisServer, RedisServer];
    const well = await findings(store);
    expect(well.map(({says, check}) => `${check}: ${says}`)).toEqual([
      ...sentinels.map(({port}) => `store cache: sentinel 127.0.0.1:${port} watches us as cache-1, and knows 1 replica`),
      expect.stringMatching(
        /^store cache: the primary can be moved: 3 of 3 Sentinels can be reached from sentinel 127\.0\.0\.1:\d+; the quorum is 2, and a majority of 3 must agree to a move$/,
      ),
      'store cache: 3 Sentinels watch the store',
      'store cache: the Sentinels and us agree that it is the primary',
    ]);
    await third.kill();
    const one = await eventually(async () => {
      const all = await findings(store);
      return all[3]?.says.includes(': 2 of 3 Sentinels') ? all : null;
    });
    expect(verdicts(one)).toBe('pass pass warning pass pass pass');
    expect(one[2]).toMatchObject({
      says: `sentinel 127.0.0.1:${third.port} does not count: sentinel 127.0.0.1:${third.port}: 127.0.0.1:${third.port} refused the connection`,
    });
    second.freeze();
    const two = await eventually(async () => {
      const all = await findings(store);
      return all[3]?.verdict === 'error' ? all : null;
    });
    expect(verdicts(two)).toBe('pass warning warning error pass pass');
    expect(two[3]?.says).toBe(
      `nobody can move the primary: 1 of 3 Sentinels can be reached from sentinel 127.0.0.1:${first.port}; the quorum is 2, and a majority of 3 must agree to a move`,
    );
    second.thaw();
    await eventually(async () => (await findings(store))[3]?.verdict === 'pass');
  });

  it('move the primary, and roles and links follow', async () => {
    const {us, store} = await watched();
    await wellTo(store, 'eu');
    await us.kill();
    await eventually(async () => {
      const cell = (await store.observe(live())).eu;
      return cell?.known === true && cell.value.role === 'primary' && cell.value.writable;
    }, 60_000);
    const gone = await linksOf(store);
    expect(gone).toMatchObject([
      {
        from: 'eu',
        to: 'us',
        senderRead: true,
        senderState: null,
        receiverConnected: null,
        trouble: expect.stringContaining('us: 127.0.0.1:'),
      },
    ]);
    await eventually(async () => (await findings(store)).at(-1)?.says === 'the Sentinels and eu agree that it is the primary', 20_000);
    // It comes back as a primary of its own, and Sentinel tells it some ten seconds later; a Sentinel that stood still for two seconds (TILT) does
    // nothing for thirty.
    await us.start();
    expect(await wellTo(store, 'us', 120_000)).toMatchObject({from: 'eu', to: 'us'});
    expect(await store.observe(live())).toMatchObject({
      us: {value: {role: 'standby', upstream: 'eu'}},
      eu: {value: {role: 'primary', upstream: null}},
    });
    const said = await eventually(async () => {
      const all = await findings(store);
      return all.every(({verdict}) => verdict === 'pass') ? all : null;
    }, 20_000);
    expect(said.at(-1)?.says).toBe('the Sentinels and eu agree that it is the primary');
  }, 240_000);

  it('are an error when they do not agree who is the primary, or name a replica or a stranger', async () => {
    const us = await start();
    const eu = await start({upstream: us});
    const strange = await start();
    const [right, wrong, lost] = [
      await sentinelOf(us, {quorum: 1}),
      await sentinelOf(strange, {quorum: 1}),
      await sentinelOf(strange, {quorum: 1}),
    ];
    const split = (await findings(await open({us, eu}, [right, wrong]))).at(-1);
    expect(split).toMatchObject({
      verdict: 'error',
      says: `the Sentinels do not agree who is the primary: sentinel 127.0.0.1:${right.port} says us; sentinel 127.0.0.1:${wrong.port} says 127.0.0.1:${strange.port}`,
    });
    expect((await findings(await open({us, eu}, [wrong, lost]))).at(-1)).toMatchObject({
      verdict: 'error',
      says: `the Sentinels say that 127.0.0.1:${strange.port} is the primary, which is the address of no member`,
    });
    // They are told of it a moment later than the members.
    const store = await open({us, eu}, [right]);
    await eu.cli('replicaof', 'no', 'one');
    await us.cli('replicaof', '127.0.0.1', String(eu.port));
    const told = (await findings(store)).at(-1);
    expect(told).toMatchObject({
      verdict: 'error',
      says: 'the Sentinels say that us is the primary, which answers as a replica; eu answers as primary',
    });
  });

  it('are too few when there are one or two, and say so when they know nothing of the store', async () => {
    const us = await start();
    const one = await sentinelOf(us, {quorum: 1});
    const alone = await findings(await open({us}, [one]));
    expect(verdicts(alone)).toBe('pass pass warning pass');
    expect(alone[2]?.says).toBe('1 Sentinel watches the store: when one is lost, nobody can move the primary');
    const other = await storeOf({us: at(us)}, {sentinels: {master: 'unheard-of', members: [`127.0.0.1:${one.port}`]}});
    ends.push(() => other.close());
    const none = await findings(other);
    expect(none[0]).toMatchObject({verdict: 'error', says: expect.stringContaining('watches nothing called unheard-of')});
    expect(none[1]).toMatchObject({verdict: 'unknown'});
    expect(await storeOf({us: at(us)})).not.toHaveProperty('abilities.overseers');
  });

  it('are not known when they do not let us in, and are asked as their own user', async () => {
    const us = await start();
    const sentinel = await sentinelOf(us, {quorum: 1, password: PASSWORD});
    const kept = await findings(await open({us}, [sentinel]));
    expect(kept[0]).toMatchObject({verdict: 'unknown', says: expect.stringContaining('wants a login')});
    expect(kept[1]).toMatchObject({verdict: 'unknown'});
    expect(JSON.stringify(kept)).not.toContain(PASSWORD);
    await sentinel.cli(
      'acl',
      'setuser',
      'watcher',
      'on',
      `>${PASSWORD}`,
      '+info',
      '+sentinel|master',
      '+sentinel|ckquorum',
      '+sentinel|get-master-addr-by-name',
    );
    const told = await findings(await open({us}, [sentinel], {user: 'watcher', password: env('PASSWORD')}));
    expect(verdicts(told)).toBe('pass pass warning pass');
  });
});

import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import type {Store} from '../../../src/lib/ports/store.ts';
import {eventually} from '../../servers/embedded.ts';
import {noRedis, type RedisOptions, type RedisServer, startRedis} from '../../servers/redis.ts';
import {CERTIFICATES, certificate, env, PASSWORD} from './probe-under-test.ts';
import {at, type Keys, linksOf, linkTo, live, storeOf, wellTo} from './store-under-test.ts';

describe.skipIf(noRedis !== null)(`the login of a redis store${noRedis === null ? '' : ` (skipped: no ${noRedis})`}`, () => {
  const servers: RedisServer[] = [];
  const stores: Store[] = [];
  const start = async (options: RedisOptions = {}): Promise<RedisServer> => {
    const server = await startRedis(options);
    servers.push(server);
    return server;
  };
  const open = async (members: Readonly<Record<string, Keys>>, keys: Keys = {}): Promise<Store> => {
    const store = await storeOf(members, keys);
    stores.push(store);
    return store;
  };
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await Promise.all(servers.splice(0).map((server) => server.end()));
  });

  it.each([
    [
      'a wrong password',
      {password: env('WRONG')},
      'auth',
      /^us: 127\.0\.0\.1:\d+ refuses the login: wrong user or password \(WRONGPASS\)$/,
    ],
    ['no password', {}, 'auth', /^us: 127\.0\.0\.1:\d+ wants a login: give user and password \(NOAUTH\)$/],
  ] as const)('does not know a member that refuses us: %s', async (_name, keys, code, reason) => {
    const us = await start({password: PASSWORD});
    const store = await open({us: at(us)}, keys);
    const cell = (await store.observe(live())).us;
    expect(cell).toMatchObject({known: false, code, reason: expect.stringMatching(reason)});
    expect(JSON.stringify(await linksOf(store))).not.toContain(PASSWORD);
  });

  it('needs no more than INFO, and with CONFIG GET knows when a primary is silent', async () => {
    const us = await start({password: PASSWORD});
    const eu = await start({password: PASSWORD, upstream: us});
    for (const server of [us, eu]) {
      await server.cli('acl', 'setuser', 'watcher', 'on', `>${PASSWORD}`, '+info', '+config|get');
      await server.cli('acl', 'setuser', 'least', 'on', `>${PASSWORD}`, '+info');
      await server.cli('acl', 'setuser', 'nobody', 'on', `>${PASSWORD}`);
    }
    const as = (user: string) => open({us: at(us), eu: at(eu)}, {user, password: env('PASSWORD')});
    expect(await wellTo(await as('watcher'), 'eu')).toMatchObject({senderState: 'streaming', silentAfterMs: 12_000, trouble: null});
    expect(await linkTo(await as('least'), 'eu')).toMatchObject({senderState: 'streaming', silentAfterMs: null, trouble: null});
    const none = await (await as('nobody')).observe(live());
    expect(none.us).toMatchObject({known: false, code: 'privilege', reason: expect.stringContaining('does not let this user ask INFO')});
  });

  it('speaks TLS, as a client with a certificate of its own', async () => {
    const tls = {cert: certificate('good'), key: join(CERTIFICATES, 'server.key'), ca: certificate('ca')};
    const us = await start({password: PASSWORD, tls, settings: {'tls-auth-clients': 'yes'}});
    const member = {us: {address: `127.0.0.1:${us.tlsPort}`}};
    const secure = {tls: true, ca: 'ca.pem', serverName: 'localhost', password: env('PASSWORD')};
    const own = {cert: 'good.pem', key: env('KEY')};
    expect(await (await open(member, {...secure, ...own})).observe(live())).toMatchObject({us: {known: true, value: {role: 'primary'}}});
    expect(await (await open(member, {...secure, ...own, ca: 'other.pem'})).observe(live())).toMatchObject({
      us: {known: false, code: 'tls'},
    });
    expect(await (await open(member, {...secure, cert: 'good.pem', key: env('BAD_KEY')})).observe(live())).toMatchObject({
      us: {known: false, code: 'probe-failed'},
    });
  });

  it('says that a server has no room for us, which it tells once before it closes', async () => {
    const us = await start({settings: {maxclients: '1'}});
    await eventually(async () => (await (await open({us: at(us)})).observe(live())).us?.known);
    expect(await (await open({us: at(us)})).observe(live())).toMatchObject({
      us: {known: false, code: 'exhausted', reason: expect.stringContaining('has no free connection')},
    });
  });
});

import {type AddressInfo, connect, createServer, type Socket} from 'node:net';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, it, vi} from 'vitest';
import {createOpener, endClient, type Place, secureBy} from '../../../src/lib/providers/postgres/connect.ts';
import {besides} from '../../../src/lib/providers/postgres/side-session.ts';
import {eventually, PASSWORD, type Server, type Servers} from '../../servers/embedded.ts';
import {signal, testContext, testCtx} from './open-store.ts';
import {ask, CERTIFICATES, check, LOGIN, OWN, SECURE, type Shows, show, startTlsServers, storeOf} from './tls-servers.ts';
import {writeOne} from './witness-world.ts';

describe('PostgreSQL that takes only hostssl', () => {
  let servers: Servers;
  let [us, eu] = [] as unknown as [Server, Server];
  beforeAll(async () => {
    servers = await startTlsServers(['us', 'eu']);
    [us, eu] = servers.all as [Server, Server];
    await ask(
      us,
      `create role watcher login password '${PASSWORD}'; grant pg_monitor to watcher; create role shown login password '${PASSWORD}'`,
    );
    await eventually(async () => (await ask(us, "select 1 from pg_stat_replication where state = 'streaming'")).length === 1);
    await eventually(async () => (await ask(eu, "select 1 from pg_roles where rolname = 'shown'")).length === 1);
  });
  afterAll(() => servers?.end());
  afterEach(() => void vi.unstubAllEnvs());

  /** What the store says of the primary, which shows this certificate by then. */
  const seen = async (keys: Readonly<Record<string, unknown>>, host?: string) => {
    const store = await storeOf([us], keys, host);
    try {
      return (await store.observe(signal())).us;
    } finally {
      await store.close();
    }
  };
  const showing = async (shows: Shows, code: string) => {
    show(us, shows);
    await eventually(async () => (await check(us)).code === code);
  };

  it('is observed, its links and its loss are read by the monitor role, and it is claimed, all over TLS', async () => {
    const store = await storeOf(servers.all, {...SECURE, monitor: {user: 'watcher', password: LOGIN.password}});
    try {
      expect(await store.observe(signal())).toMatchObject({
        us: {known: true, value: {role: 'primary'}},
        eu: {known: true, value: {role: 'standby'}},
      });
      const [link] = await store.abilities.links.links(signal());
      expect(link).toMatchObject({from: 'us', to: 'eu', senderState: 'streaming', trouble: null});
      const lost = await eventually(async () => {
        const loss = await store.abilities.loss.loss('eu', signal());
        return loss.bytes === 0 ? loss : null;
      });
      expect(lost).toMatchObject({transactions: 0});
      expect((await store.abilities.claim.claim(testCtx())).toSorted()).toEqual(['eu', 'us']);
      const ours = `select usename as "who", bool_and(ssl) as "secure" from pg_stat_ssl join pg_stat_activity using (pid)
        where application_name like 'regionctl%' group by 1 order by 1`;
      for (const server of servers.all)
        expect(await ask(server, ours)).toEqual([
          {who: 'regionctl', secure: true},
          {who: 'watcher', secure: true},
        ]);
    } finally {
      await store.close();
    }
  });

  it('is written to by the witness over TLS, which also ends what hangs when it is given up', async () => {
    await ask(us, 'grant create on schema public to watcher');
    const store = await storeOf(servers.all, {...SECURE, witness: {user: 'watcher', password: LOGIN.password}});
    const sessions = `select ssl as "secure", wait_event as "waits" from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'regionctl witness w'`;
    try {
      const {witness} = store.abilities;
      await witness.prepare(signal());
      const writer = witness.writer('us', 'w');
      expect(await writeOne(writer, 'one')).toBe('acknowledged');
      // What it answered can be here before it waits for the next question.
      await eventually(async () => (await ask<{waits: string | null}>(us, sessions))[0]?.waits === 'ClientRead');
      expect(await ask(us, sessions)).toEqual([{secure: true, waits: 'ClientRead'}]);
      await ask(us, "alter system set synchronous_standby_names = 'nobody'");
      await ask(us, 'select pg_reload_conf()');
      await eventually(
        async () => (await ask<{n: string}>(us, `select current_setting('synchronous_standby_names') as n`))[0]?.n === 'nobody',
      );
      const hanging = writeOne(writer, 'two', 500);
      await eventually(async () => (await ask<{waits: string}>(us, sessions))[0]?.waits === 'SyncRep');
      expect(await hanging).toBe('unknown');
      // Somebody is let in after it was left, so the server is known to live: only the newer one hangs then.
      const beside = writeOne(writer, 'three', 500);
      await eventually(async () => (await witness.readBack('us', 'w', signal())).has('two'), 3000);
      expect(await beside).toBe('unknown');
      writer.close();
      await witness.clean('w', signal());
      expect(await ask(us, sessions)).toEqual([]);
      await ask(us, 'alter system reset synchronous_standby_names');
      await ask(us, 'select pg_reload_conf()');
      expect(await ask(us, `select to_regclass('public.regionctl_witness')::text as t`)).toEqual([{t: null}]);
    } finally {
      await store.close();
    }
  });

  it('is fenced and let go again, and a standby that is pointed at it streams over TLS by itself', async () => {
    const store = await storeOf(servers.all);
    try {
      const {fence, claim, follow} = store.abilities;
      expect(await fence.fence(testCtx(), 'us')).toMatchObject({kind: 'closed', leaks: []});
      await expect(ask(us, 'select 1')).rejects.toMatchObject({code: '28000'});
      await fence.lift(testCtx(), 'us', 'undo');
      expect(await fence.open(testCtx(), 'us')).toBe(true);
      await claim.claim(testCtx());
      await follow.follow(testCtx(), 'eu', 'us');
      const [conninfo] = await ask<{primary_conninfo: string}>(eu, 'show primary_conninfo');
      expect(conninfo?.primary_conninfo).not.toContain('sslmode');
      const sender = 'select ssl from pg_stat_ssl join pg_stat_replication using (pid)';
      await eventually(async () => (await ask(us, sender)).length === 1);
      expect(await ask(us, sender)).toEqual([{ssl: true}]);
    } finally {
      await store.close();
    }
  });

  it('is read by the store of a Patroni, too, whatever its REST API speaks', async () => {
    const store = await storeOf([us], SECURE, '127.0.0.1', {rest: 'http://127.0.0.1:1'});
    expect(await store.observe(signal())).toMatchObject({us: {known: true, value: {role: 'primary'}}});
    await store.close();
    const clear = await storeOf([us], {}, '127.0.0.1', {rest: 'https://127.0.0.1:1'});
    expect(await clear.observe(signal())).toMatchObject({us: {known: false, code: 'auth'}});
    await clear.close();
  });

  it('refuses us in clear, and we say what to set', async () => {
    // What the environment says is not heard: this would encrypt, and verify nothing.
    vi.stubEnv('PGSSLMODE', 'no-verify');
    const wanted = {
      known: false,
      code: 'auth',
      reason: expect.stringMatching(/no encryption; where it takes only hostssl, set tls: true in the fleet file\.$/),
    };
    expect(await seen({})).toMatchObject(wanted);
    expect(await check(us, {})).toMatchObject({ok: false, code: 'auth', detail: wanted.reason, connected: true});
  });

  it('answers the probe, by its address, its name, or the name that is given', async () => {
    expect(await check(us, {...SECURE, expect: 'primary'})).toMatchObject({ok: true, facts: {role: 'primary'}});
    expect(await check(us, {...SECURE, host: 'localhost'})).toMatchObject({ok: true});
    expect(await check(us, {...SECURE, serverName: 'localhost'})).toMatchObject({ok: true});
    expect(await seen(SECURE, 'localhost')).toMatchObject({known: true});
  });

  it.each([
    [
      'another serverName',
      {...SECURE, serverName: 'db.example.com'},
      'its certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID); set serverName',
    ],
    [
      'another address as serverName',
      {...SECURE, serverName: '127.0.0.2'},
      'its certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID); set serverName',
    ],
    [
      'no ca',
      {tls: true},
      'nobody who is trusted here has signed its certificate (SELF_SIGNED_CERT_IN_CHAIN); name the file of its authority in ca',
    ],
    [
      'another ca',
      {tls: true, ca: 'other.pem'},
      'nobody who is trusted here has signed its certificate (SELF_SIGNED_CERT_IN_CHAIN); name the file of its authority in ca',
    ],
  ])('is not trusted with %s', async (_, keys, says) => {
    const reason = expect.stringContaining(`127.0.0.1:${us.port}) gives no trusted TLS connection: ${says}`);
    expect(await check(us, keys)).toMatchObject({ok: false, code: 'tls', detail: reason, connected: true});
    expect(await seen(keys)).toMatchObject({known: false, code: 'tls', reason});
  });

  it('is not trusted by an address that its certificate does not have', async () => {
    // The whole of 127.0.0.0/8 is this machine, and the server listens on one address of it.
    const relay = createServer((from) => {
      const to = connect(us.port, '127.0.0.1');
      from.pipe(to).on('error', () => from.destroy());
      to.pipe(from).on('error', () => to.destroy());
    });
    await new Promise<void>((done) => relay.listen(0, '127.0.0.2', done));
    const at = {port: (relay.address() as AddressInfo).port};
    expect(await check(at, {...SECURE, host: '127.0.0.2'})).toMatchObject({
      ok: false,
      code: 'tls',
      detail: expect.stringContaining('for another name'),
    });
    expect(await check(at, {...SECURE, host: '127.0.0.2', serverName: '127.0.0.1'})).toMatchObject({ok: true});
    relay.close();
  });

  it.each([
    ['expired', 'tls', 'gives no trusted TLS connection: its certificate has expired (CERT_HAS_EXPIRED); renew it.'],
    ['other', 'tls', 'gives no trusted TLS connection: its certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID); set serverName'],
    ['none', 'no-tls', 'does not offer TLS; set ssl = on there, or take tls: true out of the fleet file.'],
  ] as const)('is told from one whose certificate is %s', async (shows, code, says) => {
    try {
      await showing(shows, code);
      expect(await seen(SECURE)).toMatchObject({known: false, code, reason: expect.stringContaining(`us (127.0.0.1:${us.port}) ${says}`)});
      if (shows === 'other') expect(await seen({...SECURE, serverName: 'other.example'})).toMatchObject({known: true});
    } finally {
      await showing('good', 'ok');
    }
  });

  it('is shown our certificate where it asks for one', async () => {
    const login = {...SECURE, user: 'shown'};
    expect(await check(us, login)).toMatchObject({ok: false, code: 'auth', detail: expect.stringContaining('valid client certificate')});
    expect(await check(us, {...login, ...OWN})).toMatchObject({ok: true});
  });

  it.each([
    [
      'ca',
      {...SECURE, ca: 'nowhere.pem'},
      'ca in the fleet file: the file of trusted certificates CERTIFICATES/nowhere.pem cannot be read (ENOENT).',
    ],
    [
      'cert',
      {...SECURE, ...OWN, cert: 'nowhere.pem'},
      'cert in the fleet file: the certificate CERTIFICATES/nowhere.pem cannot be read (ENOENT).',
    ],
  ])('says nothing of itself where %s cannot be read', async (_, keys, says) => {
    const reason = says.replace('CERTIFICATES', CERTIFICATES);
    expect(await check(us, keys)).toMatchObject({ok: null, code: 'probe-failed', detail: reason});
    expect(await seen(keys)).toMatchObject({known: false, code: 'probe-failed', reason});
  });

  it('is read over a connection beside the others, which is broken off as one without TLS is', async () => {
    const cancel = new AbortController();
    const node = {name: 'us', place: placeAt(us.port)} as Parameters<typeof besides>[1];
    const work = besides({...testCtx(), signal: cancel.signal}, node, async (session) => {
      expect(await session.rows('select ssl from pg_stat_ssl where pid = pg_backend_pid()')).toEqual([{ssl: true}]);
      setTimeout(() => cancel.abort(new Error('enough')), 50);
      return session.rows('select pg_sleep(20)');
    });
    await expect(work).rejects.toThrow('enough');
  });

  const placeAt = (port: number): Place => {
    const tls = {serverName: '127.0.0.1', caFile: join(CERTIFICATES, 'ca.pem'), own: null};
    const login = {user: 'regionctl', database: 'orders', password: async () => PASSWORD};
    return {host: '127.0.0.1', port, label: 'us', ...login, ...secureBy(tls, testContext.secrets)};
  };

  it('that is frozen costs the probe its deadline, and is met again at once', async () => {
    us.freeze();
    const began = performance.now();
    expect(await check(us, SECURE, 200)).toMatchObject({ok: false, code: 'timeout', connected: true});
    expect(performance.now() - began).toBeLessThan(1000);
    us.thaw();
    expect(await check(us)).toMatchObject({ok: true});
  });

  it('that froze in the middle of the handshake is left at the deadline, and answers on the same connection after it', async () => {
    const ways: Socket[] = [];
    // Who is let through, one of these ways.
    let free: (way: Socket) => boolean = () => false;
    const relay = createServer((from) => {
      const to = connect(us.port, '127.0.0.1');
      ways.push(from);
      from.on('error', () => to.destroy()).on('close', () => to.destroy());
      to.on('error', () => from.destroy());
      to.pipe(from);
      let held: Buffer[] = [];
      let sent = 0;
      const pass = setInterval(() => {
        if (!free(from)) return;
        for (const chunk of held) to.write(chunk);
        held = [];
      }, 5);
      from.on('close', () => clearInterval(pass));
      from.on('data', (chunk: Buffer) => {
        // The request for TLS is answered; what comes after it is held.
        if (sent++ === 0) to.write(chunk);
        else held.push(chunk);
      });
    });
    await new Promise<void>((done) => relay.listen(0, '127.0.0.1', done));
    const opener = createOpener(placeAt((relay.address() as AddressInfo).port), () => undefined);
    try {
      const began = performance.now();
      await expect(opener.open(200)).rejects.toThrow('timeout expired');
      expect(performance.now() - began).toBeLessThan(1000);
      expect(opener.reached()).toBe(true);
      expect(ways[0]?.destroyed).toBe(false);
      // The one that was tried first, and still waits.
      free = (way) => way === ways[0];
      const client = await opener.open(2000);
      expect((await client.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')).rows).toEqual([{ssl: true}]);
      await eventually(() => ways.slice(1).every(({destroyed}) => destroyed));
      expect(ways).toHaveLength(2);
      await endClient(client);
      free = () => false;
      await expect(opener.open(100)).rejects.toThrow('timeout expired');
      opener.close();
      await eventually(() => ways.every(({destroyed}) => destroyed));
    } finally {
      opener.close();
      for (const way of ways) way.destroy();
      relay.close();
    }
  });
});

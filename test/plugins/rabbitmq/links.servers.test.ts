import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {publish, take} from '../../../plugins/rabbitmq/test/client.ts';
import {CLEAR} from '../../../src/lab/faulty-proxy.ts';
import type {Store} from '../../../src/lib/ports/store.ts';
import type {LagRow} from '../../../src/lib/replication/lag.ts';
import {CA_FILE} from '../../providers/tls/tls-server.ts';
import {eventually} from '../../servers/embedded.ts';
import {APP, type Broker, MONITOR, noRabbitmq, PASSWORDS} from '../../servers/rabbitmq.ts';
import {appSecret, LINKS, lagOf, linkUp, monitorSecret, type Pair, probe, startPair, store} from './world.ts';

const as = ({port}: Broker) => ({port, ...APP});
const live = () => AbortSignal.timeout(10_000);

describe.skipIf(noRabbitmq !== null)(`RabbitMQ's links${noRabbitmq === null ? '' : ` (${noRabbitmq})`}`, () => {
  let pair: Pair;
  let events: Store;
  beforeAll(async () => {
    pair = await startPair();
    await linkUp(pair);
    events = await store({us: pair.us.url, eu: pair.eu.url}, LINKS);
    await until(['orders', 'news', 'jobs'], ({state}) => state === 'idle');
  });
  afterEach(() => pair.way.reshape(CLEAR));
  afterAll(async () => {
    await events?.close();
    await pair?.end();
  });

  /** Asks for the lag until each of the links is as wanted; answers the last rows. */
  async function until(
    names: readonly string[],
    isWanted: (row: LagRow) => boolean,
    ms = 20_000,
  ): Promise<Readonly<Record<string, LagRow>>> {
    let rows: Readonly<Record<string, LagRow>> = {};
    await eventually(async () => {
      rows = await lagOf(events);
      return names.every((name) => rows[name] !== undefined && isWanted(rows[name])) || null;
    }, ms).catch((error: unknown) => {
      throw new Error(JSON.stringify(rows, null, 1), {cause: error});
    });
    return rows;
  }

  it('are idle when everything was carried', async () => {
    const {orders} = await lagOf(events);
    expect(orders).toMatchObject({state: 'idle', seconds: 0, withinRpo: true, replayBytes: null, from: 'us', to: 'eu'});
    expect(orders?.messages).toMatchObject({
      carrier: 'the shovel orders-in on eu',
      queue: 'orders',
      depth: 0,
      unacknowledged: 0,
      deadLettered: 0,
    });
    expect(orders?.reason).toBe('the shovel orders-in on eu has taken everything from orders, and nothing comes in.');
  });

  it('lag when they are cut, and catch up when they are healed: nothing is lost, and what was sent twice is told', async () => {
    await publish(as(pair.us), '', 'orders', {count: 20, stamped: true});
    await until(['orders'], ({messages}) => messages?.depth === 0);

    pair.way.reshape({...CLEAR, blackHole: true});
    await publish(as(pair.us), '', 'orders', {count: 30, stamped: true});
    await publish(as(pair.us), 'news', 'a.b', {count: 5, stamped: false});
    const cut = await until(['orders', 'news', 'jobs'], ({state}) => state === 'broken');
    expect(cut.orders?.messages).toMatchObject({depth: 30});
    expect(cut.orders?.reason).toMatch(
      /^the shovel orders-in on eu (has no connection: it says starting since|does not run: it says terminated)/,
    );
    expect(cut.orders?.reason).toMatch(/30 messages wait in orders on us/);
    expect(cut.news?.messages).toMatchObject({queue: 'federation: news -> eu', depth: 5});
    expect(JSON.stringify(cut)).not.toContain(APP.password);
    const aged = await until(['orders'], ({messages}) => messages?.ageBasis === 'timestamp');
    const late = await until(['orders'], ({seconds}) => (seconds ?? 0) > Math.max(3, aged.orders?.seconds ?? 0));
    expect(late.orders?.withinRpo).toBe(false);
    const {news} = await until(['news'], ({messages}) => messages?.ageBasis === 'estimate');
    expect(news?.seconds).toBeGreaterThan(0);
    expect(await events.abilities.loss?.loss('eu', live())).toMatchObject({
      transactions: 35,
      bytes: null,
      certainty: 'estimate',
      basis: 'Messages that wait for eu: 30 of orders on us, 5 of news on us, 0 of jobs on us; publishers may go on.',
    });

    pair.way.reshape(CLEAR);
    const healed = await until(['orders', 'news'], ({state, seconds}) => (state === 'idle' || state === 'streaming') && seconds === 0);
    expect(healed.orders?.messages?.depth).toBe(0);
    const carried = await take(as(pair.eu), 'orders', 50);
    expect(new Set(carried).size).toBe(30);
    expect(carried.length).toBeGreaterThanOrEqual(50);
    expect(await take(as(pair.eu), 'news-in-eu', 5)).toHaveLength(5);
    // The first of them were on their way when the link was cut.
    await until(['orders'], ({messages}) => (messages?.redelivered ?? 0) > 0);
  });

  it('are stalled when they run and nothing moves, until somebody takes what waits', async () => {
    await publish(as(pair.us), '', 'jobs', {count: 4, stamped: false});
    const {jobs} = await until(['jobs'], ({state}) => state === 'stalled');
    expect(jobs).toMatchObject({code: 'stalled', messages: {flow: 'running', depth: 4, movedPerSecond: 0, consumers: 0}});
    expect(jobs?.reason).toMatch(/^4 messages wait in jobs on us.*, and nobody consumes jobs on us\.$/);
    expect(await take(as(pair.eu), 'jobs', 4)).toEqual(['0', '1', '2', '3']);
    await until(['jobs'], ({state, seconds}) => state !== 'stalled' && seconds === 0);
  });

  it('are broken when their broker knows nothing of them; dead letters are counted', async () => {
    const args = {'x-message-ttl': 1, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'payments-dead'};
    await pair.us.api('PUT', 'queues/%2f/payments', {durable: true, arguments: args});
    await pair.us.api('PUT', 'queues/%2f/payments-dead', {durable: true});
    const missing = await store(
      {us: pair.us.url, eu: pair.eu.url},
      {payments: {from: 'us', to: 'eu', shovel: 'payments-in', queue: 'payments'}},
    );
    await publish(as(pair.us), '', 'payments', {count: 3, stamped: true});
    const row = await eventually(async () => {
      const {payments} = await lagOf(missing);
      return payments?.messages?.deadLettered === 3 ? payments : null;
    });
    expect(row).toMatchObject({state: 'broken', code: 'link-down', messages: {flow: 'down', depth: 0}});
    expect(row.reason).toContain('eu has no shovel of this name in the virtual host /');
    const findings = (await missing.abilities.inspect?.inspect(live())) ?? [];
    expect(findings.filter(({verdict}) => verdict !== 'pass')).toMatchObject([
      {
        verdict: 'warning',
        member: 'eu',
        says: 'eu runs the shovel orders-in, which no link of the fleet file names: nobody watches its lag',
      },
      {verdict: 'error', says: expect.stringContaining('payments us → eu: the shovel payments-in on eu does not run')},
    ]);
    await missing.close();
  });

  it('are not known where the sending broker is frozen: neither drained nor late', async () => {
    pair.us.freeze();
    try {
      const {orders} = await until(['orders'], ({messages}) => messages?.depth === null);
      expect(orders).toMatchObject({seconds: null, withinRpo: null, messages: {depth: null, oldestAgeSeconds: null}});
      expect(['unknown', 'broken']).toContain(orders?.state);
      expect(orders?.reason).toContain('how many messages wait in orders on us is not known');
    } finally {
      pair.us.thaw();
    }
    await until(['orders', 'news', 'jobs'], ({state}) => state === 'idle' || state === 'streaming');
  });

  it('an alarm stops publishers: the probes are down, and the member takes no writes', async () => {
    const node = await probe('rabbitmq', {url: pair.us.url, user: MONITOR.user, password: monitorSecret});
    const messages = await probe('rabbitmq-message', {address: `127.0.0.1:${pair.us.port}`, user: APP.user, password: appSecret});
    await pair.us.ctl('set_vm_memory_high_watermark', 'absolute', '1');
    try {
      // The operator's command ends a moment before the broker looks at its memory.
      await eventually(async () => (await node.check(live())).code === 'alarm');
      expect(await node.check(live())).toMatchObject({
        ok: false,
        detail: 'us@localhost stops publishers: the memory alarm of us@localhost',
      });
      expect(await messages.check(live())).toMatchObject({ok: false, code: 'blocked'});
      const {us} = await events.observe(live());
      expect(us).toMatchObject({known: true, value: {role: 'peer', writable: false}});
    } finally {
      await pair.us.ctl('set_vm_memory_high_watermark', '0.4');
    }
    await eventually(async () => (await messages.check(live())).ok && (await node.check(live())).ok);
  });

  it.each([
    ['a wrong password', {user: APP.user, password: '$' + '{env:wrong}'}, 'unauthorized'],
    ['a virtual host that is not there', {user: APP.user, password: appSecret, vhost: 'nowhere'}, 'not-allowed'],
    ['a user without any right', {user: MONITOR.user, password: monitorSecret}, 'unauthorized'],
  ])('the probe by messages says what the broker says to %s', async (_name, login, code) => {
    const refused = await probe('rabbitmq-message', {address: `127.0.0.1:${pair.us.port}`, ...login});
    const result = await refused.check(live());
    expect(result, result.detail).toMatchObject({ok: false, code});
    for (const secret of [...PASSWORDS, 'wr0ng']) expect(result.detail).not.toContain(secret);
  });

  it('the probe by messages needs no more rights than its README says', async () => {
    await pair.us.api('PUT', 'users/prober', {password: APP.password, tags: ''});
    const own = '^amq\\.(gen.*|default)$';
    await pair.us.api('PUT', 'permissions/%2f/prober', {configure: own, write: own, read: own});
    const narrow = await probe('rabbitmq-message', {
      address: `127.0.0.1:${pair.us.port}`,
      user: 'prober',
      password: appSecret,
      messages: 500,
    });
    expect(await narrow.check(live())).toMatchObject({ok: true, facts: {messages: 500}});
    const left = async () =>
      (await pair.us.api<{name: string}[]>('GET', 'queues?columns=name')).filter(({name}) => name.startsWith('amq.gen'));
    await eventually(async () => (await left()).length === 0);
  });

  it.each([
    ['by the authority of the fleet file', {ca: CA_FILE}, 'ok'],
    ['not by the authorities of the system', {}, 'tls'],
  ])('both probes speak TLS, and trust the broker %s', async (_name, trust, code) => {
    const node = await probe('rabbitmq', {url: pair.us.tlsUrl, user: MONITOR.user, password: monitorSecret, ...trust});
    const address = `127.0.0.1:${pair.us.tlsPort}`;
    const messages = await probe('rabbitmq-message', {address, tls: true, user: APP.user, password: appSecret, ...trust});
    const results = await Promise.all([node.check(live()), messages.check(live())]);
    expect(results, JSON.stringify(results)).toMatchObject([{code}, {code}]);
  });

  it('the probe of a node names the right that its user lacks', async () => {
    const blind = await probe('rabbitmq', {url: pair.us.url, user: APP.user, password: appSecret});
    const result = await blind.check(live());
    expect(result).toMatchObject({
      ok: false,
      code: 'unauthorized',
      detail: expect.stringContaining('to the user app: Not management user'),
    });
  });
});

import {afterEach, describe, expect, it} from 'vitest';
import type {Store} from '../../../src/lib/ports/store.ts';
import {judgeLinks, type LagRow} from '../../../src/lib/replication/lag.ts';
import {comparePositions} from '../../../src/lib/snapshot/position.ts';
import {eventually} from '../../servers/embedded.ts';
import {noRedis, type RedisOptions, type RedisServer, startRedis} from '../../servers/redis.ts';
import {deadPort} from '../listener.ts';
import {at, type Keys, linksOf, linkTo, live, storeOf, wellTo} from './store-under-test.ts';

const judged = async (store: Store): Promise<readonly LagRow[]> =>
  judgeLinks(await linksOf(store), {store: 'cache', engine: 'redis', rpoMs: null});
const connections = async (server: RedisServer): Promise<number> =>
  (await server.cli('client', 'list', 'type', 'normal')).split('\n').filter((line) => !line.includes('cmd=client|list')).length;

describe.skipIf(noRedis !== null)(`a redis store${noRedis === null ? '' : ` (skipped: no ${noRedis})`}`, () => {
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

  it('shows roles, places and who follows whom, and an idle link is well at the first look and at every other', async () => {
    const us = await start();
    const eu = await start({upstream: us});
    const store = await open({us: at(us), eu: at(eu)});
    await us.cli('set', 'order', '1');
    const seen = await eventually(async () => {
      const cells = await store.observe(live());
      return cells.us?.known && cells.eu?.known && comparePositions(cells.us.value.durable, cells.eu.value.durable) === 0
        ? [cells.us.value, cells.eu.value]
        : null;
    });
    expect(seen[0]).toMatchObject({region: 'us-region', role: 'primary', writable: true, upstream: null});
    expect(seen[1]).toMatchObject({region: 'eu-region', role: 'standby', writable: false, upstream: 'us'});
    expect(seen[0]?.durable).toMatchObject({lineage: (/master_replid:(\w+)/.exec(await us.cli('info', 'replication')) ?? [])[1], epoch: 0});
    for (let looks = 0; looks < 20; looks += 1) {
      const [row] = await judged(store);
      expect(row).toMatchObject({
        from: 'us',
        to: 'eu',
        state: expect.stringMatching(/^(streaming|idle)$/),
        code: expect.stringMatching(/^(ok|idle)$/),
      });
    }
    expect(await linkTo(store, 'eu')).toMatchObject({
      kind: 'replica',
      senderState: 'streaming',
      receiverConnected: true,
      sendBytes: null,
      silentAfterMs: 12_000,
      runwayBytes: 1024 * 1024,
    });
    expect(Object.keys(await store.observe(live(), ['eu']))).toEqual(['eu']);
    expect(await store.ackRule(live())).toMatchObject({known: true, value: {kind: 'async', need: 0}});
    expect(store).toMatchObject({engine: 'redis', watched: true});
  });

  it('holds one connection to each member, however much is asked at the same time, and none once it is closed', async () => {
    const us = await start();
    const eu = await start({upstream: us});
    const store = await open({us: at(us), eu: at(eu)});
    const before = await connections(us);
    await Promise.all([store.observe(live()), linksOf(store), store.abilities.loss?.loss('eu', live()), linksOf(store)]);
    expect(await connections(us)).toBe(before + 1);
    await store.close();
    await eventually(async () => (await connections(us)) === before);
    expect(await store.observe(live())).toMatchObject({us: {known: false}, eu: {known: false}});
  });

  it('reads on after a server was restarted, over a new connection', async () => {
    const us = await start();
    const store = await open({us: at(us)});
    expect(await store.observe(live())).toMatchObject({us: {known: true}});
    await us.kill();
    expect(await store.observe(live())).toMatchObject({
      us: {known: false, code: 'refused', reason: expect.stringContaining('us: 127.0.0.1:')},
    });
    await us.start();
    expect(await store.observe(live())).toMatchObject({us: {known: true}});
  });

  it('tells since when something is missing while much is written, and never more than was', async () => {
    const us = await start();
    const eu = await start({upstream: us});
    const store = await open({us: at(us), eu: at(eu)});
    await wellTo(store, 'eu');
    const value = 'x'.repeat(10_000);
    let writing = true;
    const writer = (async () => {
      while (writing) await us.cli('set', 'order', value);
    })();
    try {
      for (let looks = 0; looks < 30; looks += 1) {
        const {replayBytes, lastReplayAgeSeconds: seconds, endOffset, replayOffset} = await linkTo(store, 'eu');
        expect(replayBytes).toBe(Math.max(0, Number(endOffset) - Number(replayOffset)));
        expect(seconds).toBeLessThan(2);
      }
    } finally {
      writing = false;
      await writer;
    }
  });

  it('follows a chain: a replica of a replica is a link of its own, read from the one in the middle', async () => {
    const us = await start({settings: {'repl-ping-replica-period': '3'}});
    const eu = await start({upstream: us});
    const ap = await start({upstream: eu});
    const store = await open({ap: at(ap), us: at(us), eu: at(eu)});
    await us.cli('set', 'order', '1');
    const rows = await eventually(async () => {
      const read = await judged(store);
      return read.every(({replayBytes}) => replayBytes === 0) ? read : null;
    });
    expect(rows.map(({from, to, state}) => `${from} ${to} ${state}`)).toEqual(['eu ap streaming', 'us eu streaming']);
    expect(await linkTo(store, 'ap')).toMatchObject({silentAfterMs: 5000, heardUpstreamAgoMs: expect.any(Number)});
    expect(await store.observe(live())).toMatchObject({ap: {value: {upstream: 'eu'}}, eu: {value: {upstream: 'us'}}});
  });

  it('finds the link of a replica that knows its primary by another address, where the fleet file tells it', async () => {
    const us = await start();
    const eu = await start({settings: {replicaof: `localhost ${us.port}`}});
    await eventually(async () => (await eu.cli('info', 'replication')).includes('master_link_status:up'));
    const lost = await linkTo(await open({us: at(us), eu: at(eu)}), 'eu');
    expect(lost).toMatchObject({from: `localhost:${us.port}`, senderRead: false, cause: {code: 'wrong-master', state: 'broken'}});
    expect(lost.trouble).toBe(`eu replicates from localhost:${us.port}, which is the address of no member`);
    const told = await open({us: at(us), eu: {...at(eu), upstreams: {us: `localhost:${us.port}`}}});
    expect(await wellTo(told, 'eu')).toMatchObject({from: 'us', senderState: 'streaming', receiverConnected: true, trouble: null});
    // A name in the fleet file, and the address that it stands for in the replica.
    await eu.cli('replicaof', '127.0.0.1', String(us.port));
    const named = await open({us: {address: `localhost:${us.port}`}, eu: at(eu)});
    expect(await wellTo(named, 'eu')).toMatchObject({from: 'us', trouble: null});
  });

  it('tells a replica that was made a primary, whose place is ahead of its former primary by an epoch', async () => {
    const us = await start();
    const eu = await start({upstream: us});
    const ap = await start({upstream: us});
    const store = await open({us: at(us), eu: at(eu), ap: at(ap)});
    await wellTo(store, 'ap');
    await us.cli('set', 'order', '1');
    await eu.cli('replicaof', 'no', 'one');
    await us.cli('set', 'order', '2');
    const [read, cells] = [await linksOf(store), await store.observe(live())];
    // It was promoted after the other: who is the primary is told by whom the histories came from.
    expect(read.find(({to}) => to === 'us')).toMatchObject({
      cause: {code: 'promoted', state: 'broken'},
      trouble: 'us is a primary of its own, beside eu, and replicates from nobody',
      replayBytes: null,
    });
    expect(read.find(({to}) => to === 'ap')).toMatchObject({
      from: 'us',
      cause: {code: 'wrong-master', state: 'broken'},
      trouble: 'ap replicates from us, and eu is the primary',
    });
    if (cells.us?.known !== true || cells.eu?.known !== true) throw new Error('both were read');
    expect(comparePositions(cells.us.value.durable, cells.eu.value.durable)).toBeLessThan(0);
    expect(cells.eu.value).toMatchObject({role: 'primary', durable: {lineage: cells.us.value.durable.lineage, epoch: 1}});
    expect(await store.abilities.loss?.loss('eu', live())).toMatchObject({
      bytes: null,
      certainty: 'unknown',
      basis: expect.stringContaining('both primaries'),
    });
    await us.cli('replicaof', '127.0.0.1', String(eu.port));
    await ap.cli('replicaof', '127.0.0.1', String(eu.port));
    await eventually(async () => (await judged(store)).every(({state}) => state === 'streaming'));
    expect((await linksOf(store)).map(({from, to}) => `${from} ${to}`)).toEqual(['eu us', 'eu ap']);
  });

  it('tells replicas that follow each other, or a server that is no member', async () => {
    const us = await start();
    const eu = await start({upstream: us});
    const ap = await start({upstream: eu});
    const stranger = await start();
    const store = await open({us: at(us), eu: at(eu), ap: at(ap)});
    await eu.cli('replicaof', '127.0.0.1', String(ap.port));
    const circle = await eventually(async () => {
      const read = await linksOf(store);
      return read.filter(({cause}) => cause?.state === 'broken').length === 2 ? read : null;
    });
    expect(circle.map(({from, to}) => `${from} ${to}`)).toEqual(['ap eu', 'eu ap']);
    await ap.cli('replicaof', '127.0.0.1', String(stranger.port));
    const strange = await linkTo(store, 'ap');
    expect(strange).toMatchObject({from: `127.0.0.1:${stranger.port}`, cause: {code: 'wrong-master', state: 'broken'}});
  });

  it('says of a primary that refuses writes for want of replicas that it cannot be written', async () => {
    const us = await start({settings: {'min-replicas-to-write': '1'}});
    const store = await open({us: at(us)});
    expect(await store.observe(live())).toMatchObject({us: {value: {role: 'primary', writable: false}}});
    await start({upstream: us});
    await eventually(async () => {
      const cell = (await store.observe(live())).us;
      return cell?.known === true && cell.value.writable;
    });
  });

  it('does not know a member that is loading its data, and says how far it is', async () => {
    const us = await start();
    const eu = await start({
      upstream: us,
      settings: {dbfilename: 'eu.rdb', 'key-load-delay': '2000', 'loading-process-events-interval-bytes': '1024'},
    });
    for (let key = 0; key < 50; key += 1)
      await us.cli('debug', 'populate', '20', `batch${key}`, '1024').catch(() => us.cli('set', `key${key}`, 'x'.repeat(20_000)));
    const store = await open({us: at(us), eu: at(eu)});
    await eu.cli('config', 'set', 'repl-diskless-load', 'disabled');
    await eu.cli('replicaof', 'no', 'one');
    await eu.cli('set', 'own', '1');
    await eu.cli('replicaof', '127.0.0.1', String(us.port));
    const cell = await eventually(async () => {
      const seen = (await store.observe(live())).eu;
      return seen?.known === false ? seen : null;
    });
    expect(cell).toMatchObject({code: 'starting', reason: expect.stringMatching(/^eu is loading its data: [\d.]+ % are done/)});
    expect(await linkTo(store, 'eu')).toMatchObject({from: 'us', cause: {code: 'loading', state: 'late'}});
    await eventually(async () => (await linkTo(store, 'eu')).cause === undefined, 30_000);
  });

  it('does not take what is no Redis for one, or a Sentinel for a member', async () => {
    const us = await start();
    const sentinel = await start({sentinel: true, settings: {'sentinel monitor cache': `127.0.0.1 ${us.port} 1`}});
    const store = await open({us: at(us), eu: at(sentinel), ap: {address: `127.0.0.1:${await deadPort()}`}});
    expect(await store.observe(live())).toMatchObject({
      us: {known: true},
      eu: {known: false, code: 'unexpected-answer', reason: 'eu answers as a Sentinel, which holds no data'},
      ap: {known: false, code: 'refused'},
    });
  });
});

import {connect} from 'node:net';
import {afterEach, describe, expect, it} from 'vitest';
import {CLEAR} from '../../../src/lab/faulty-proxy.ts';
import type {LinkReading, Store} from '../../../src/lib/ports/store.ts';
import {encode} from '../../../src/lib/providers/redis/resp.ts';
import {judgeLinks, type LagRow} from '../../../src/lib/replication/lag.ts';
import {eventually} from '../../servers/embedded.ts';
import {noRedis, type RedisOptions, type RedisServer, startRedis} from '../../servers/redis.ts';
import {deadPort} from '../listener.ts';
import {at, type Keys, linkTo, live, type Path, pathTo, storeOf, wellTo} from './store-under-test.ts';

/** Two looks as `replication lag` takes them. */
async function twoLooks(store: Store, member: string): Promise<{row: LagRow; reading: LinkReading}> {
  const first = await linkTo(store, member);
  const firstAt = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 250));
  const reading = await linkTo(store, member);
  const earlier = {samples: [first], msBefore: performance.now() - firstAt};
  const [row] = judgeLinks([reading], {store: 'cache', engine: 'redis', rpoMs: null, earlier});
  if (row === undefined) throw new Error('one link has one row');
  return {row, reading};
}

/** Writes values over one connection, as many at once as the server takes. */
function writeHard({port}: RedisServer): {stop(): void} {
  const socket = connect(port, '127.0.0.1');
  const batch = encode(['SET', 'order', 'x'.repeat(1000)]).repeat(50);
  socket.on('error', () => undefined);
  socket.on('data', () => undefined);
  const timer = setInterval(() => socket.writableLength < 1_000_000 && socket.write(batch), 5);
  return {
    stop: () => {
      clearInterval(timer);
      socket.destroy();
    },
  };
}

describe.skipIf(noRedis !== null)(
  `links of a redis store that are in trouble${noRedis === null ? '' : ` (skipped: no ${noRedis})`}`,
  () => {
    const ends: (() => unknown)[] = [];
    const start = async (options: RedisOptions = {}): Promise<RedisServer> => {
      const server = await startRedis(options);
      ends.push(() => server.end());
      return server;
    };
    const open = async (members: Readonly<Record<string, Keys>>): Promise<Store> => {
      const store = await storeOf(members);
      ends.push(() => store.close());
      return store;
    };
    /** A pair whose replica reaches its primary through a path that can be broken. */
    const pair = async (settings: Readonly<Record<string, string>> = {}, shape = CLEAR) => {
      const us = await start({settings: {'repl-ping-replica-period': '1', ...settings}});
      const path: Path = await pathTo(us);
      path.proxy.reshape(shape);
      ends.push(() => path.proxy.close());
      const eu = await start({settings: {replicaof: `127.0.0.1 ${path.port}`}});
      /** As a process that knows nothing of earlier looks. */
      const again = () => open({us: at(us), eu: {...at(eu), upstreams: {us: `127.0.0.1:${path.port}`}}});
      const store = await again();
      return {us, eu, path, store, again};
    };
    afterEach(async () => {
      await Promise.all(ends.splice(0).map((end) => end()));
    });

    it('flags within two looks a link that swallows what is written, though both ends hold it for whole', async () => {
      const {us, path, store, again} = await pair();
      await wellTo(store, 'eu');
      path.proxy.reshape({...CLEAR, blackHole: true});
      await us.cli('set', 'order', '1');
      const {row, reading} = await twoLooks(await again(), 'eu');
      expect(reading).toMatchObject({senderState: 'streaming', receiverConnected: true});
      expect(row).toMatchObject({state: 'stalled', code: 'stalled', from: 'us', seconds: null});
      expect(row.replayBytes).toBeGreaterThan(0);
      // Who looked before it was cut knows since when something is missing.
      const {lastReplayAgeSeconds} = await linkTo(store, 'eu');
      expect(lastReplayAgeSeconds).toBeGreaterThan(0.25);
      expect(lastReplayAgeSeconds).toBeLessThan(3);
      path.proxy.reshape(CLEAR);
      await wellTo(store, 'eu');
    });

    it('tells from the acknowledgements that an idle link is cut, and from the silence of its primary', async () => {
      const {path, store} = await pair();
      await wellTo(store, 'eu');
      path.proxy.reshape({...CLEAR, blackHole: true});
      const reading = await eventually(async () => {
        const link = await linkTo(store, 'eu');
        return (link.heardUpstreamAgoMs ?? 0) > (link.silentAfterMs ?? Number.POSITIVE_INFINITY) && link.cause !== undefined ? link : null;
      });
      expect(reading).toMatchObject({
        receiverConnected: true,
        senderState: 'streaming',
        silentAfterMs: 3000,
        cause: {code: 'no-acknowledgement', state: 'stalled'},
      });
      expect(reading.trouble).toMatch(/^eu has acknowledged nothing to us for [3-9] s; a replica does so every second$/);
      expect((await twoLooks(store, 'eu')).row).toMatchObject({state: 'stalled'});
    });

    it('counts the seconds that a link was cut, and the runway that is left of the backlog', async () => {
      const {us, eu, store} = await pair({'repl-backlog-size': '16384'});
      const whole = await wellTo(store, 'eu');
      expect(whole.runwayBytes).toBe(16_384);
      await eu.cli('replicaof', '127.0.0.1', String(await deadPort()));
      const lost = await eventually(async () => {
        const link = await linkTo(store, 'eu');
        return link.cause?.code === 'wrong-master' ? link : null;
      });
      expect(lost).toMatchObject({senderRead: false, runwayBytes: null, receiverConnected: false});
      await us.cli('set', 'order', 'x'.repeat(4000));
      const from = await open({us: at(us), eu: {...at(eu), upstreams: {us: lost.from}}});
      const cut = await linkTo(from, 'eu');
      expect(cut).toMatchObject({from: 'us', senderState: null, receiverConnected: false, cause: {code: 'link-down', state: 'broken'}});
      expect(cut.trouble).toMatch(/^eu has (never had a link to us|had no link to us for [\d.]+ m?s)$/);
      expect(cut.replayBytes).toBeGreaterThanOrEqual(4000);
      expect(cut.runwayBytes).toBe(16_384 - (cut.replayBytes ?? 0));
      expect((await twoLooks(from, 'eu')).row).toMatchObject({state: 'broken'});
      expect(await from.abilities.loss?.loss('eu', live())).toMatchObject({
        transactions: null,
        certainty: 'estimate',
        bytes: expect.any(Number),
      });
      // More than the backlog holds: it has to take a full copy now.
      for (let rest = 0; rest < 20; rest += 1) await us.cli('set', 'order', 'x'.repeat(4000));
      expect((await linkTo(from, 'eu')).runwayBytes).toBe(0);
    });

    it('does not know the link of a frozen primary, and waits for nobody longer than the deadline', async () => {
      const {us, eu, store} = await pair();
      await wellTo(store, 'eu');
      us.freeze();
      try {
        const began = performance.now();
        const {row, reading} = await twoLooks(store, 'eu');
        expect(performance.now() - began).toBeLessThan(2 * 1500 + 250 + 500);
        expect(reading).toMatchObject({from: 'us', senderRead: false, receiverConnected: true, replayBytes: null, runwayBytes: null});
        expect(row).toMatchObject({state: 'unknown', reason: expect.stringContaining('no answer from 127.0.0.1:')});
        const cells = await store.observe(live());
        expect(cells).toMatchObject({us: {known: false, code: 'timeout'}, eu: {known: true, value: {role: 'standby', upstream: 'us'}}});
        expect(await store.abilities.loss?.loss('eu', live())).toMatchObject({
          bytes: null,
          seconds: null,
          certainty: 'unknown',
          basis: 'No primary of cache answers.',
        });
      } finally {
        us.thaw();
      }
      await wellTo(store, 'eu');
      expect(eu.running()).toBe(true);
    });

    it('flags within two looks a replica that is frozen, from what its primary says of it', async () => {
      const {us, eu, store} = await pair();
      await wellTo(store, 'eu');
      await eventually(async () => /slave0:.*,offset=[1-9]/.test(await us.cli('info', 'replication')));
      eu.freeze();
      try {
        await us.cli('set', 'order', '1');
        const {row, reading} = await twoLooks(store, 'eu');
        expect(row).toMatchObject({from: 'us', to: 'eu', state: 'stalled'});
        expect(reading).toMatchObject({senderRead: true, senderState: 'streaming', receiverConnected: null});
        expect(reading.replayBytes).toBeGreaterThan(0);
        const later = await eventually(async () => {
          const link = await linkTo(store, 'eu');
          return link.cause === undefined ? null : link;
        });
        expect(later.cause).toEqual({code: 'no-acknowledgement', state: 'stalled'});
        expect(later.trouble).toMatch(
          /^eu has acknowledged nothing to us for \d+ s; a replica does so every second, and eu: no answer from 127\.0\.0\.1:\d+ within 1500 ms$/,
        );
      } finally {
        eu.thaw();
      }
      await wellTo(store, 'eu');
    });

    it('shows how far a full copy is, and calls it late, not broken', async () => {
      const {us, eu, path, store} = await pair({'repl-diskless-sync': 'no', rdbcompression: 'no'});
      await wellTo(store, 'eu');
      for (let key = 0; key < 20; key += 1) await us.cli('set', `key${key}`, 'x'.repeat(100_000));
      path.proxy.reshape({...CLEAR, downBytesPerSecond: 500_000});
      await us.cli('config', 'set', 'repl-backlog-size', '16384');
      await eu.cli('replicaof', 'no', 'one');
      await eu.cli('set', 'own', '1');
      await eu.cli('replicaof', '127.0.0.1', String(path.port));
      const copying = await eventually(async () => {
        const link = await linkTo(store, 'eu');
        return link.trouble?.includes('% are there') ? link : null;
      });
      expect(copying).toMatchObject({from: 'us', receiverConnected: true, cause: {code: 'syncing', state: 'late'}});
      expect(copying.trouble).toMatch(/^eu takes a full copy from us: [\d.]+ % are there, [\d.]+ (B|KiB|MiB) to go$/);
      expect(await store.abilities.loss?.loss('eu', live())).toMatchObject({
        certainty: 'unknown',
        basis: 'eu has no whole copy of the data yet.',
      });
      path.proxy.reshape(CLEAR);
      await wellTo(store, 'eu');
    });

    it('says at most so many bytes and seconds as are missing behind a narrow link', async () => {
      const {us, path, store} = await pair();
      await wellTo(store, 'eu');
      path.proxy.reshape({...CLEAR, downBytesPerSecond: 2_000_000});
      const writer = writeHard(us);
      try {
        await eventually(async () => ((await linkTo(store, 'eu')).replayBytes ?? 0) > 4_000_000);
        const loss = await store.abilities.loss?.loss('eu', live());
        expect(loss).toMatchObject({store: 'cache', transactions: null, certainty: 'estimate'});
        expect(loss?.bytes).toBeGreaterThan(4_000_000);
        // What it acknowledged within the last second was old by then: the age of an acknowledgement would say less.
        expect(loss?.seconds).toBeGreaterThan(0.25);
        const row = await eventually(async () => {
          const seen = (await twoLooks(store, 'eu')).row;
          return seen.code === 'behind' ? seen : null;
        });
        expect(row).toMatchObject({state: 'catching-up', withinRpo: null});
        expect(row.seconds).toBeGreaterThan(0.2);
        expect(row.writeBytes).toBeLessThanOrEqual(row.flushBytes ?? 0);
      } finally {
        writer.stop();
      }
    });

    it('loses nothing to a replica that has everything, and knows since when the rest is missing under load', async () => {
      const {us, store} = await pair();
      await wellTo(store, 'eu');
      expect(await store.abilities.loss?.loss('eu', live())).toMatchObject({bytes: 0, transactions: 0, seconds: 0, certainty: 'estimate'});
      expect(await store.abilities.loss?.loss('us', live())).toMatchObject({bytes: 0, basis: 'us is the primary already.'});
      const writer = writeHard(us);
      try {
        const readings: (number | null)[] = [];
        for (let looks = 0; looks < 20; looks += 1) readings.push((await twoLooks(store, 'eu')).row.seconds);
        expect(readings.filter((seconds) => seconds === null || seconds > 2)).toEqual([]);
      } finally {
        writer.stop();
      }
      await expect(store.abilities.loss?.loss('mars', live())).rejects.toThrow('Store cache has no member mars.');
    });
  },
);

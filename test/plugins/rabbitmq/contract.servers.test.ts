import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type PeerStoreWorld, peerStoreContract} from '../../../src/kit/contracts/peer-store.ts';
import {probeContract} from '../../../src/kit/contracts/probe.ts';
import {deadPort, listen} from '../../providers/listener.ts';
import {eventually} from '../../servers/embedded.ts';
import {APP, MONITOR, noRabbitmq} from '../../servers/rabbitmq.ts';
import {appSecret, LINKS, linkUp, monitorSecret, type Pair, probe, startPair, store} from './world.ts';

describe.skipIf(noRabbitmq !== null)(`RabbitMQ${noRabbitmq === null ? '' : ` (${noRabbitmq})`}`, () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair();
    await linkUp(pair);
  });
  afterAll(() => pair?.end());

  describe('the probe of a node', () => {
    probeContract({describe, it, expect}, async () => {
      const silent = await listen(() => {});
      const ask = (url: string, timeoutMs: number) => probe('rabbitmq', {url, user: MONITOR.user, password: monitorSecret}, timeoutMs);
      return {
        healthy: await ask(pair.us.url, 3000),
        refusing: await ask(`http://127.0.0.1:${await deadPort()}`, 3000),
        hanging: await ask(`http://127.0.0.1:${silent.port}`, 500),
        secrets: [MONITOR.password],
        close: () => silent.close(),
      };
    });
  });

  describe('the probe by messages', () => {
    probeContract({describe, it, expect}, async () => {
      const silent = await listen(() => {});
      const ask = (port: number, timeoutMs: number) =>
        probe('rabbitmq-message', {address: `127.0.0.1:${port}`, user: APP.user, password: appSecret}, timeoutMs);
      return {
        healthy: await ask(pair.us.port, 3000),
        refusing: await ask(await deadPort(), 3000),
        hanging: await ask(silent.port, 500),
        secrets: [APP.password],
        close: () => silent.close(),
      };
    });
  });

  describe('the store', () => {
    peerStoreContract({describe, it, expect}, async (): Promise<PeerStoreWorld> => {
      for (const broker of pair.brokers.all) await broker.start();
      const opened = await store({us: pair.us.url, eu: pair.eu.url}, LINKS);
      await eventually(async () => {
        const read = (await opened.abilities.links?.links(AbortSignal.timeout(5000))) ?? [];
        return read.length === 3 && read.every(({messages}) => messages?.flow === 'running' && messages.depth === 0);
      }, 30_000);
      return {
        store: opened,
        members: ['us', 'eu'],
        links: ['us>eu orders', 'us>eu news', 'us>eu jobs'],
        kill: (member) => pair.brokers.broker(member).kill(),
        close: () => opened.close(),
      };
    });
  });
});

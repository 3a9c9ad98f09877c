import {describe, expect, it} from 'vitest';
import {noRedis, startRedis} from '../../../servers/redis.ts';
import {at, storeOf} from '../store-under-test.ts';
import {auditNow} from './audit-under-test.ts';

const KEYS = 200_000;

describe.skipIf(noRedis !== null)('an audit of many keys', () => {
  it('keeps none of them: what it takes of memory does not grow with them, but for 8 bytes each', async () => {
    const primary = await startRedis({settings: {'enable-debug-command': 'yes'}});
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, process.memoryUsage().heapTotal);
    }, 20);
    // What is populated is not replicated: a standby gets it by its first copy.
    await primary.cli('debug', 'populate', String(KEYS), 'key', '40');
    const replica = await startRedis({upstream: primary});
    try {
      const store = await storeOf({a: at(primary), b: at(replica)});
      const before = process.memoryUsage().heapTotal;
      const {tables} = await auditNow(store, ['a', 'b']);
      await store.abilities.audit?.close();
      expect(tables).toMatchObject([{verdict: 'equal', rows: KEYS}]);
      expect(most - before).toBeLessThan(110_000_000);
    } finally {
      clearInterval(timer);
      await replica.end();
      await primary.end();
    }
  }, 200_000);
});

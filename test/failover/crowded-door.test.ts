import {expect, it} from 'vitest';
import {httpText} from '../../src/lib/failover/http-text.ts';
import {postOrder} from '../../src/lib/failover/post-order.ts';
import {webhookNotifier} from '../../src/lib/providers/webhook/webhook-notifier.ts';
import {crowded} from '../providers/patroni/crowded.ts';

it('a door that takes no more callers is not waited for beyond the deadline: neither for a write, a check nor a notice', async () => {
  const crowd = await crowded();
  try {
    const url = `http://127.0.0.1:${crowd.port}/`;
    const secrets = {reveal: async () => '', scrub: (text: string) => text};
    const notice = {event: 'result', says: 'x'} as unknown as Parameters<ReturnType<typeof webhookNotifier>['deliver']>[0];
    const began = performance.now();
    const [written, read, told] = await Promise.all([
      postOrder(url, 'ref', AbortSignal.timeout(300)),
      httpText(url, AbortSignal.timeout(300)).catch((error: Error) => error.name),
      webhookNotifier({url, token: null, timeoutMs: 300, secrets})
        .deliver(notice, new AbortController().signal)
        .catch((error: Error) => error.message),
    ]);
    expect(performance.now() - began).toBeLessThan(1500);
    expect(written).toMatchObject({ok: false, region: null});
    expect(read).toBe('TimeoutError');
    expect(told).toContain('no answer within 300 ms');
    expect(await crowd.heardAfterwards({url: `http://127.0.0.1:${crowd.port}`})).toEqual(['GET /alive']);
  } finally {
    crowd.end();
  }
});

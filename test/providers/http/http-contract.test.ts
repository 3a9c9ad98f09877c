import {describe, expect, it} from 'vitest';
import {probeContract} from '../../../src/kit/testing.ts';
import {httpProbe} from '../../../src/lib/providers/http/http-probe.ts';
import {deadPort, http, listen, speaks} from '../listener.ts';

const SECRETS = {reveal: async () => 's3cret', scrub: (text: string) => text};
const authorization = {source: 'env', name: 'X', toString: () => '', toJSON: () => ''} as const;

probeContract({describe, it, expect}, async () => {
  const [good, silent] = [await listen(speaks(http(200, 'fine'))), await listen(() => undefined)];
  const probe = (port: number) => {
    const url = `http://127.0.0.1:${port}/healthz?token=hidden`;
    return httpProbe({url, expectStatus: 200, expectText: 'fine', headers: {authorization}, timeoutMs: 500}, SECRETS);
  };
  return {
    healthy: probe(good.port),
    refusing: probe(await deadPort()),
    hanging: probe(silent.port),
    secrets: ['s3cret', 'hidden'],
    close: async () => {
      await Promise.all([good.close(), silent.close()]);
    },
  };
});

import {describe, expect, it} from 'vitest';
import {probeContract} from '../../../src/kit/testing.ts';
import {tcpProbe} from '../../../src/lib/providers/tcp/tcp-probe.ts';
import {deadPort, listen} from '../listener.ts';
import {silentPort} from '../silent-port.ts';

probeContract({describe, it, expect}, async () => {
  const [good, silent] = [await listen(() => undefined), await silentPort()];
  const probe = (port: number) => tcpProbe({host: '127.0.0.1', port, timeoutMs: 500});
  return {
    healthy: probe(good.port),
    refusing: probe(await deadPort()),
    hanging: probe(silent.port),
    secrets: [],
    close: async () => {
      await Promise.all([good.close(), silent.close()]);
    },
  };
});

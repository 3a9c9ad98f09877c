import {describe, expect, it} from 'vitest';
import {probeContract} from '../../../src/kit/testing.ts';
import {tlsProbe} from '../../../src/lib/providers/tls/tls-probe.ts';
import {deadPort, listen} from '../listener.ts';
import {CA_FILE, tlsServer} from './tls-server.ts';

probeContract({describe, it, expect}, async () => {
  const [good, silent] = [await tlsServer('good'), await listen(() => undefined)];
  const probe = (port: number) =>
    tlsProbe({host: '127.0.0.1', port, serverName: 'localhost', caFile: CA_FILE, minValidMs: 0, timeoutMs: 500});
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

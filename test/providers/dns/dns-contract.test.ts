import {describe, expect, it} from 'vitest';
import {probeContract} from '../../../src/kit/testing.ts';
import {dnsProbe} from '../../../src/lib/providers/dns/dns-probe.ts';
import {deadPort} from '../listener.ts';
import {nameServer} from './name-server.ts';

probeContract({describe, it, expect}, async () => {
  const server = await nameServer({'app.example': {a: ['10.0.0.1']}, 'lost.example': 'silence'});
  const probe = (name: string, port: number) =>
    dnsProbe({name, record: 'A', server: {host: '127.0.0.1', port}, expect: ['10.0.0.1'], timeoutMs: 500});
  return {
    healthy: probe('app.example', server.port),
    refusing: probe('app.example', await deadPort()),
    hanging: probe('lost.example', server.port),
    secrets: [],
    close: () => server.close(),
  };
});

import {z} from 'zod';
import {port} from '../../fleet/fields.ts';
import {defineProbe, type Provider} from '../define.ts';

const config = z.strictObject({
  host: z.string().min(1),
  port,
  send: z.string().min(1).optional().describe('Text to send once the connection is accepted. Default: nothing.'),
  expect: z.string().min(1).optional().describe('Text that must come within the first 64 KiB. Default: an accepted connection will do.'),
});

/** The `tcp` probe: an endpoint is good when it accepts a connection, and says what is expected. */
export const tcpProviders: readonly Provider[] = [
  defineProbe({
    kind: 'tcp',
    schema: config,
    target: ({host, port: number, send, expect}) => ({kind: 'tcp', host, port: number, whole: send === undefined && expect === undefined}),
    async create({host, port: number, send, expect}, place) {
      const {tcpProbe} = await import('./tcp-probe.ts');
      return tcpProbe({host, port: number, send: send ?? null, expect: expect ?? null, timeoutMs: place.timeoutMs});
    },
  }),
];

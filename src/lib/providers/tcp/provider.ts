import {z} from 'zod';
import {port} from '../../fleet/fields.ts';
import {defineProbe, type Provider} from '../define.ts';

const config = z.strictObject({host: z.string().min(1), port});

/** The `tcp` probe: an endpoint is good when it accepts a connection. */
export const tcpProviders: readonly Provider[] = [
  defineProbe({
    kind: 'tcp',
    schema: config,
    async create({host, port: number}, place) {
      const {tcpProbe} = await import('./tcp-probe.ts');
      return tcpProbe({host, port: number, timeoutMs: place.timeoutMs});
    },
  }),
];

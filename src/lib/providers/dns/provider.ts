import {z} from 'zod';
import {hostPort} from '../../fleet/fields.ts';
import {defineProbe, type Provider} from '../define.ts';

const config = z.strictObject({
  name: z.string().min(1).describe('Name to look up.'),
  record: z.enum(['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SRV', 'TXT']).default('A').describe('Type of record. Default A.'),
  server: hostPort.optional().describe('Name server to ask, by its address, such as 10.0.0.53:53. Default: those of the system.'),
  expect: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Records that must be among the answers, as `dig +short` writes them. Default: any record will do.'),
});

/** The `dns` probe: an endpoint is good when a name server answers with records, and with those that are expected. */
export const dnsProviders: readonly Provider[] = [
  defineProbe({
    kind: 'dns',
    schema: config,
    async create({name, record, server, expect}, {timeoutMs}) {
      const {dnsProbe} = await import('./dns-probe.ts');
      return dnsProbe({name, record, server: server ?? null, expect: expect ?? null, timeoutMs});
    },
  }),
];

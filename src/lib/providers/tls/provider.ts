import {z} from 'zod';
import {port, spanMs} from '../../fleet/fields.ts';
import {defineProbe, type Provider} from '../define.ts';

const config = z.strictObject({
  host: z.string().min(1),
  port: port.default(443),
  serverName: z.string().min(1).optional().describe('Name that the certificate must be for. Default: host.'),
  ca: z.string().min(1).optional().describe('File with the certificates (PEM) that are trusted instead of those of the system.'),
  minValid: spanMs
    .prefault('0h')
    .describe('A certificate that expires sooner degrades the endpoint. Default 0h: only one that has expired counts.'),
});

/** The `tls` probe: an endpoint is good when it shows a certificate that is trusted, for its name, and valid. */
export const tlsProviders: readonly Provider[] = [
  defineProbe({
    kind: 'tls',
    schema: config,
    target: ({host, port: number}) => ({kind: 'tcp', host, port: number, whole: false}),
    async create({host, port: number, serverName, ca, minValid}, {timeoutMs}, {baseDir}) {
      const [{tlsProbe}, {resolve}] = await Promise.all([import('./tls-probe.ts'), import('node:path')]);
      const caFile = ca === undefined ? null : resolve(baseDir, ca);
      return tlsProbe({host, port: number, serverName: serverName ?? host, caFile, minValidMs: minValid, timeoutMs});
    },
  }),
];

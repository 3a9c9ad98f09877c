import {z} from 'zod';
import {httpUrl, secretRef} from '../../fleet/fields.ts';
import {defineProbe, type Provider} from '../define.ts';

const config = z.strictObject({
  url: httpUrl,
  expectStatus: z.int().min(100).max(599).default(200),
  expectText: z.string().min(1).optional(),
  headers: z.record(z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'not a header name'), secretRef).default({}),
});

/** The `http` probe: one GET, judged by its status and, if wanted, by a text in its first 64 KiB. */
export const httpProviders: readonly Provider[] = [
  defineProbe({
    kind: 'http',
    schema: config,
    async create({url, expectStatus, expectText, headers}, place, {secrets}) {
      const {httpProbe} = await import('./http-probe.ts');
      return httpProbe({url, expectStatus, expectText: expectText ?? null, headers, timeoutMs: place.timeoutMs}, secrets);
    },
  }),
];

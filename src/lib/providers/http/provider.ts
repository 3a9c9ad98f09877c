import {z} from 'zod';
import {httpUrl, secretRef, spanMs} from '../../fleet/fields.ts';
import type {Target} from '../../ports/vantage.ts';
import {defineProbe, type Provider} from '../define.ts';

const headerName = z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'not a header name');

/** With one of these the server would wait for more than the one GET. */
const OF_A_BODY = /^(content-length|transfer-encoding|trailer|expect)$/i;
const ownHeader = headerName.refine((name) => !OF_A_BODY.test(name), 'a check sends no body: leave this header out');

const config = z.strictObject({
  url: httpUrl,
  expectStatus: z.int().min(100).max(599).default(200),
  expectText: z.string().min(1).optional().describe('Text that must be in the first 64 KiB of the body.'),
  expectHeaders: z.record(headerName, z.string()).default({}).describe('Headers that the answer must have, with these values.'),
  expectJson: z
    .record(
      z.string().regex(/^(\/[^/]*)+$/, 'not a JSON pointer such as /status'),
      z.union([z.string(), z.number(), z.boolean(), z.null()]),
    )
    .default({})
    .describe('Values that the body must hold, by JSON pointer: {"/database/writable": true}.'),
  headers: z.record(ownHeader, secretRef).default({}),
  redirects: z.int().min(0).max(10).default(0).describe('How many redirects are followed. Default 0: one is an answer like any other.'),
  ca: z.string().min(1).optional().describe('File with the certificates (PEM) that are trusted instead of those of the system.'),
  httpVersion: z
    .union([z.literal(1.1), z.literal(2)])
    .default(1.1)
    .describe('2 = it must speak HTTP/2, negotiated over TLS or known beforehand without. Default 1.1.'),
  minValid: spanMs
    .prefault('0h')
    .describe('A certificate that expires sooner degrades the endpoint. Default 0h: only one that has expired counts.'),
});

/** What others can see. Who cannot send our headers, does not trust our authorities, or follows a redirect that is expected, is asked for less. */
function targetOf(given: z.output<typeof config>): Target {
  const {url, expectStatus, redirects, headers, ca, httpVersion, expectText, expectJson, expectHeaders} = given;
  const redirected = expectStatus >= 300 && expectStatus < 400;
  // HTTP/2 without TLS has to be known beforehand.
  const isOpen2 = httpVersion === 2 && url.startsWith('http:');
  if (Object.keys(headers).length > 0 || ca !== undefined || redirected || isOpen2) {
    const {hostname, port, protocol} = new URL(url);
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    return {kind: 'tcp', host, port: Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port), whole: false};
  }
  const whole = expectText === undefined && Object.keys(expectJson).length === 0 && Object.keys(expectHeaders).length === 0;
  return {kind: 'http', url, expectStatus, redirects, whole};
}

/** The `http` probe: one GET, judged by its status and, if wanted, by headers and by a text or JSON values in its first 64 KiB. */
export const httpProviders: readonly Provider[] = [
  defineProbe({
    kind: 'http',
    schema: config,
    target: targetOf,
    async create({expectText, ca, minValid, ...rest}, {timeoutMs}, {secrets, baseDir}) {
      const [{httpProbe}, {resolve}] = await Promise.all([import('./http-probe.ts'), import('node:path')]);
      const caFile = ca === undefined ? null : resolve(baseDir, ca);
      return httpProbe({...rest, expectText: expectText ?? null, caFile, minValidMs: minValid, timeoutMs}, secrets);
    },
  }),
];

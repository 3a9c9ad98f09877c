import {z} from 'zod';
import {httpUrl, secretRef} from '../../fleet/fields.ts';
import {onlyWith} from '../../fleet/only-with.ts';
import {defineMetrics, type Provider} from '../define.ts';

const HEADER = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const OURS = /^(authorization|host|cookie|content-length|content-type|connection|transfer-encoding)$/i;
const headerName = z
  .string()
  .regex(HEADER, 'not the name of a header')
  .refine((name) => !OURS.test(name), 'this header is not for the fleet file: use token, or user and password');

const config = z
  .strictObject({
    url: httpUrl.describe('Where its API is, without /api/v1, such as http://prometheus:9090 or https://mimir.example.com/prometheus.'),
    token: secretRef.optional().describe('Bearer token. Default: none.'),
    user: z.string().min(1).optional().describe('User for basic authentication. Default: none.'),
    password: secretRef.optional().describe('Password of the user.'),
    headers: z
      .record(headerName, z.string().regex(/^[\x20-\x7e]*$/, 'a header has plain characters only'))
      .default({})
      .describe('Further headers, such as {X-Scope-OrgID: shop}. Default: none.'),
    secretHeaders: z.record(headerName, secretRef).default({}).describe('Further headers whose values are secrets. Default: none.'),
    ca: z.string().min(1).optional().describe('File with the certificates (PEM) that are trusted instead of those of the system.'),
  })
  .superRefine((given, context) => {
    onlyWith(context, given, 'password', 'user', given.user !== undefined);
    onlyWith(context, given, 'user', 'password', given.password !== undefined);
    if (given.token !== undefined && given.user !== undefined) {
      const params = {fix: 'Keep one of the two.'};
      context.addIssue({code: 'custom', path: ['token'], message: 'token and user exclude each other', params, input: null});
    }
    onlyWith(context, given, 'ca', 'an https URL', given.url?.startsWith('https:') ?? true);
  });

/** The `prometheus` source of series: the HTTP API of Prometheus, which Mimir, Thanos and VictoriaMetrics speak, too. */
export const prometheusProviders: readonly Provider[] = [
  defineMetrics({
    kind: 'prometheus',
    schema: config,
    async create({url, token, user, password, headers, secretHeaders, ca}, _name, {secrets, baseDir}) {
      const [{prometheusMetrics}, {resolve}] = await Promise.all([import('./prometheus-metrics.ts'), import('node:path')]);
      const login = user === undefined || password === undefined ? null : {user, password};
      const caFile = ca === undefined ? null : resolve(baseDir, ca);
      return prometheusMetrics({url, token: token ?? null, login, headers, secretHeaders, caFile}, secrets);
    },
  }),
];

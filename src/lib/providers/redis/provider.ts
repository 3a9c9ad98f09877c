import {z} from 'zod';
import {durationMs, port, secretRef, spanMs} from '../../fleet/fields.ts';
import {defineProbe, defineStore, type Provider} from '../define.ts';
import {memberSchema, type RedisConfig, type RedisMember, storeSchema} from './store-schema.ts';

const text = z.string().min(1);

const config = z
  .strictObject({
    host: text,
    port: port.default(6379),
    user: text.optional().describe('User of the ACL. Default: the default user.'),
    password: secretRef.optional().describe('Default: nobody logs in.'),
    tls: z.boolean().default(false).describe('Whether the port speaks TLS.'),
    serverName: text.optional().describe('Name that the certificate must be for. Default: host.'),
    ca: text.optional().describe('File with the certificates (PEM) that are trusted instead of those of the system.'),
    cert: text.optional().describe('File with the certificate (PEM) that is shown to a server that asks for one. Default: none.'),
    key: secretRef.optional().describe('Its private key (PEM).'),
    minValid: spanMs
      .optional()
      .describe('A certificate that expires sooner degrades the endpoint. Default 0h: only one that has expired counts.'),
    expect: z.enum(['primary', 'standby', 'any']).default('any'),
    maxReplicationAge: durationMs
      .optional()
      .describe(
        'A standby that heard from its primary longer ago, or has no link to it for longer, is unhealthy. Redis counts whole seconds.',
      ),
    minReplicas: z.int().min(1).optional().describe('A primary with fewer standbys online degrades the endpoint.'),
    maxMemory: z.number().min(1).max(100).optional().describe('Percent of maxmemory; more in use degrades the endpoint.'),
  })
  .superRefine((given, context) => {
    const wants = (field: keyof typeof given, missing: string) => {
      const params = {fix: `Add ${missing}, or take ${field} out.`};
      context.addIssue({code: 'custom', path: [field], message: `${field} is of no use without ${missing}`, params, input: null});
    };
    if (given.user !== undefined && given.password === undefined) wants('user', 'password');
    for (const field of ['serverName', 'ca', 'cert', 'key', 'minValid'] as const)
      if (given[field] !== undefined && !given.tls) wants(field, 'tls: true');
    if (given.cert !== undefined && given.key === undefined) wants('cert', 'key');
    if (given.key !== undefined && given.cert === undefined) wants('key', 'cert');
  });

/** The `redis` probe: an endpoint is good when it answers INFO in the role and the state that are wanted. And the `redis` store, which is only watched. */
export const redisProviders: readonly Provider[] = [
  defineProbe({
    kind: 'redis',
    schema: config,
    target: ({host, port: number}) => ({kind: 'tcp', host, port: number, whole: false}),
    async create(given, {timeoutMs}, {secrets, baseDir}) {
      const {host, port: number, user = null, password = null, tls, serverName = host, ca, cert, key, minValid = 0, ...wanted} = given;
      const [{redisProbe}, {resolve}] = await Promise.all([import('./redis-probe.ts'), import('node:path')]);
      const own = cert === undefined || key === undefined ? null : {file: resolve(baseDir, cert), key};
      const caFile = ca === undefined ? null : resolve(baseDir, ca);
      const secure = tls ? {serverName, caFile, own, minValidMs: minValid} : null;
      return redisProbe({host, port: number, user, password, tls: secure, wanted, timeoutMs}, secrets);
    },
  }),
  defineStore<RedisConfig, RedisMember>({
    kind: 'redis',
    schema: storeSchema,
    memberSchema,
    create: async (part, context) => (await import('./store.ts')).createStore(part, context),
  }),
];

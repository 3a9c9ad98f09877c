import {z} from 'zod';
import {durationMs, port, secretRef, spanMs} from '../../fleet/fields.ts';
import {onlyWith} from '../../fleet/only-with.ts';
import {defineProbe, defineStore, type Provider} from '../define.ts';
import {checkTls, hostTls} from '../tls/fields.ts';
import {memberSchema, type RedisConfig, type RedisMember, storeSchema} from './store-schema.ts';

const text = z.string().min(1);

const config = z
  .strictObject({
    host: text,
    port: port.default(6379),
    user: text.optional().describe('User of the ACL. Default: the default user.'),
    password: secretRef.optional().describe('Default: nobody logs in.'),
    ...hostTls,
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
    onlyWith(context, given, 'user', 'password', given.password !== undefined);
    checkTls(context, given, given.tls, ['minValid']);
  });

/** The `redis` probe: an endpoint is good when it answers INFO in the role and the state that are wanted. And the `redis` store, which is only watched. */
export const redisProviders: readonly Provider[] = [
  defineProbe({
    kind: 'redis',
    schema: config,
    target: ({host, port: number}) => ({kind: 'tcp', host, port: number, whole: false}),
    async create(given, {timeoutMs}, {secrets, baseDir}) {
      const {host, port: number, user = null, password = null, tls, serverName, ca, cert, key, minValid = 0, ...wanted} = given;
      const [{redisProbe}, {tlsSettings}] = await Promise.all([import('./redis-probe.ts'), import('../tls/credentials.ts')]);
      const settings = tlsSettings({tls, serverName, ca, cert, key}, host, baseDir);
      const secure = settings === null ? null : {...settings, minValidMs: minValid};
      return redisProbe({host, port: number, user, password, tls: secure, wanted, timeoutMs}, secrets);
    },
  }),
  defineStore<RedisConfig, RedisMember>({
    kind: 'redis',
    schema: storeSchema,
    memberSchema,
    witness: () => null,
    create: async (part, context) => (await import('./store.ts')).createStore(part, context),
  }),
];

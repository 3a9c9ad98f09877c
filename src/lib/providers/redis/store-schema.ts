import {z} from 'zod';
import {hostPort, secretRef} from '../../fleet/fields.ts';
import {onlyWith} from '../../fleet/only-with.ts';
import {addressTls, checkTls} from '../tls/fields.ts';

const text = z.string().min(1);

const sentinels = z
  .strictObject({
    master: text.describe('Name under which they watch the store: what stands in sentinel monitor.'),
    members: z.array(hostPort).min(1).describe('Each Sentinel, such as 10.0.0.1:26379.'),
    user: text.optional().describe('User of the ACL of the Sentinels. Default: the default user.'),
    password: secretRef.optional().describe('Default: nobody logs in at the Sentinels.'),
    tls: z.boolean().optional().describe('Whether their ports speak TLS. Default: as the members do.'),
  })
  .superRefine((given, context) => {
    onlyWith(context, given, 'user', 'password', given.password !== undefined);
    const seen = new Set<string>();
    for (const [index, {host, port}] of given.members.entries()) {
      const place = `${host.toLowerCase()}:${port}`;
      const params = {fix: 'Take this line out.'};
      if (seen.has(place))
        context.addIssue({code: 'custom', path: ['members', index], message: `${host}:${port} stands here twice`, params, input: null});
      seen.add(place);
    }
  });

/** The `redis` part of a store: a primary and its replicas. It is only watched. */
export const storeSchema = z
  .strictObject({
    user: text.optional().describe('User of the ACL on every member. Default: the default user.'),
    password: secretRef.optional().describe('Default: nobody logs in.'),
    ...addressTls,
    audit: z
      .strictObject({user: text, password: secretRef})
      .optional()
      .describe('Who reads keys and values for audits: needs +@read +@transaction +info +select +time. Default: as for all else.'),
    sentinels: sentinels.optional().describe('The Sentinels that move the primary. Default: none is asked.'),
  })
  .superRefine((given, context) => {
    onlyWith(context, given, 'user', 'password', given.password !== undefined);
    checkTls(context, given, given.tls || given.sentinels?.tls === true);
  });

/** One member: where it is reached from here, and how it reaches others for replication (default: their `address`). */
export const memberSchema = z.strictObject({
  address: hostPort,
  upstreams: z.record(z.string(), hostPort).default({}).describe('How this member reaches others, where that is not their address.'),
});

export type RedisConfig = z.output<typeof storeSchema>;
export type RedisMember = z.output<typeof memberSchema>;

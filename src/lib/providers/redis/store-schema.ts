import {z} from 'zod';
import {hostPort, secretRef} from '../../fleet/fields.ts';

const text = z.string().min(1);

/** What is of no use without another field is a mistake, never silently left out. */
type Given = Readonly<Record<string, unknown>>;
function onlyWith(context: z.core.$RefinementCtx, given: Given, field: string, needed: string, there: boolean): void {
  if (given[field] === undefined || there) return;
  const params = {fix: `Add ${needed}, or take ${field} out.`};
  context.addIssue({code: 'custom', path: [field], message: `${field} is of no use without ${needed}`, params, input: null});
}

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
    tls: z.boolean().default(false).describe('Whether the ports of address speak TLS.'),
    serverName: text.optional().describe('Name that every certificate must be for. Default: the host of each address.'),
    ca: text.optional().describe('File with the certificates (PEM) that are trusted instead of those of the system.'),
    cert: text.optional().describe('File with the certificate (PEM) that is shown to a server that asks for one. Default: none.'),
    key: secretRef.optional().describe('Its private key (PEM).'),
    sentinels: sentinels.optional().describe('The Sentinels that move the primary. Default: none is asked.'),
  })
  .superRefine((given, context) => {
    onlyWith(context, given, 'user', 'password', given.password !== undefined);
    const secure = given.tls || given.sentinels?.tls === true;
    for (const field of ['serverName', 'ca', 'cert', 'key']) onlyWith(context, given, field, 'tls: true', secure);
    onlyWith(context, given, 'cert', 'key', given.key !== undefined);
    onlyWith(context, given, 'key', 'cert', given.cert !== undefined);
  });

/** One member: where it is reached from here, and how it reaches others for replication (default: their `address`). */
export const memberSchema = z.strictObject({
  address: hostPort,
  upstreams: z.record(z.string(), hostPort).default({}).describe('How this member reaches others, where that is not their address.'),
});

export type RedisConfig = z.output<typeof storeSchema>;
export type RedisMember = z.output<typeof memberSchema>;

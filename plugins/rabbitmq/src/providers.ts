import {defineProbe, defineStore, hostPort, httpUrl, type Provider, secretRef, z} from 'regionctl/kit';
import {linkSchema} from './link-schema.ts';

const name = z.string().min(1);
const ca = name.optional().describe('File with the certificates (PEM) that are trusted instead of those of the system.');
const vhost = name.default('/').describe('Virtual host. Default /.');

const login = {
  user: name.describe(
    'User with the tag monitoring, and with access to the virtual hosts; it needs no permission to read, write or configure.',
  ),
  password: secretRef.describe('Its password.'),
};

const nodeSchema = z.strictObject({
  url: httpUrl.describe('Management API, such as https://mq.example.com:15671.'),
  ...login,
  ca,
});

const messageSchema = z.strictObject({
  address: hostPort.describe('AMQP 0-9-1, such as mq.example.com:5672.'),
  user: name.describe('User who may create, fill and read a queue whose name begins with amq.gen.'),
  password: login.password,
  vhost,
  tls: z.boolean().default(false).describe('Whether the connection is encrypted. Default false.'),
  ca,
  messages: z.int().min(1).max(1000).default(10).describe('How many messages are sent and must come back. Default 10.'),
});

const storeSchema = z.strictObject({
  ...login,
  ca,
  links: z.record(name, linkSchema).default({}).describe('Shovels and federation links between the members, by a name for each.'),
});

const memberSchema = z.strictObject({url: nodeSchema.shape.url});

export type NodeConfig = z.output<typeof nodeSchema>;
export type MessageConfig = z.output<typeof messageSchema>;
export type StoreConfig = z.output<typeof storeSchema>;
export type MemberConfig = z.output<typeof memberSchema>;

/** The probes `rabbitmq` and `rabbitmq-message`, and the store `rabbitmq`. */
export const rabbitmqProviders: readonly Provider[] = [
  defineProbe<NodeConfig>({
    kind: 'rabbitmq',
    schema: nodeSchema,
    create: async (config, place, context) => (await import('./node-probe.ts')).nodeProbe(config, place, context),
  }),
  defineProbe<MessageConfig>({
    kind: 'rabbitmq-message',
    schema: messageSchema,
    create: async (config, place, context) => (await import('./message-probe.ts')).messageProbe(config, place, context),
  }),
  defineStore<StoreConfig, MemberConfig>({
    kind: 'rabbitmq',
    schema: storeSchema,
    memberSchema,
    create: async (part, context) => (await import('./store.ts')).createStore(part, context),
  }),
];

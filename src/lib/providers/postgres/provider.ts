import {z} from 'zod';
import {durationMs, hostPort, port, secretRef} from '../../fleet/fields.ts';
import {defineProbe, defineStore, type Provider} from '../define.ts';
import {addressTls, checkTls, hostTls} from '../tls/fields.ts';

const name = z.string().min(1);

/**
 * The `postgres` part of a store: one database that streams to its standbys, or whose members subscribe to one another. `user` is a superuser on every
 * member. Not checked yet by `checkTls`, so that it can be extended.
 */
export const storeFields = z.strictObject({
  database: name,
  user: name,
  password: secretRef,
  replicationUser: name,
  ...addressTls,
  monitor: z
    .strictObject({user: name, password: secretRef})
    .optional()
    .describe('Who reads replication: needs LOGIN and pg_monitor, nothing else. Default: user.'),
  heartbeat: z
    .boolean()
    .optional()
    .describe('Whether regionctl may write a message into the log of the primary, to tell an idle link from a dead one. Default false.'),
});

const storeSchema = storeFields.superRefine((given, context) => checkTls(context, given));

/** One member: where it is reached from here, and how it reaches others for replication (default: their `address`). */
export const memberSchema = z.strictObject({
  address: hostPort,
  upstreams: z.record(z.string(), hostPort).default({}),
  replicationPassfile: name.optional(),
});

/** A login and one statement. `expect` (default `any`) also asks for the role. */
const probeSchema = z
  .strictObject({
    host: name,
    port,
    user: name,
    password: secretRef,
    database: name,
    ...hostTls,
    expect: z.enum(['primary', 'standby', 'any']).default('any'),
    expectWritable: z.boolean().default(false).describe('It must take writes: a primary that is not read-only.'),
    maxReplayAge: durationMs.optional().describe('A standby that replayed its last transaction longer ago degrades the endpoint.'),
    maxConnections: z.number().min(1).max(100).optional().describe('Percent of max_connections; more in use degrades the endpoint.'),
  })
  .superRefine((given, context) => checkTls(context, given));

export type PostgresConfig = z.output<typeof storeSchema>;
export type PostgresMember = z.output<typeof memberSchema>;
export type PostgresProbeConfig = z.output<typeof probeSchema>;

/** PostgreSQL 15-18 with physical streaming replication. */
export const postgresProviders: readonly Provider[] = [
  defineStore<PostgresConfig, PostgresMember>({
    kind: 'postgres',
    schema: storeSchema,
    memberSchema,
    create: async (part, context) => (await import('./store.ts')).createStore(part, context),
  }),
  defineProbe<PostgresProbeConfig>({
    kind: 'postgres',
    schema: probeSchema,
    target: ({host, port: number}) => ({kind: 'tcp', host, port: number, whole: false}),
    create: async (config, place, context) => (await import('./probe.ts')).createProbe(config, place, context),
  }),
];

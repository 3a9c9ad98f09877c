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
  witness: z
    .strictObject({user: name, password: secretRef})
    .optional()
    .describe('As whom the witness of a drill writes, where witness.stores names the store: never as user, which no fence shuts out.'),
  audit: z
    .strictObject({user: name, password: secretRef})
    .optional()
    .describe('Who reads tables in audits: needs LOGIN and pg_read_all_data, nothing else. Default: user.'),
  heartbeat: z
    .boolean()
    .optional()
    .describe('Whether regionctl may write a message into the log of the primary, to tell an idle link from a dead one. Default false.'),
});

/** A fence lets our own role in, so its writes would be acknowledged behind one. */
export function checkWitnessRole(
  context: z.core.$RefinementCtx,
  {user, witness}: {user: string; witness?: {user: string} | undefined},
): void {
  if (witness?.user !== user) return;
  const params = {fix: 'Give the witness a role of its own, which may do nothing else.'};
  const message = `the witness cannot write as "${user}": no fence shuts out the role that fences`;
  context.addIssue({code: 'custom', path: ['witness', 'user'], message, params, input: user});
}

/** What writes on the primary has nowhere to write among peers. */
function checkOfPrimary(context: z.core.$RefinementCtx, given: Readonly<Record<string, unknown>>, key: 'witness' | 'heartbeat'): void {
  if (given[key] === undefined || given[key] === false) return;
  const params = {fix: 'Take this key out.'};
  const message = `${key} is written on the primary, and with peers: true there is none`;
  context.addIssue({code: 'custom', path: [key], message, params, input: given[key]});
}

/** What a store lacks for the witness. */
export const lacksForWitness = ({witness}: Pick<z.output<typeof storeFields>, 'witness'>): string | null =>
  witness === undefined ? 'witness' : null;

const storeSchema = storeFields
  .extend({
    peers: z
      .boolean()
      .optional()
      .describe(
        'Every member takes writes of its own and subscribes to the others: there is no primary, and no plan moves the store. Default false.',
      ),
  })
  .superRefine((given, context) => {
    checkTls(context, given);
    checkWitnessRole(context, given);
    for (const key of ['witness', 'heartbeat'] as const) if (given.peers === true) checkOfPrimary(context, given, key);
  });

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

/** PostgreSQL 15-18 with physical streaming replication, or of peers that subscribe to one another. */
export const postgresProviders: readonly Provider[] = [
  defineStore<PostgresConfig, PostgresMember>({
    kind: 'postgres',
    schema: storeSchema,
    memberSchema,
    witness: lacksForWitness,
    create: async (part, context) => (await import('./store.ts')).createStore(part, context),
  }),
  defineProbe<PostgresProbeConfig>({
    kind: 'postgres',
    schema: probeSchema,
    target: ({host, port: number}) => ({kind: 'tcp', host, port: number, whole: false}),
    create: async (config, place, context) => (await import('./probe.ts')).createProbe(config, place, context),
  }),
];

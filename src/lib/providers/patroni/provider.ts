import {z} from 'zod';
import {RegionctlError} from '../../errors.ts';
import {EXIT} from '../../exit-codes.ts';
import {httpUrl, secretRef} from '../../fleet/fields.ts';
import {defineStore, type Provider, type StorePart} from '../define.ts';
import {checkWitnessRole, lacksForWitness, memberSchema as postgresMember, storeFields as postgresStore} from '../postgres/provider.ts';
import {checkTls} from '../tls/fields.ts';

const name = z.string().min(1);

/** The `patroni` part of a store: what `postgres` has, and what regionctl has to know of Patroni that its REST API does not tell. TLS is that of the servers; `rest` is https or not by its URL. */
const storeSchema = postgresStore
  .extend({
    scope: name.optional().describe('Name of the cluster; must be what Patroni says. Default: not checked.'),
    dcs: z
      .enum(['etcd', 'etcd3', 'consul', 'zookeeper', 'kubernetes', 'raft'])
      .optional()
      .describe('Where Patroni keeps its leader key. Default: not known, and taken for the worst.'),
    watchdog: z
      .enum(['off', 'automatic', 'required'])
      .default('off')
      .describe("watchdog.mode of every member. Only required is a fence, and it is taken at the file's word. Default off."),
    restUser: name
      .regex(/^[^:]+$/, 'a user of the REST API has no colon in its name')
      .optional()
      .describe('User of the REST API.'),
    restPassword: secretRef.optional().describe('Password of the REST API.'),
  })
  .superRefine((given, context) => {
    checkTls(context, given);
    checkWitnessRole(context, given);
    const {restUser, restPassword} = given;
    if ((restUser === undefined) === (restPassword === undefined)) return;
    const missing = restUser === undefined ? 'restUser' : 'restPassword';
    context.addIssue({code: 'custom', path: [missing], message: 'restUser and restPassword belong together', input: undefined});
  });

/** One member: its name is the one that Patroni gives it, `rest` its REST API, and `address` the connect_address of its server. */
const memberSchema = postgresMember.extend({rest: httpUrl.describe('REST API of the member, such as http://10.0.0.1:8008.')});

export type PatroniConfig = z.output<typeof storeSchema>;
/** Where a Patroni may keep its leader key. */
export type Dcs = NonNullable<PatroniConfig['dcs']>;
export type PatroniMember = z.output<typeof memberSchema>;

/** PostgreSQL whose primary is moved by Patroni (3.0 or later). */
export const patroniProviders: readonly Provider[] = [
  defineStore<PatroniConfig, PatroniMember>({
    kind: 'patroni',
    schema: storeSchema,
    memberSchema,
    witness: lacksForWitness,
    create: async (part, context) => {
      checkAgents(part);
      return (await import('./store.ts')).createStore(part, context);
    },
  }),
];

/** One Patroni behind two names would be asked to hand over to itself. */
function checkAgents({name: store, members}: StorePart<PatroniConfig, PatroniMember>): void {
  const seen = new Map<string, string>();
  for (const {name: member, config} of members) {
    const url = config.rest.replace(/\/+$/, '').toLowerCase();
    const other = seen.get(url);
    if (other !== undefined) {
      throw new RegionctlError(
        'fleet-invalid',
        EXIT.fleetInvalid,
        `stores.${store}: ${other} and ${member} have the same rest ${config.rest}`,
        {
          suggestions: ['Give each member the REST API of its own Patroni.'],
        },
      );
    }
    seen.set(url, member);
  }
}

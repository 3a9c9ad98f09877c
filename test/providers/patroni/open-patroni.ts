import {secretReference} from '../../../src/lib/fleet/references.ts';
import type {SecretVault} from '../../../src/lib/fleet/secrets.ts';
import type {Clock} from '../../../src/lib/ports/clock.ts';
import type {Host} from '../../../src/lib/ports/host.ts';
import type {Abilities, Store} from '../../../src/lib/ports/store.ts';
import type {PatroniConfig} from '../../../src/lib/providers/patroni/provider.ts';
import {createStore} from '../../../src/lib/providers/patroni/store.ts';
import {PASSWORD} from '../../servers/embedded.ts';
import {type PatroniCluster, REST_PASSWORD, REST_USER, SCOPE} from '../../servers/patroni.ts';
import {realClock, testContext} from '../postgres/open-store.ts';

/** A store that has the abilities which the Patroni one has. */
export type PatroniStore = Store & {readonly abilities: Omit<Abilities, 'seal' | 'promote' | 'follow' | 'durability'>};

type Options = {
  readonly config?: Partial<PatroniConfig>;
  readonly hosts?: Readonly<Record<string, Host>>;
  readonly clock?: Clock;
  readonly restPassword?: string;
};

/** Opens the store over a running cluster. Nothing is connected to before it is used. */
export async function openPatroni(cluster: PatroniCluster, options: Options = {}): Promise<PatroniStore> {
  const {config = {}, hosts = {}, clock = realClock, restPassword = REST_PASSWORD} = options;
  const vault: SecretVault = {reveal: async ({name}) => (name === 'REST' ? restPassword : PASSWORD), scrub: (text) => text};
  const part = {
    name: 'orders',
    quorum: 0,
    config: {
      ...{database: 'orders', user: 'regionctl', password: secretReference('env', 'PG'), replicationUser: 'replicator', tls: false},
      ...{scope: SCOPE, dcs: 'etcd3', watchdog: 'off', restUser: REST_USER, restPassword: secretReference('env', 'REST')},
      ...config,
    } satisfies PatroniConfig,
    members: cluster.members.map(({name, port, rest}) => ({
      name,
      region: `region-${name}`,
      host: hosts[name] ?? null,
      config: {address: {host: '127.0.0.1', port}, upstreams: {}, rest},
    })),
  };
  return (await createStore(part, {...testContext, secrets: vault, clock})) as PatroniStore;
}

import type {Fleet} from '../../../src/lib/fleet/fleet.ts';
import type {SecretVault} from '../../../src/lib/fleet/secrets.ts';
import type {Ctx} from '../../../src/lib/plan/action.ts';
import type {Clock} from '../../../src/lib/ports/clock.ts';
import type {Host} from '../../../src/lib/ports/host.ts';
import type {Abilities, Store} from '../../../src/lib/ports/store.ts';
import type {ProviderContext, StorePart} from '../../../src/lib/providers/define.ts';
import type {PostgresConfig, PostgresMember} from '../../../src/lib/providers/postgres/provider.ts';
import {createStore} from '../../../src/lib/providers/postgres/store.ts';
import {PASSWORD, type Server} from '../../servers/embedded.ts';

/** A store that has every ability, as the PostgreSQL one does. */
export type FullStore = Store & {readonly abilities: Abilities};

export const realClock: Clock = {
  wall: () => Date.now(),
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
};

const vault: SecretVault = {reveal: async () => PASSWORD, scrub: (text) => text};
export const testContext: ProviderContext = {
  fleet: {stores: []} as Partial<Fleet> as Fleet,
  secrets: vault,
  clock: realClock,
  baseDir: '/',
};

/** Stands for PASSWORD in a part of a fleet file. */
export const passwordRef = {source: 'env', name: 'X', toString: () => 'env:X', toJSON: () => 'env:X'} as const;

/** What an effect is given, with ten seconds for it. */
export function testCtx(runId = 'run-1', ms = 10_000): Ctx {
  const now = (): number => performance.now();
  return {runId, token: runId, signal: new AbortController().signal, now, deadline: now() + ms};
}

/** How a member reaches others for replication, where that is not their own address. */
type Upstreams = Readonly<Record<string, PostgresMember['upstreams']>>;

/** Opens the store over real servers. `hosts` gives control over some of them. */
export async function openStore(
  servers: readonly Server[],
  hosts: Readonly<Record<string, Host>> = {},
  quorum = 1,
  user = 'regionctl',
  {
    upstreams = {},
    ...more
  }: Partial<Pick<PostgresConfig, 'database' | 'monitor' | 'heartbeat' | 'peers'>> & {readonly upstreams?: Upstreams} = {},
): Promise<FullStore> {
  const password = passwordRef;
  const part: StorePart<PostgresConfig, PostgresMember> = {
    name: 'orders',
    quorum,
    config: {database: 'orders', user, password, replicationUser: 'replicator', tls: false, ...more},
    members: servers.map(({name, port}) => ({
      name,
      region: `region-${name}`,
      host: hosts[name] ?? null,
      config: {address: {host: '127.0.0.1', port}, upstreams: upstreams[name] ?? {}},
    })),
  };
  return (await createStore(part, testContext)) as FullStore;
}

/** Control over a test server, as a lab's agent has it. Rebuilding copies the stopped upstream's data. */
export function hostOf(server: Server, others: readonly Server[]): Host {
  const upstream = (name: string): Server => {
    const found = others.find((other) => other.name === name);
    if (found === undefined) throw new Error(`no server ${name}`);
    return found;
  };
  return {
    status: async () => ({running: server.running(), detail: server.running() ? 'it runs' : 'it is stopped'}),
    stop: () => server.stop(),
    start: () => server.start(),
    startAsStandby: async (name) => {
      server.demote(name === null ? null : upstream(name));
      await server.start();
    },
    rebuild: () => Promise.reject(new Error('not in these tests')),
  };
}

export const signal = (): AbortSignal => AbortSignal.timeout(10_000);

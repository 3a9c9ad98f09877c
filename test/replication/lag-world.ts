import {CLEAR, FaultyProxy, type PathShape} from '../../src/lab/faulty-proxy.ts';
import {PortPicker} from '../../src/lab/ports.ts';
import {readLag} from '../../src/lib/operate/lag.ts';
import type {Store} from '../../src/lib/ports/store.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import type {LagRow} from '../../src/lib/replication/lag.ts';
import {openStore, realClock, signal} from '../providers/postgres/open-store.ts';
import {eventually, type Programs, type Server, type Servers, startServers} from '../servers/embedded.ts';

/** Servers with a store over them whose second member gets the log through a proxy. `lag` is what `replication lag` answers, both looks included. */
export type LagWorld = {
  readonly servers: Servers;
  readonly store: Store;
  server(name: string): Server;
  /** The row of one link; throws when there is none. */
  lag(to: string, link?: string): Promise<LagRow>;
  rows(): Promise<readonly LagRow[]>;
  /** The way from the first member to the second. */
  way(shape: Partial<PathShape>): void;
  end(): Promise<void>;
};

export type LagWorldOptions = {
  readonly members: readonly string[];
  readonly programs?: Programs | undefined;
  readonly store?: NonNullable<Parameters<typeof openStore>[4]>;
};

export async function startLagWorld({members, programs, store: wanted = {}}: LagWorldOptions): Promise<LagWorld> {
  const servers = await startServers(members, programs);
  const [first, second] = servers.all as [Server, Server];
  const proxy = new FaultyProxy(first.port);
  const port = await proxy.listen(new PortPicker());
  await second.sql(
    `alter system set primary_conninfo = 'host=127.0.0.1 port=${port} user=replicator application_name=${second.name} connect_timeout=2'`,
  );
  await second.sql('select pg_reload_conf()');
  const upstreams = {[second.name]: {[first.name]: {host: '127.0.0.1', port}}};
  const store = await openStore(servers.all, {}, 1, 'regionctl', {upstreams, ...wanted});
  const open = openFleet(store, members);
  const rows = async () => (await readLag(open, {signal: signal()})).document.links;
  await first.sql('create table t (id int)');
  const world: LagWorld = {
    ...{servers, store, rows},
    server: (name) => find(servers.all, name),
    lag: async (to, link) => find(await rows(), to, link),
    way: (shape) => proxy.reshape({...CLEAR, ...shape}),
    end: async () => {
      proxy.reshape(CLEAR);
      await store.close();
      await servers.end();
      await proxy.close();
    },
  };
  let seen: readonly LagRow[] = [];
  try {
    await eventually(async () => {
      seen = await rows();
      // One to which nothing was written for five seconds is idle, however late it came up.
      if (seen.some(({state}) => state === 'idle')) await first.sql("select pg_logical_emit_message(true, 'test', 'x')");
      return seen.length === members.length - 1 && seen.every(({state, replayBytes}) => state === 'streaming' && replayBytes === 0);
    }, 30_000);
    return world;
  } catch (error) {
    await world.end();
    throw new Error(`the links did not come up: ${JSON.stringify(seen)}`, {cause: error});
  }
}

/** As much of an open fleet as reading lag asks for. Nothing is remembered: there is no state to remember it in. */
export function openFleet(store: Store, members: readonly string[]): OpenFleet {
  const spec = {name: 'orders', engine: 'postgres', dataClasses: [], members: members.map((name) => ({name, region: name}))};
  const state = (): Promise<never> => Promise.reject(new Error('no state'));
  return {fleet: {name: 'test', stores: [spec], dataClasses: []}, stores: {orders: store}, clock: realClock, state} as unknown as OpenFleet;
}

function find<T extends {readonly name: string} | LagRow>(all: readonly T[], name: string, link?: string): T {
  const found = all.find((one) => ('to' in one ? one.to === name && (link === undefined || one.link === link) : one.name === name));
  if (found === undefined) throw new Error(`no ${name} ${link ?? ''} in ${JSON.stringify(all)}`);
  return found;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

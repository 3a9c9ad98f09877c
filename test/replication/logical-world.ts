import {CLEAR, FaultyProxy, type PathShape} from '../../src/lab/faulty-proxy.ts';
import {PortPicker} from '../../src/lab/ports.ts';
import {readLag} from '../../src/lib/operate/lag.ts';
import type {Store} from '../../src/lib/ports/store.ts';
import type {LagRow} from '../../src/lib/replication/lag.ts';
import {openStore, passwordRef, signal} from '../providers/postgres/open-store.ts';
import {PASSWORD, type Programs, type Server, type Servers, startServers} from '../servers/embedded.ts';
import {openFleet} from './lag-world.ts';

/** Who reads: the superuser, who sees where a subscription leads, or a role that has pg_monitor only. */
export type Reader = 'superuser' | 'monitor';

/** Primaries of their own with a table `o` each, published as `p`; a store over them for each reader. */
export type LogicalWorld = {
  readonly all: readonly Server[];
  readonly stores: Readonly<Record<Reader, Store>>;
  server(name: string): Server;
  /** Makes `to` subscribe to `from`: the subscription `to_from` with a slot of that name, over a way that `way` shapes. */
  subscribe(to: string, from: string, options?: string): Promise<void>;
  way(shape: Partial<PathShape>): void;
  rows(reader?: Reader): Promise<readonly LagRow[]>;
  lag(link: string, reader?: Reader): Promise<LagRow>;
  /** A store that has seen nothing yet. */
  fresh(reader: Reader): Promise<{rows(): Promise<readonly LagRow[]>; close(): Promise<void>}>;
  end(): Promise<void>;
};

async function prepare(server: Server): Promise<void> {
  await server.sql(`create role watcher login password '${PASSWORD}'; grant pg_monitor to watcher`);
  await server.sql('create table o (id int primary key, v text); create publication p for table o');
}

export async function startLogicalWorld(names: readonly string[], programs?: Programs): Promise<LogicalWorld> {
  const started: Servers[] = await Promise.all(names.map((name) => startServers([name], programs)));
  const all = started.flatMap((servers) => servers.all);
  await Promise.all(all.map(prepare));
  const ports = new PortPicker();
  const ways: FaultyProxy[] = [];
  const upstreams: Record<string, Record<string, {host: string; port: number}>> = {};
  for (const to of all) {
    for (const from of all.filter((other) => other !== to)) {
      const proxy = new FaultyProxy(from.port);
      upstreams[to.name] = {...upstreams[to.name], [from.name]: {host: '127.0.0.1', port: await proxy.listen(ports)}};
      ways.push(proxy);
    }
  }
  const open = async (reader: Reader) =>
    openStore(all, {}, 0, 'regionctl', {upstreams, ...(reader === 'monitor' ? {monitor: {user: 'watcher', password: passwordRef}} : {})});
  const read = async (store: Store) => (await readLag(openFleet(store, names), {signal: signal()})).document.links;
  const stores = {superuser: await open('superuser'), monitor: await open('monitor')};
  const server = (name: string): Server => {
    const found = all.find((each) => each.name === name);
    if (found === undefined) throw new Error(`no server ${name}`);
    return found;
  };
  const rows = (reader: Reader = 'superuser') => read(stores[reader]);
  return {
    ...{all, stores, server, rows},
    subscribe: async (to, from, options = '') => {
      const port = upstreams[to]?.[from]?.port;
      const conninfo = `host=127.0.0.1 port=${port} user=regionctl password=${PASSWORD} dbname=orders connect_timeout=2`;
      await server(to).sql(`create subscription ${to}_${from} connection '${conninfo}' publication p ${options}`);
    },
    way: (shape) => {
      for (const proxy of ways) proxy.reshape({...CLEAR, ...shape});
    },
    lag: async (link, reader) => {
      const found = await rows(reader);
      const row = found.find((each) => each.link === link);
      if (row === undefined) throw new Error(`no ${link} in ${JSON.stringify(found)}`);
      return row;
    },
    fresh: async (reader) => {
      const store = await open(reader);
      return {rows: () => read(store), close: () => store.close()};
    },
    end: async () => {
      for (const proxy of ways) proxy.reshape(CLEAR);
      for (const store of Object.values(stores)) await store.close();
      for (const servers of started) await servers.end();
      for (const proxy of ways) await proxy.close();
    },
  };
}

import {appendFileSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {CLEAR, FaultyProxy} from '../src/lab/faulty-proxy.ts';
import {PortPicker} from '../src/lab/ports.ts';
import {type FullStore, openStore} from '../test/providers/postgres/open-store.ts';
import {eventually, PASSWORD, type Server, type Servers, startServers} from '../test/servers/embedded.ts';

/** One way, in ms, for each region. */
export const WAYS = {us: 5, ca: 12, br: 20, eu: 28, za: 37, in: 48, ap: 60} as const;
export const NAMES = Object.keys(WAYS) as (keyof typeof WAYS)[];

/** Servers with the way to each of them; `store` opens a new one over these ways. */
export type Regions = {
  readonly what: string;
  readonly links: number;
  readonly servers: readonly Server[];
  readonly ways: ReadonlyMap<string, {readonly proxy: FaultyProxy; readonly port: number}>;
  store(): Promise<FullStore>;
  end(): Promise<void>;
};

/** Seven primaries, each subscribed to the six others. */
export async function startMesh(): Promise<Regions> {
  const started: Servers[] = [];
  for (const name of NAMES) started.push(await startServers([name]));
  const servers = started.flatMap(({all}) => all);
  const regions = await behindWays(servers, 42, '7 regions, 21 pairs, 42 subscriptions', started);
  for (const server of servers) {
    appendFileSync(
      join(server.dir, 'postgresql.conf'),
      'max_logical_replication_workers = 16\nmax_worker_processes = 24\nmax_replication_slots = 16\n',
    );
    await server.stop();
    await server.start();
    await server.sql('create table o (id text primary key, v text); create publication p for table o');
  }
  // One after the other: a slot waits for open transactions, and a subscription that is being made is one.
  for (const to of servers) {
    for (const from of servers.filter((other) => other !== to)) {
      const conninfo = `host=127.0.0.1 port=${regions.ways.get(from.name)?.port} user=regionctl password=${PASSWORD} dbname=orders`;
      await to.sql(
        `create subscription ${to.name}_${from.name} connection '${conninfo}' publication p with (origin = none, copy_data = false)`,
      );
    }
  }
  for (const server of servers) await server.sql(`insert into o values ('${server.name}', 'x')`);
  for (const server of servers) await eventually(async () => (await server.sql('select 1 from o')).length === servers.length, 30_000);
  return regions;
}

/** A primary with six standbys, which stream over the way to it. */
export async function startStar(): Promise<Regions> {
  const started = await startServers(NAMES);
  const regions = await behindWays(started.all, 6, '7 regions, a star of 6 standbys', [started]);
  const [primary, ...standbys] = started.all;
  const port = regions.ways.get(primary?.name ?? '')?.port;
  for (const {name, sql} of standbys) {
    await sql(`alter system set primary_conninfo = 'host=127.0.0.1 port=${port} user=replicator application_name=${name}'`);
    await sql('select pg_reload_conf()');
  }
  return regions;
}

async function behindWays(servers: readonly Server[], links: number, what: string, started: readonly Servers[]): Promise<Regions> {
  const ports = new PortPicker();
  const ways = new Map<string, {proxy: FaultyProxy; port: number}>();
  for (const server of servers) {
    await askPassword(server);
    const proxy = new FaultyProxy(server.port);
    ways.set(server.name, {proxy, port: await proxy.listen(ports)});
  }
  const members = servers.map((server) => ({...server, port: ways.get(server.name)?.port ?? 0}));
  return {
    ...{what, links, servers, ways},
    store: () => openStore(members, {}, 0),
    end: async () => {
      for (const {proxy} of ways.values()) proxy.reshape(CLEAR);
      await Promise.all(started.map((each) => each.end()));
      for (const {proxy} of ways.values()) await proxy.close();
    },
  };
}

/** As in production: without a password a new connection would be two round trips cheaper. */
async function askPassword({dir, sql}: Server): Promise<void> {
  const file = join(dir, 'pg_hba.conf');
  writeFileSync(file, `host all regionctl 127.0.0.1/32 scram-sha-256\n${readFileSync(file, 'utf8')}`);
  await sql('select pg_reload_conf()');
}

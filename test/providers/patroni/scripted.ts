import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {unavailable} from '../../../src/lib/errors.ts';
import {secretReference} from '../../../src/lib/fleet/references.ts';
import type {SecretVault} from '../../../src/lib/fleet/secrets.ts';
import type {Clock} from '../../../src/lib/ports/clock.ts';
import type {Host} from '../../../src/lib/ports/host.ts';
import {createEnsemble, type Ensemble} from '../../../src/lib/providers/patroni/ensemble.ts';
import type {PatroniConfig} from '../../../src/lib/providers/patroni/provider.ts';
import type {Facts} from '../../../src/lib/providers/postgres/facts.ts';
import type {Session} from '../../../src/lib/providers/postgres/session.ts';
import {deadPort} from '../listener.ts';
import {realClock, testContext} from '../postgres/open-store.ts';

/** One member as a script has it. `patroni` is laid over what a Patroni that is well says; `server` over what its server says. */
export type Scripted = {
  patroni: 'hang' | 'refuse' | Readonly<Record<string, unknown>>;
  server: 'timeout' | 'refused' | 'starting' | Partial<Facts>;
  /** What its host says; absent = there is no host. */
  host?: boolean | null;
};

/** An order as it arrived. */
export type Arrival = {readonly member: string; readonly path: string; readonly body: unknown; readonly authorization: string | undefined};
/** What a Patroni makes of it: an answer, a broken connection, or nothing at all. */
export type Reply = {readonly status: number; readonly text: string} | 'break' | 'hang';

export type Script = {
  readonly names?: readonly string[];
  readonly wanted?: Partial<PatroniConfig>;
  readonly members?: Readonly<Record<string, Partial<Scripted>>>;
  readonly cluster?: unknown;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly clock?: Clock;
};

/** Real HTTP servers that answer as a cluster's Patronis do, and servers whose answers to SQL are made up. Everything may be changed while it runs. */
export type World = {
  readonly ensemble: Ensemble;
  readonly members: Record<string, Scripted>;
  readonly arrivals: Arrival[];
  /** `hang` = the Patronis answer for themselves, and not for their cluster. */
  cluster: unknown;
  config: Record<string, unknown>;
  onOrder: (arrival: Arrival) => Reply;
  url(name: string): string;
  close(): Promise<void>;
};

export const REST_PASSWORD = 'hunter2-hunter2';
const LINEAGE = '7000000000000000001';

/** What SQL says of a server: a primary on timeline 1, or a standby of `us` that streams. */
export function factsOf(name: string, more: Partial<Facts> = {}): Facts {
  const recovering = more.recovering ?? name !== 'us';
  const port = portOf('us');
  return {
    ...{
      recovering,
      readOnly: recovering,
      lineage: LINEAGE,
      timeline: 1,
      durable: '1000',
      applied: '1000',
      nextXid: '700',
      overXids: '700',
      now: 0,
      lastReplay: null,
    },
    ...{replayPaused: false, replaying: false, drained: false, slotName: '', heardAt: null, syncNames: '', syncCommit: 'on'},
    ...(recovering
      ? {conninfo: `host=db port=${port}`, receiver: 'streaming', senderHost: 'db', senderPort: port}
      : {conninfo: '', receiver: null, senderHost: null, senderPort: null}),
    ...more,
  };
}

/** A standby that follows another member, or nobody. */
export const following = (name: string | null): Partial<Facts> =>
  name === null
    ? {recovering: true, conninfo: '', receiver: null, senderHost: null, senderPort: null}
    : {recovering: true, conninfo: `host=db port=${portOf(name)}`, receiver: 'streaming', senderHost: 'db', senderPort: portOf(name)};

/** A cluster as `/cluster` shows it, with `leader` at its head. */
export function clusterOf(leader: string | null, more: Readonly<Record<string, object>> = {}, names = NAMES): {members: object[]} {
  const members = names.map((name) => ({
    name,
    ...(name === leader ? {role: 'leader', state: 'running', timeline: 1} : {role: 'replica', state: 'running', timeline: 1, lag: 0}),
    ...more[name],
  }));
  return {members};
}

const NAMES: readonly string[] = ['us', 'eu', 'ap'];
const CONFIG = {ttl: 20, loop_wait: 1, retry_timeout: 3, maximum_lag_on_failover: 1_048_576};
/** A server that is well set up; its role has no more than Patroni needs of it. */
const SETTINGS = {
  ...{version: 15, superuser: false, scram: false, mayAlter: false, retryMs: 100, senders: 10, targetTimeline: 'latest', syncCommit: 'on'},
  // Patroni sees to the names under which standbys connect.
  ...{conninfo: 'host=db application_name=another', clusterName: 'main'},
  ...{hbaError: null, replicates: true},
};
/** The servers are named by ports that nobody uses: their sessions are scripts. */
const portOf = (name: string): number => 1 + NAMES.indexOf(name);

const vault: SecretVault = {reveal: async () => REST_PASSWORD, scrub: (text) => text.replaceAll(REST_PASSWORD, '•••')};

/** Starts the world. `close` ends it. */
export async function scriptedWorld(script: Script = {}): Promise<World> {
  const {names = NAMES, clock = realClock} = script;
  const members: Record<string, Scripted> = Object.fromEntries(
    names.map((name) => [name, {patroni: {}, server: {}, ...script.members?.[name]} satisfies Scripted]),
  );
  const world = {
    members,
    arrivals: [] as Arrival[],
    cluster: script.cluster ?? clusterOf('us', {}, names),
    config: {...CONFIG, ...script.config} as Record<string, unknown>,
    onOrder: (): Reply => ({status: 200, text: 'done'}),
  };
  const live = world as unknown as World;
  const servers: Server[] = [];
  const ports: Record<string, number> = {};
  for (const name of names) ports[name] = members[name]?.patroni === 'refuse' ? await deadPort() : await serve(live, name, servers);
  const url = (name: string): string => `http://127.0.0.1:${ports[name]}`;
  const password = secretReference('env', 'PGPASSWORD');
  const config: PatroniConfig = {
    database: 'orders',
    user: 'regionctl',
    password,
    replicationUser: 'replicator',
    tls: false,
    watchdog: 'off',
    ...script.wanted,
  };
  const opened = createEnsemble(
    {
      name: 'orders',
      quorum: 0,
      config,
      members: names.map((name) => ({
        name,
        region: `region-${name}`,
        host: hostOf(live, name),
        config: {address: {host: 'db', port: portOf(name)}, upstreams: {}, rest: `${url(name)}/`},
      })),
    },
    {...testContext, secrets: vault, clock},
  );
  const nodes = new Map([...opened.cluster.nodes].map(([name, node]) => [name, {...node, session: sessionOf(live, name)}] as const));
  const peers = opened.peers.map((peer) => ({...peer, node: nodes.get(peer.name) ?? peer.node}));
  const ensemble = {...opened, cluster: {...opened.cluster, nodes}, peers};
  const close = async (): Promise<void> => {
    await ensemble.rest.close();
    for (const server of servers) server.closeAllConnections();
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  };
  return Object.assign(world, {ensemble, url, close});
}

async function serve(world: World, name: string, servers: Server[]): Promise<number> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => answer(world, name, {request, body}, response));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function answer(world: World, name: string, {request, body}: {request: IncomingMessage; body: string}, response: ServerResponse): void {
  const patroni = world.members[name]?.patroni;
  if (patroni === 'hang') return;
  if (typeof patroni !== 'object') {
    response.destroy();
    return;
  }
  const path = request.url ?? '';
  const documents: Record<string, unknown> = {
    '/patroni': statusOf(world, name, patroni),
    '/cluster': world.cluster,
    '/config': world.config,
  };
  if (documents[path] === 'hang') return;
  if (request.method === 'POST')
    order(world, {member: name, path, body: JSON.parse(body), authorization: request.headers.authorization}, response);
  else if (path in documents) response.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify(documents[path]));
  else response.writeHead(404).end('<html>not here</html>');
}

function order(world: World, arrival: Arrival, response: ServerResponse): void {
  world.arrivals.push(arrival);
  const reply = world.onOrder(arrival);
  if (reply === 'break') response.destroy();
  else if (reply !== 'hang') response.writeHead(reply.status, {'content-type': 'text/html'}).end(reply.text);
}

function statusOf(world: World, name: string, more: Readonly<Record<string, unknown>>): object {
  const server = world.members[name]?.server;
  const recovering = typeof server === 'object' && factsOf(name, server).recovering;
  return {state: 'running', role: recovering ? 'replica' : 'master', timeline: 1, patroni: {version: '3.0.2', scope: 'orders'}, ...more};
}

function sessionOf(world: World, name: string): Session {
  const rows = async (sql: string): Promise<readonly unknown[]> => {
    const server = world.members[name]?.server ?? 'refused';
    if (typeof server === 'string')
      throw unavailable(server, `${name} (db) ${server === 'timeout' ? 'did not answer in time' : `is ${server}`}.`);
    const facts = factsOf(name, server);
    if (sql.includes('pg_postmaster_start_time')) return [{at: (server as {startedAt?: number}).startedAt ?? 1}];
    if (sql.includes('pg_database_size')) return [{bytes: 4096}];
    if (sql.includes('wal_retrieve_retry_interval')) return [SETTINGS];
    return sql.includes('pg_control_system') ? [facts] : [{recovering: facts.recovering}];
  };
  return {
    ready: async () => undefined,
    rows: rows as Session['rows'],
    prepare: async () => undefined,
    connection: () => null,
    reached: () => false,
    close: async () => undefined,
  };
}

/** Where the fleet file gives one. It can only be asked: nothing here may act by a host. */
function hostOf({members}: World, name: string): Host | null {
  if (members[name]?.host === undefined) return null;
  const never = (): Promise<never> => Promise.reject(new Error('a host was acted on'));
  const status = async () => ({running: members[name]?.host ?? null, detail: 'as the script says'});
  return {status, stop: never, start: never, startAsStandby: never, rebuild: never};
}

/** A clock whose monotonic time can be moved on. */
export function movedClock(): Clock & {ahead(ms: number): void} {
  let moved = 0;
  return {
    ...realClock,
    now: () => realClock.now() + moved,
    ahead: (ms) => {
      moved += ms;
    },
  };
}

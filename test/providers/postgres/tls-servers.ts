import {appendFileSync, chmodSync, copyFileSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type pg from 'pg';
import type {Fleet} from '../../../src/lib/fleet/fleet.ts';
import {createVault} from '../../../src/lib/fleet/vault.ts';
import type {ProbeResult} from '../../../src/lib/ports/probe.ts';
import {builtinProviders} from '../../../src/lib/providers/builtin.ts';
import type {ProbeProvider, ProviderContext, StoreProvider} from '../../../src/lib/providers/define.ts';
import {PASSWORD, prepareServers, type Server, type Servers} from '../../servers/embedded.ts';
import {type FullStore, realClock, signal} from './open-store.ts';

export const CERTIFICATES = join(import.meta.dirname, '../tls/certificates');
const KEY = readFileSync(join(CERTIFICATES, 'server.key'), 'utf8');

/** What the server shows; `none` = it does not speak TLS. */
export type Shows = 'good' | 'expired' | 'other' | 'none';
type Keys = Readonly<Record<string, unknown>>;

const env = (name: string): string => `$${`{env:${name}}`}`;
/** Names of files are relative to the folder of the certificates. */
const context: ProviderContext = {
  fleet: {stores: [] as Fleet['stores']} as Fleet,
  secrets: createVault({baseDir: CERTIFICATES, env: {PASSWORD, KEY}}),
  clock: realClock,
  baseDir: CERTIFICATES,
};
/** Who asks: a superuser. */
export const LOGIN = {user: 'regionctl', password: env('PASSWORD'), database: 'orders'};
/** A certificate of ours, signed by the same authority. */
export const OWN = {cert: 'good.pem', key: env('KEY')};
/** TLS as these servers speak it. */
export const SECURE = {tls: true, ca: 'ca.pem'};

/** Servers that let nobody in without TLS; `shown` additionally has to show a certificate of its own. The first is the primary. */
export async function startTlsServers(names: readonly string[]): Promise<Servers> {
  const servers = await prepareServers(names);
  const hba = [
    'hostssl all shown all scram-sha-256 clientcert=verify-ca',
    'hostssl all postgres all trust',
    'hostssl replication replicator all trust',
    'hostssl all all all scram-sha-256',
  ];
  for (const {dir} of servers.all) {
    for (const file of ['ca.pem', 'good.pem', 'expired.pem', 'other.pem', 'server.key'])
      copyFileSync(join(CERTIFICATES, file), join(dir, file));
    chmodSync(join(dir, 'server.key'), 0o600);
    writeFileSync(join(dir, 'pg_hba.conf'), `${hba.join('\n')}\n`);
    writeFileSync(join(dir, 'tls.conf'), settings('good'));
    appendFileSync(join(dir, 'postgresql.conf'), "ssl_key_file = 'server.key'\nssl_ca_file = 'ca.pem'\ninclude 'tls.conf'\n");
  }
  try {
    for (const server of servers.all) await server.start();
    return servers;
  } catch (error) {
    await servers.end();
    throw error;
  }
}

const settings = (shows: Shows): string => (shows === 'none' ? 'ssl = off\n' : `ssl = on\nssl_cert_file = '${shows}.pem'\n`);

/** Lets the server show another certificate from its next connections on. */
export function show({dir}: Server, shows: Shows): void {
  writeFileSync(join(dir, 'tls.conf'), settings(shows));
  process.kill(Number(readFileSync(join(dir, 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGHUP');
}

/** As a client that is not ours. */
export async function ask<Row extends pg.QueryResultRow>(server: Server, sql: string): Promise<Row[]> {
  const client = await server.connect({database: 'orders', ssl: {ca: readFileSync(join(CERTIFICATES, 'ca.pem'), 'utf8')}});
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** The store that a fleet file with these keys gets. `host` is how its members are reached; with `rest` it is one that Patroni runs. */
export async function storeOf(
  servers: readonly Server[],
  keys: Keys = SECURE,
  host = '127.0.0.1',
  more: {rest?: string} = {},
): Promise<FullStore> {
  const engine = more.rest === undefined ? 'postgres' : 'patroni';
  const provider = builtinProviders.find(({port, kind}) => port === 'store' && kind === engine) as StoreProvider;
  const members = servers.map(({name, port}) => ({
    ...{name, region: `region-${name}`, host: null},
    config: provider.memberSchema.parse({address: `${host}:${port}`, ...more}),
  }));
  const config = provider.schema.parse({...LOGIN, replicationUser: 'replicator', ...keys});
  return (await provider.create({name: 'orders', quorum: 0, config, members}, context)) as FullStore;
}

/** One check by the probe that an endpoint with these keys gets. */
export async function check({port}: Pick<Server, 'port'>, keys: Keys = SECURE, timeoutMs = 1000): Promise<ProbeResult> {
  const provider = builtinProviders.find((each) => each.port === 'probe' && each.kind === 'postgres') as ProbeProvider;
  const config = provider.schema.parse({host: '127.0.0.1', port, ...LOGIN, ...keys});
  return (await provider.create(config, {region: 'us', endpoint: 'db', timeoutMs}, context)).check(signal());
}

import pg from 'pg';
import type {Store, WitnessWriter} from '../../../src/lib/ports/store.ts';
import {createStore} from '../../../src/lib/providers/postgres/store.ts';
import {PASSWORD, type Server} from '../../servers/embedded.ts';
import {passwordRef, testContext} from './open-store.ts';

/** The role of the witness in these tests. It owns nothing and may make tables. */
export const ROLE = 'watcher';

export async function makeRole(primary: Server): Promise<void> {
  await primary.sql(`create role ${ROLE} login password '${PASSWORD}'`);
  await primary.sql(`grant create on schema public to ${ROLE}`);
}

export type WitnessedStore = Store & {readonly abilities: {readonly witness: NonNullable<Store['abilities']['witness']>}};

/** The store with a role for the witness. `ports`: where a member is reached, if not at its server. */
export async function openWitnessed(
  servers: readonly Server[],
  ports: Readonly<Record<string, number>> = {},
  user = ROLE,
): Promise<WitnessedStore> {
  const password = passwordRef;
  const config = {database: 'orders', user: 'regionctl', password, replicationUser: 'replicator', tls: false, witness: {user, password}};
  const members = servers.map(({name, port}) => ({
    ...{name, region: name, host: null},
    config: {address: {host: '127.0.0.1', port: ports[name] ?? port}, upstreams: {}},
  }));
  return (await createStore({name: 'orders', quorum: 0, config, members}, testContext)) as WitnessedStore;
}

/** One write, and what became of it after `ms` at most. */
export function writeOne(writer: WitnessWriter, ref: string, ms = 2000): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => giveUp(), ms);
    const giveUp = writer.write(ref, (outcome, unsent) => {
      clearTimeout(timer);
      resolve(unsent ?? outcome);
    });
  });
}

/**
 * A client that shares no code with the witness: a new connection for each write, every 10 ms, to each server, as a superuser. It knows what was
 * acknowledged, and when, by the wall clock of its process.
 */
export function independentWriter(servers: readonly Server[], prefix: string) {
  const acks: {readonly ref: string; readonly at: number}[] = [];
  const open = new Set<Promise<void>>();
  let n = 0;
  const one = async (server: Server, ref: string): Promise<void> => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: server.port,
      user: 'postgres',
      database: 'orders',
      connectionTimeoutMillis: 2000,
    });
    client.on('error', () => undefined);
    const timer = setTimeout(() => (client as unknown as {connection: {stream: {destroy(): void}}}).connection.stream.destroy(), 2000);
    try {
      await client.connect();
      await client.query('insert into independent (ref) values ($1)', [ref]);
      acks.push({ref, at: performance.timeOrigin + performance.now()});
    } catch {
      // Not acknowledged.
    } finally {
      clearTimeout(timer);
      client.end().catch(() => undefined);
    }
  };
  const timer = setInterval(() => {
    n += 1;
    for (const server of servers) {
      const write = one(server, `${prefix}-${server.name}-${n}`);
      open.add(write);
      void write.finally(() => open.delete(write));
    }
  }, 10);
  return {
    acks,
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
      const times = acks.map(({at}) => at).toSorted((a, b) => a - b);
      return times.slice(1).reduce((longest, at, i) => Math.max(longest, at - (times[i] ?? at)), 0);
    },
  };
}

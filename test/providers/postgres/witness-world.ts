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
 * A client that shares no code with the witness: a new connection for each write, every 10 ms, to each server, as a superuser; eight of them at most
 * wait at the same time, for as long as it takes, so that the server is not out of connections when it goes on. It knows what was acknowledged, and when.
 */
export function independentWriter(servers: readonly Server[], prefix: string) {
  const acks: {readonly ref: string; readonly at: number}[] = [];
  const waiting = new Map<Server, Set<pg.Client>>(servers.map((server) => [server, new Set()]));
  let n = 0;
  const one = async (server: Server, under: Set<pg.Client>, ref: string): Promise<void> => {
    const client = new pg.Client({host: '127.0.0.1', port: server.port, user: 'postgres', database: 'orders'});
    client.on('error', () => undefined);
    under.add(client);
    try {
      await client.connect();
      await client.query('insert into independent (ref) values ($1)', [ref]);
      acks.push({ref, at: performance.timeOrigin + performance.now()});
    } catch {
      // Not acknowledged.
    } finally {
      under.delete(client);
      client.end().catch(() => undefined);
    }
  };
  const timer = setInterval(() => {
    n += 1;
    for (const [server, under] of waiting) if (under.size < 8) void one(server, under, `${prefix}-${server.name}-${n}`);
  }, 10);
  return {
    acks,
    /** The longest time between two acknowledgements. */
    stop() {
      clearInterval(timer);
      for (const client of [...waiting.values()].flatMap((under) => [...under])) {
        (client as unknown as {connection: {stream: {destroy(): void}}}).connection.stream.destroy();
      }
      const times = acks.map(({at}) => at).toSorted((a, b) => a - b);
      return times.slice(1).reduce((longest, at, i) => Math.max(longest, at - (times[i] ?? at)), 0);
    },
  };
}

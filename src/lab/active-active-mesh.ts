import {setTimeout as sleep} from 'node:timers/promises';
import type {Client} from 'pg';
import {messageOf} from '../lib/errors.ts';
import {quoteIdent, quoteLiteral} from '../lib/providers/postgres/sql.ts';
import {ACTIVE_ACTIVE, idTurns} from './active-active-sql.ts';
import {publisherConninfo} from './postgres-settings.ts';

/** One region's database. `port` past every fault; `links`: the ports by which it reaches the others. */
export type Peer = {
  readonly name: string;
  readonly port: number;
  readonly links: Readonly<Record<string, number>>;
  readonly passfile: string;
};

/** The name of a subscription and of its slot: both ends say who sends to whom. Slots know no hyphen. */
export const streamName = (from: string, to: string): string => `${from}_to_${to}`.replaceAll('-', '_');

/** Makes the tables in each database, subscribes it to each other one, and waits until all changes flow. `password` is the superuser's. */
export async function openMesh(peers: readonly Peer[], password: string, deadlineMs: number): Promise<void> {
  const clients = await Promise.allSettled(peers.map(({port}) => connect(port, password)));
  try {
    const open = peers.map((peer, index) => ({peer, client: settled(clients[index])}));
    await everywhere(open, async ({client}, index) => {
      await client.query(ACTIVE_ACTIVE);
      await client.query(idTurns(index, peers.length));
    });
    // Apart from the subscriptions: a slot waits for the transactions of its server to end, and the making of a subscription is one. Both ends would wait.
    await everywhere(open, async ({peer, client}) => {
      for (const to of othersThan(peer, peers)) await client.query(SLOT, [streamName(peer.name, to.name)]);
    });
    await everywhere(open, async ({peer, client}) => {
      for (const from of othersThan(peer, peers)) await client.query(subscription(peer, from));
    });
    await flowing(open, peers.length - 1, deadlineMs);
  } catch (error) {
    throw new Error(`the regions do not replicate to one another: ${messageOf(error)}`, {cause: error});
  } finally {
    await Promise.allSettled(clients.map((client) => (client.status === 'fulfilled' ? client.value.end() : undefined)));
  }
}

type OpenPeer = {readonly peer: Peer; readonly client: Client};

const SLOT = "select pg_create_logical_replication_slot($1, 'pgoutput')";
const FLOWING = "select application_name as name from pg_stat_replication where state = 'streaming'";

/** Not in parallel: a long transaction would be merged beside later ones, and both would wait for each other. */
function subscription(to: Peer, from: Peer): string {
  const port = to.links[from.name];
  if (port === undefined) throw new Error(`${to.name} has no link to ${from.name}`);
  const conninfo = quoteLiteral(publisherConninfo(port, to.passfile));
  const options = 'create_slot = false, copy_data = false, origin = none, streaming = off';
  const name = quoteIdent(streamName(from.name, to.name));
  return `create subscription ${name} connection ${conninfo} publication regions with (slot_name = ${name}, ${options})`;
}

async function flowing(open: readonly OpenPeer[], wanted: number, deadlineMs: number): Promise<void> {
  const end = performance.now() + deadlineMs;
  for (const {peer, client} of open) {
    for (;;) {
      const {rows} = await client.query<{name: string}>(FLOWING);
      if (rows.length >= wanted) break;
      if (performance.now() > end)
        throw new Error(`${peer.name} sends to ${rows.length} of ${wanted}: ${rows.map(({name}) => name).join(', ')}`);
      await sleep(10);
    }
  }
}

async function connect(port: number, password: string): Promise<Client> {
  const {default: pg} = await import('pg');
  const client = new pg.Client({
    ...{host: '127.0.0.1', port, user: 'regionctl', password, database: 'orders'},
    ...{connectionTimeoutMillis: 5000, query_timeout: 30_000},
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const everywhere = (open: readonly OpenPeer[], work: (peer: OpenPeer, index: number) => Promise<unknown>) => Promise.all(open.map(work));

const othersThan = (peer: Peer, peers: readonly Peer[]) => peers.filter((other) => other !== peer);

function settled(client: PromiseSettledResult<Client> | undefined): Client {
  if (client?.status === 'fulfilled') return client.value;
  throw client?.reason;
}

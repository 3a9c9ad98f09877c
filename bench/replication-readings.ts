// Seven regions, each behind a way of its own latency: what one reading of all their links costs, what it opens, and what a frozen server costs it.
import {loadavg} from 'node:os';
import {setTimeout as sleep} from 'node:timers/promises';
import pg from 'pg';
import {CLEAR} from '../src/lab/faulty-proxy.ts';
import type {LinkReading} from '../src/lib/ports/store.ts';
import type {FullStore} from '../test/providers/postgres/open-store.ts';
import {eventually, PASSWORD} from '../test/servers/embedded.ts';
import {NAMES, type Regions, startMesh, startStar, WAYS} from './replication-regions.ts';
import type {Report} from './report.ts';
import {median, round} from './timing.ts';

const WARM = 20;
const COLD = 5;
/** What a reading may cost over the slowest round trip, and over its deadline. */
const OVER_MS = 150;
const DEADLINE_MS = 1500;

export async function measureReadings(report: Report): Promise<void> {
  for (const start of [startMesh, startStar]) {
    const regions = await start();
    try {
      await measure(regions, report);
    } finally {
      await regions.end();
    }
  }
}

async function measure(regions: Regions, report: Report): Promise<void> {
  const {what} = regions;
  await settle(regions);
  for (const [name, {proxy}] of regions.ways) proxy.reshape({...CLEAR, latencyMs: WAYS[name as keyof typeof WAYS]});
  const trips = await Promise.all(NAMES.map((name) => tripOf(regions, name)));
  const tripMs = Math.max(...trips.map(({queryMs}) => queryMs));
  const connectMs = Math.max(...trips.map(({connectMs}) => connectMs));
  const slowest = {slowestRoundTripMs: tripMs, slowestConnectAndQueryMs: connectMs};
  const cold: number[] = [];
  for (let each = 0; each < COLD; each++) cold.push(await readCold(regions));
  const coldLimit = connectMs + OVER_MS;
  const worstCold = Math.max(...cold);
  const inTrips = round(median(cold) / tripMs);
  const coldDetail = {
    ...slowest,
    coldMs: cold,
    coldInRoundTrips: inTrips,
    overOneRoundTripMs: round(median(cold) - tripMs),
    loadOfMachine: loadavg(),
    trips,
  };
  report.add(
    `${what}: one reading, connections opened for it, worst of ${COLD}`,
    `<= slowest connect + select 1, plus ${OVER_MS} ms = ${round(coldLimit)} ms`,
    ...([worstCold, 'ms', worstCold <= coldLimit, coldDetail] as const),
  );
  const store = await regions.store();
  try {
    await warm(regions, store, tripMs, report);
    await connections(regions, store, report);
    await frozen(regions, store, report);
  } finally {
    await store.close();
  }
  await leftOpen(regions, report);
}

async function warm(regions: Regions, store: FullStore, tripMs: number, report: Report): Promise<void> {
  await read(store);
  const times: number[] = [];
  for (let each = 0; each < WARM; each++) times.push((await timed(() => read(store), regions.links)).ms);
  const [middle, worst] = [median(times), Math.max(...times)];
  const limit = tripMs + OVER_MS;
  report.add(
    `${regions.what}: one reading, connections open, worst of ${WARM}`,
    `<= slowest round trip plus ${OVER_MS} ms = ${round(limit)} ms`,
    ...([worst, 'ms', worst <= limit, {slowestRoundTripMs: tripMs, medianMs: middle, worstMs: worst, ms: times}] as const),
  );
}

/** Everything that looks at once, while the servers are asked who is connected. */
async function connections(regions: Regions, store: FullStore, report: Report): Promise<void> {
  let reading = true;
  const watching = Promise.all(
    regions.servers.map(async (server) => {
      const client = await server.connect();
      let most = 0;
      while (reading) {
        most = Math.max(most, await oursOn(client));
        await sleep(2);
      }
      await client.end();
      return most;
    }),
  );
  for (let each = 0; each < 5; each++) {
    await Promise.all([
      read(store),
      read(store),
      store.observe(AbortSignal.timeout(5000)),
      store.abilities.slots.slots(AbortSignal.timeout(5000)),
    ]);
  }
  reading = false;
  const most = await watching;
  const worst = Math.max(...most);
  report.add(`${regions.what}: connections to one server while reading, the most seen`, '<= 2', worst, 'connections', worst <= 2, most);
}

async function leftOpen(regions: Regions, report: Report): Promise<void> {
  const left = async (): Promise<number> => {
    const counts = await Promise.all(
      regions.servers.map(async (server) => {
        const client = await server.connect();
        const open = await oursOn(client);
        await client.end();
        return open;
      }),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  };
  // A server hears of the end one way later, and then its process ends.
  await eventually(async () => (await left()) === 0, 3000).catch(() => undefined);
  const open = await left();
  report.add(`${regions.what}: connections left open after close()`, '0', open, 'connections', open === 0, null);
}

/** Each server is frozen in turn, with the connections to it open and without any. */
async function frozen(regions: Regions, store: FullStore, report: Report): Promise<void> {
  const runs: {frozen: string; connections: 'open' | 'none'; ms: number; links: number; othersRead: number; others: number}[] = [];
  for (const server of regions.servers) {
    for (const connections of ['open', 'none'] as const) {
      const own = connections === 'open' ? store : await regions.store();
      server.freeze();
      try {
        const {ms, links} = await timed(() => read(own), 0);
        const others = links.filter(({from, to}) => from !== server.name && to !== server.name);
        const othersRead = others.filter(({senderRead, receiverConnected}) => senderRead && receiverConnected === true).length;
        runs.push({frozen: server.name, connections, ms, links: links.length, othersRead, others: others.length});
      } finally {
        server.thaw();
        if (own !== store) await own.close();
      }
      await settle(regions);
    }
    await eventually(async () => isWell(await read(store), regions.links), 30_000);
  }
  const worst = Math.max(...runs.map(({ms}) => ms));
  const isMesh = regions.links > NAMES.length;
  const expected = (name: string): number => (isMesh ? (NAMES.length - 1) * (NAMES.length - 2) : name === NAMES[0] ? 0 : NAMES.length - 2);
  const all = runs.every((run) => run.othersRead === expected(run.frozen));
  const limit = DEADLINE_MS + OVER_MS;
  report.add(
    `${regions.what}: one reading with a server frozen, each in turn, all other links read, the worst`,
    `<= deadline of ${DEADLINE_MS} ms plus ${OVER_MS} ms, links of others all read`,
    ...([worst, 'ms', worst <= limit && all, runs] as const),
  );
}

async function readCold(regions: Regions): Promise<number> {
  const store = await regions.store();
  try {
    return (await timed(() => read(store), regions.links)).ms;
  } finally {
    await store.close();
  }
}

/** `links`: how many have to be there, all well; 0 = any. */
async function timed(look: () => Promise<readonly LinkReading[]>, links: number): Promise<{ms: number; links: readonly LinkReading[]}> {
  const began = performance.now();
  const seen = await look();
  const ms = round(performance.now() - began);
  if (links > 0 && !isWell(seen, links)) throw new Error(`not every link was read: ${JSON.stringify(seen)}`);
  return {ms, links: seen};
}

const read = (store: FullStore): Promise<readonly LinkReading[]> => store.abilities.links.links(AbortSignal.timeout(10_000));

const isWell = (links: readonly LinkReading[], count: number): boolean =>
  links.length === count &&
  links.every(
    ({trouble, senderRead, senderState, receiverConnected}) =>
      trouble === null && senderRead && senderState === 'streaming' && receiverConnected === true,
  );

async function settle(regions: Regions): Promise<void> {
  const store = await regions.store();
  try {
    await eventually(async () => isWell(await read(store), regions.links), 60_000);
  } finally {
    await store.close();
  }
}

async function oursOn(client: pg.Client): Promise<number> {
  const {rows} = await client.query(`select count(*)::int as n from pg_stat_activity where application_name = 'regionctl'`);
  return rows[0].n;
}

/** What the way itself costs: a new connection with its first answer, and an answer on an open one; medians of 9. */
async function tripOf({ways}: Regions, name: string): Promise<{region: string; connectMs: number; queryMs: number}> {
  const [connects, queries]: [number[], number[]] = [[], []];
  for (let each = 0; each < 9; each++) {
    const began = performance.now();
    const client = new pg.Client({
      host: '127.0.0.1',
      port: ways.get(name)?.port ?? 0,
      user: 'regionctl',
      password: PASSWORD,
      database: 'orders',
    });
    await client.connect();
    await client.query('select 1');
    const opened = performance.now();
    await client.query('select 1');
    queries.push(performance.now() - opened);
    connects.push(opened - began);
    await client.end();
  }
  return {region: name, connectMs: round(median(connects)), queryMs: round(median(queries))};
}

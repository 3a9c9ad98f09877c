import {spawn} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import pg from 'pg';
import {type DebianFleet, startDebianFleet} from '../servers/debian.ts';
import {PASSWORD} from '../servers/embedded.ts';
import {type Haproxy, startHaproxy} from '../servers/haproxy.ts';
import {type Ended, endedWith, type Ground} from './ground.ts';

const BIN = join(resolve(import.meta.dirname, '../..'), 'bin/regionctl');
const HOME = 'us-east';
const REGIONS = [HOME, 'eu-west', 'ap'];

/** Debian's PostgreSQL 15 run by hand, a primary and two standbys, ANY 1 of them, with HAProxy in front of their ports. */
export async function debianGround(): Promise<Ground> {
  let haproxy: Haproxy | null = null;
  const fleet = await startDebianFleet({
    members: REGIONS,
    quorum: 1,
    links: true,
    settings: {max_prepared_transactions: '20'},
    parts: async (servers) => {
      const backends = Object.fromEntries(servers.map((each) => [each.name, [each]]));
      haproxy = await startHaproxy({servers: backends, mode: 'tcp'});
      return routeText(haproxy);
    },
  });
  askTheDatabase(fleet);
  const {frontPort, command} = await frontDoor(haproxy);
  for (const region of REGIONS.slice(1)) await command(`set server be/${region} state maint`);
  return {
    regions: REGIONS,
    connect: (region, settings) => fleet.connect(region, settings),
    admin: (region) => fleet.connect(region, {user: 'regionctl', password: PASSWORD, database: 'orders'}),
    enter: entrance(frontPort, (port) => Object.values(fleet.servers).find((server) => server.port === port)?.name ?? 'nobody'),
    held: 'select id::text from written',
    alone: true,
    regionctl: (...args) => regionctl(fleet, args),
    delay: async (slow, ms) => {
      for (const region of REGIONS.slice(1)) {
        const way = fleet.links.replication(region, HOME);
        way.reshape({...way.shape, latencyMs: region === slow ? ms : 0});
      }
    },
    begin: async (fault) => {
      if (fault === 'kill') await fleet.kill(HOME);
      else if (fault === 'freeze') fleet.freeze(HOME);
      else fleet.partition(HOME);
    },
    end: async (fault) => {
      if (fault === 'kill') await fleet.restart(HOME);
      else if (fault === 'freeze') fleet.thaw(HOME);
      else fleet.heal(HOME);
    },
    remove: async () => {
      await haproxy?.end();
      await fleet.end();
    },
  };
}

function routeText({runtime, regions, stateFile}: Haproxy): string {
  const weights = REGIONS.map((region) => `${region}: ${region === HOME ? 100 : 0}`).join(', ');
  return `routes:
  front-door:
    router: haproxy
    address: ${runtime.host}:${runtime.port}
    servers: ${JSON.stringify(regions)}
    stateFile: ${JSON.stringify(stateFile)}
    weights: {${weights}}
`;
}

/** The port of a frozen server still takes connections: only the database itself tells that nobody is in. */
function askTheDatabase({fleetFile}: DebianFleet): void {
  const text = readFileSync(fleetFile, 'utf8').replaceAll(
    'probe: tcp,',
    `probe: postgres, user: regionctl, password: "\${file:password}", database: orders,`,
  );
  writeFileSync(fleetFile, text);
}

async function frontDoor(haproxy: Haproxy | null): Promise<Haproxy> {
  if (haproxy === null) throw new Error('HAProxy was not started');
  return haproxy;
}

/** One session with the front door, as long as it lasts. */
function entrance(port: number, regionAt: (port: number) => string): Ground['enter'] {
  let client: pg.Client | null = null;
  return async (id) => {
    try {
      client ??= await open({host: '127.0.0.1', port, database: 'orders', user: 'app', connectionTimeoutMillis: 1000, query_timeout: 3000});
      const insert = `insert into written values ($1, 'front') returning current_setting('port')::int as port`;
      const {rows} = await client.query<{port: number}>(insert, [id]);
      return regionAt(rows[0]?.port ?? 0);
    } catch (error) {
      client?.end().catch(() => undefined);
      client = null;
      throw error;
    }
  };
}

async function open(settings: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(settings);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

function regionctl(fleet: DebianFleet, args: readonly string[]): Promise<Ended> {
  return new Promise((done, fail) => {
    const child = spawn(BIN, [...args, '--json', '--fleet', fleet.fleetFile], {stdio: ['ignore', 'pipe', 'pipe']});
    const printed = {stdout: '', stderr: ''};
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        printed[stream] += text;
      });
    child.on('error', fail).on('close', (code) => done(endedWith(code, printed)));
  });
}

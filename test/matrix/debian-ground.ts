import {spawn} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {type DebianFleet, startDebianFleet} from '../servers/debian.ts';
import {PASSWORD} from '../servers/embedded.ts';
import {HaproxyDoor} from '../servers/haproxy-door.ts';
import {type Ended, endedWith, type Ground} from './ground.ts';

const BIN = join(resolve(import.meta.dirname, '../..'), 'bin/regionctl');
const HOME = 'us-east';
const REGIONS = [HOME, 'eu-west', 'ap'];

/** Debian's PostgreSQL 15 run by hand, a primary and two standbys, ANY 1 of them, with HAProxy in front of their ports. */
export async function debianGround(): Promise<Ground> {
  const door = new HaproxyDoor(REGIONS);
  const fleet = await startDebianFleet({
    members: REGIONS,
    quorum: 1,
    links: true,
    settings: {max_prepared_transactions: '20'},
    parts: (servers) => door.open(servers),
  });
  askTheDatabase(fleet);
  door.tell(Object.values(fleet.servers).map(({name, port}) => ({name, port, host: '127.0.0.1'})));
  return {
    regions: REGIONS,
    connect: (region, settings) => fleet.connect(region, settings),
    admin: (region) => fleet.connect(region, {user: 'regionctl', password: PASSWORD, database: 'orders'}),
    enter: (id) => door.insert(`insert into written values ($1, 'front')`, [id]),
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
      await door.end();
      await fleet.end();
    },
  };
}

/** The port of a frozen server still takes connections: only the database itself tells that nobody is in. */
function askTheDatabase({fleetFile}: DebianFleet): void {
  const text = readFileSync(fleetFile, 'utf8').replaceAll(
    'probe: tcp,',
    `probe: postgres, user: regionctl, password: "\${file:password}", database: orders,`,
  );
  writeFileSync(fleetFile, text);
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

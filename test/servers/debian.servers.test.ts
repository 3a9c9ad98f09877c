import {spawn} from 'node:child_process';
import {existsSync, readdirSync, readFileSync, readlinkSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {afterEach, describe, expect, it} from 'vitest';
import {CLEAR} from '../../src/lab/faulty-proxy.ts';
import {openByHand} from '../providers/postgres/open-by-hand.ts';
import {signal} from '../providers/postgres/open-store.ts';
import {type DebianFleet, noPostgres15, startDebianFleet} from './debian.ts';
import {eventually} from './embedded.ts';

const ALL = ['us-east', 'eu-west', 'ap'];

// What tests of a fleet run by hand rely on.
describe.skipIf(noPostgres15 !== null)(`the fleet of PostgreSQL 15${noPostgres15 === null ? '' : ` (skipped: ${noPostgres15})`}`, () => {
  let fleet: DebianFleet;
  afterEach(() => fleet?.end());

  const count = async (name: string) => (await fleet.servers[name]!.sql<{n: number}>('select count(*)::int as n from t'))[0]?.n;
  const streaming = async () =>
    (
      await fleet.servers['us-east']!.sql<{name: string}>(
        `select application_name as name from pg_stat_replication where state = 'streaming'`,
      )
    )
      .map(({name}) => name)
      .toSorted();
  const working = (dir: string): readonly string[] =>
    readdirSync('/proc').filter((pid) => {
      try {
        return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(`${dir}/`);
      } catch {
        return false;
      }
    });
  /** The shared memory of a running server, as key and id. */
  const segmentOf = (dir: string): readonly string[] =>
    readFileSync(join(dir, 'us-east/postmaster.pid'), 'utf8').split('\n')[6]!.trim().split(/\s+/);
  const isThere = ([key, id]: readonly string[]): boolean =>
    readFileSync('/proc/sysvipc/shm', 'utf8')
      .split('\n')
      .some((line) => {
        const [seenKey, seenId] = line.trim().split(/\s+/);
        return Number(seenKey) >>> 0 === Number(key) >>> 0 && seenId === id;
      });

  it('each way is delayed or cut by itself, and a machine with all of its ways', async () => {
    const seen: string[] = [];
    fleet = await startDebianFleet({
      ...{members: ALL, quorum: 1, links: true},
      parts: (servers) => {
        seen.push(...servers.map(({name, port}) => `${name} ${port}`));
        return 'labels: {from: the test}';
      },
    });
    // Its own parts of the fleet file know where the servers are.
    expect(seen).toEqual(ALL.map((name) => `${name} ${fleet.links.accessPort(name)}`));
    expect(readFileSync(fleet.fleetFile, 'utf8')).toContain('labels: {from: the test}');
    const {links} = fleet;
    const us = fleet.servers['us-east']!;
    await us.sql('create table t (x int)');
    // The quorum may be the other standby: this one has no such table yet.
    await eventually(async () => (await count('ap').catch(() => null)) === 0);
    // One standby hears late; the other makes the quorum, and clients notice nothing.
    links.replication('ap', 'us-east').reshape({...CLEAR, blackHole: true});
    await us.sql('insert into t values (1)');
    await eventually(async () => (await count('eu-west')) === 1);
    expect(await count('ap')).toBe(0);
    links.replication('ap', 'us-east').reshape({...CLEAR, latencyMs: 30});
    await eventually(async () => (await count('ap')) === 1);
    const opened = await openByHand(fleet);
    try {
      const host = await opened.host('us-east');
      expect(Object.values(await opened.store.observe(signal())).map(({known}) => known)).toEqual([true, true, true]);
      expect((await opened.store.observe(signal())).ap).toMatchObject({value: {upstream: 'us-east', role: 'standby'}});
      fleet.partition('us-east');
      const cut = await opened.store.observe(signal());
      expect([cut['us-east']?.known, cut['eu-west']?.known, cut.ap?.known]).toEqual([false, true, true]);
      expect((await host.status(signal())).running).toBeNull();
      // Its server goes on, and a client beside it reaches it.
      const beside = await fleet.connect('us-east', {database: 'orders'});
      await beside.query('set synchronous_commit = local');
      await beside.query('insert into t values (2)');
      await beside.end();
      fleet.heal('us-east');
      expect((await host.status(signal())).running).toBe(true);
      await eventually(async () => (await count('ap')) === 2 && (await count('eu-west')) === 2, 30_000);
      await eventually(async () => (await streaming()).length === 2, 30_000);
    } finally {
      await opened.close();
    }
  });

  it('a frozen machine says nothing and goes on where it was; a killed one comes back as a primary', async () => {
    fleet = await startDebianFleet({members: ['us-east', 'eu-west'], quorum: 0});
    const us = fleet.servers['us-east']!;
    await us.sql('create table t (x int)');
    const opened = await openByHand(fleet);
    try {
      const host = await opened.host('us-east');
      fleet.freeze('us-east');
      expect((await opened.store.observe(signal()))['us-east']).toMatchObject({known: false, code: 'timeout'});
      expect((await host.status(signal())).running).toBeNull();
      fleet.thaw('us-east');
      await us.sql('insert into t values (1)');
      await fleet.kill('us-east');
      expect(us.running()).toBe(false);
      expect(await host.status(signal())).toMatchObject({running: false});
      await fleet.restart('us-east');
      expect(await us.sql('select pg_is_in_recovery() as standby, count(*)::int as n from t')).toEqual([{standby: false, n: 1}]);
      await eventually(async () => (await streaming()).length === 1);
    } finally {
      await opened.close();
    }
  });

  it('leaves nothing behind: not at its end, and not when its process is killed', async () => {
    fleet = await startDebianFleet({members: ['us-east'], quorum: 0});
    const {dir} = fleet;
    const segment = segmentOf(dir);
    expect([working(dir).length > 1, isThere(segment)]).toEqual([true, true]);
    await fleet.kill('us-east');
    await fleet.end();
    expect([working(dir), existsSync(dir), isThere(segment)]).toEqual([[], false, false]);

    const script = `import {startDebianFleet} from ${JSON.stringify(join(import.meta.dirname, 'debian.ts'))};
const {dir} = await startDebianFleet({members: ['us-east'], quorum: 0});
console.log(dir);
setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {stdio: ['ignore', 'pipe', 'inherit']});
    const lines = createInterface(child.stdout);
    const other = await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      child.once('exit', () => reject(new Error('it ended')));
    });
    const otherSegment = segmentOf(other);
    expect([working(other).length > 1, isThere(otherSegment)]).toEqual([true, true]);
    child.kill('SIGKILL');
    await eventually(() => working(other).length === 0 && !existsSync(other) && !isThere(otherSegment));
  });
});

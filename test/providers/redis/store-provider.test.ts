import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {kindsOf} from '../../../src/lib/fleet/kinds.ts';
import {fleetProblems, loadFleet} from '../../../src/lib/fleet/load.ts';
import {builtinProviders} from '../../../src/lib/providers/builtin.ts';
import {openFleet} from '../../../src/lib/providers/open-fleet.ts';
import {realClock as clock} from '../../health/real-clock.ts';
import {env} from './probe-under-test.ts';

const dir = mkdtempSync(join(tmpdir(), 'regionctl-redis-'));
const file = join(dir, 'regionctl.yaml');
const kinds = kindsOf(builtinProviders);
const SECRET = 'hunter2-secret';
afterAll(() => rmSync(dir, {recursive: true}));

const MEMBERS = [
  'us: {region: us, address: "10.0.0.1:6379"}',
  'eu: {region: eu, address: "10.0.0.2:6379", upstreams: {us: "192.168.0.1:6379"}}',
];

/** A fleet file whose store has these keys, one a line from line 7 on, and these members after them. */
function write(keys: readonly string[], members: readonly string[] = MEMBERS): void {
  const regions = 'regions: {us: {jurisdiction: US}, eu: {jurisdiction: EU}}';
  const lines = [...keys.map((key) => `    ${key}`), '    members:', ...members.map((member) => `      ${member}`)];
  writeFileSync(file, ['version: 1', 'fleet: shop', regions, 'stores:', '  cache:', '    engine: redis', ...lines, ''].join('\n'));
}

async function problemsOf(keys: readonly string[], members?: readonly string[]): Promise<string[]> {
  write(keys, members);
  return (await fleetProblems(file, kinds, {REDIS: SECRET})).map(
    ({path, line, message}) => `${line} ${path.slice(2).join('.')}: ${message}`,
  );
}

describe('the fleet file of a redis store', () => {
  it('needs the addresses of its members and nothing else', async () => {
    expect(await problemsOf([])).toEqual([]);
    const {stores} = await loadFleet(file, kinds, {});
    expect(stores[0]).toMatchObject({engine: 'redis', quorum: 0, config: {tls: false}});
    expect(stores[0]?.members[1]?.config).toEqual({
      address: {host: '10.0.0.2', port: 6379},
      upstreams: {us: {host: '192.168.0.1', port: 6379}},
    });
  });

  it('takes a user, TLS and Sentinels', async () => {
    const secure = ['tls: true', 'serverName: cache', 'ca: ca.pem', 'cert: me.pem', `key: ${env('REDIS')}`];
    const sentinels = `sentinels: {master: cache-1, members: ["10.0.0.1:26379", "10.0.0.2:26379"], user: watcher, password: "${env('REDIS')}", tls: false}`;
    expect(await problemsOf(['user: watcher', `password: ${env('REDIS')}`, ...secure, sentinels])).toEqual([]);
  });

  it.each([
    [[`password: ${SECRET}`], ['7 password: expected a secret by reference, got a literal value']],
    [['user: watcher'], ['7 user: user is of no use without password']],
    [['ca: ca.pem'], ['7 ca: ca is of no use without tls: true']],
    [['tls: true', 'cert: me.pem'], ['8 cert: cert is of no use without key']],
    [['tls: true', `key: ${env('REDIS')}`], ['8 key: key is of no use without cert']],
    [['sentinels: {master: cache-1, members: []}'], ['7 sentinels.members: expected at least one item, got 0']],
    [['sentinels: {members: ["10.0.0.1:26379"]}'], ['7 sentinels.master: is missing; expected a text']],
    [
      ['sentinels: {master: a, members: ["10.0.0.1"]}'],
      ['7 sentinels.members.0: expected an address such as 10.0.0.1:5432, got "10.0.0.1"'],
    ],
    [['sentinels: {master: a, user: b, members: ["10.0.0.1:26379"]}'], ['7 sentinels.user: user is of no use without password']],
    [['sentinels: {master: a, members: ["h:26379", "H:26379"]}'], ['7 sentinels.members.1: h:26379 stands here twice']],
    [['database: 0'], [expect.stringContaining('7 database: ')]],
  ] as const)('refuses %s', async (keys, problems) => {
    expect(await problemsOf(keys)).toEqual(problems);
    expect(JSON.stringify(await problemsOf(keys))).not.toContain(SECRET);
  });

  it.each([
    [['us: {region: us}'], ['8 members.us.address: is missing; expected an address such as 10.0.0.1:5432']],
    [['us: {region: us, address: "10.0.0.1:6379", upstreams: {mars: "a:1"}}'], [expect.stringContaining('8 members.us.upstreams.mars: ')]],
    [
      ['us: {region: us, address: "a:1"}', 'eu: {region: eu, address: "A:1"}'],
      ['9 members.eu.address: the members "us" and "eu" have the same address A:1'],
    ],
  ] as const)('refuses members such as %s', async (members, problems) => {
    expect(await problemsOf([], members)).toEqual(problems);
  });

  it('refuses a quorum: no Redis waits for another', async () => {
    write(['quorum: 1']);
    const fleet = await loadFleet(file, kinds, {});
    await expect(openFleet({fleet, providers: builtinProviders, clock, defaultStateDir: dir})).rejects.toMatchObject({
      code: 'fleet-invalid',
      message: 'stores.cache.quorum: no Redis waits for another before it acknowledges a write; found 1',
    });
  });
});

import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {kindsOf} from '../../../src/lib/fleet/kinds.ts';
import {fleetProblems, loadFleet} from '../../../src/lib/fleet/load.ts';
import {builtinProviders} from '../../../src/lib/providers/builtin.ts';
import {env} from './probe-under-test.ts';

const dir = mkdtempSync(join(tmpdir(), 'regionctl-redis-'));
const file = join(dir, 'regionctl.yaml');
const kinds = kindsOf(builtinProviders);
const SECRET = 'hunter2-secret';
afterAll(() => rmSync(dir, {recursive: true}));

/** A fleet file whose endpoint has these keys, one a line: the first stands in line 9. */
function write(...keys: readonly string[]): void {
  const lines = keys.map((key) => `        ${key}\n`).join('');
  writeFileSync(
    file,
    `version: 1\nfleet: shop\nregions:\n  home:\n    jurisdiction: EU\n    endpoints:\n      cache:\n        probe: redis\n${lines}`,
  );
}

async function problemsOf(...keys: readonly string[]): Promise<string[]> {
  write(...keys);
  const problems = await fleetProblems(file, kinds, {REDIS: SECRET});
  return problems.map(({path, line, message}) => `${line} ${path.slice(4).join('.')}: ${message}`);
}

describe('the fleet file of a redis probe', () => {
  it('needs a host and nothing else', async () => {
    expect(await problemsOf('host: cache.example.com')).toEqual([]);
    const {regions} = await loadFleet(file, kinds, {});
    expect(regions[0]?.endpoints[0]?.probe.config).toEqual({host: 'cache.example.com', port: 6379, tls: false, expect: 'any'});
  });

  it('takes everything that is judged', async () => {
    const judged = ['expect: standby', 'maxReplicationAge: 30s', 'minReplicas: 2', 'maxMemory: 90', 'timeout: 2s', 'critical: true'];
    const secure = ['tls: true', 'serverName: cache', 'ca: ca.pem', 'cert: me.pem', `key: ${env('REDIS')}`, 'minValid: 30d'];
    expect(await problemsOf('host: a', 'port: 6380', 'user: probe', `password: ${env('REDIS')}`, ...judged, ...secure)).toEqual([]);
  });

  it.each([
    [['port: 6379'], ['7 host: is missing; expected a text']],
    [['host: a', 'port: 70000'], ['10 port: expected a port from 1 to 65535, got 70000']],
    [['host: a', `password: ${SECRET}`], ['10 password: expected a secret by reference, got a literal value']],
    [['host: a', 'user: probe'], ['10 user: user is of no use without password']],
    [['host: a', 'expect: master'], ['10 expect: expected one of primary, standby, any, got "master"']],
    [['host: a', 'maxReplicationAge: 30'], ['10 maxReplicationAge: expected a duration such as 250ms, 5s, 15m or 1h, got 30']],
    [['host: a', 'minReplicas: 0'], ['10 minReplicas: expected a number of at least 1, got 0']],
    [['host: a', 'maxMemory: 101'], ['10 maxMemory: expected a number of at most 100, got 101']],
    [['host: a', 'tls: yes please'], ['10 tls: expected true or false, got "yes please"']],
    [
      ['host: a', 'ca: ca.pem', 'minValid: 30d'],
      ['10 ca: ca is of no use without tls: true', '11 minValid: minValid is of no use without tls: true'],
    ],
    [['host: a', 'tls: true', 'cert: me.pem'], ['11 cert: cert is of no use without key']],
    [['host: a', 'tls: true', `key: ${env('REDIS')}`], ['11 key: key is of no use without cert']],
    [['host: a', 'tls: true', `key: ${SECRET}`, 'cert: me.pem'], ['11 key: expected a secret by reference, got a literal value']],
    [['host: a', 'maxmemory: 90'], ['10 maxmemory: unknown key "maxmemory" for the probe "redis"']],
  ])('is wrong with %j', async (keys, problems) => {
    const found = await problemsOf(...keys);
    expect(found).toEqual(problems);
    expect(found.join()).not.toContain(SECRET);
  });

  it('says what to do about it', async () => {
    write('host: a', 'user: probe', 'ca: ca.pem');
    const [first, second] = await fleetProblems(file, kinds, {});
    expect([first?.suggestion, second?.suggestion]).toEqual(['Add password, or take user out.', 'Add tls: true, or take ca out.']);
  });

  it('is refused with file, line and field', async () => {
    write('host: a', 'maxReplicationAge: soon');
    const error = await loadFleet(file, kinds, {}).catch((thrown: Error) => thrown);
    expect(String(error)).toMatch(/regionctl\.yaml:10:28 regions\.home\.endpoints\.cache\.maxReplicationAge: expected a duration/);
  });
});

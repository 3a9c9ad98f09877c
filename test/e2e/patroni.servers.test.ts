import {execFile} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {startService} from '../../src/lab/service.ts';
import type {DrillDocument} from '../../src/lib/drill/report.ts';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {PASSWORD} from '../servers/embedded.ts';
import {type Haproxy, startHaproxy} from '../servers/haproxy.ts';
import {noPatroni, type PatroniCluster, REST_PASSWORD, REST_USER, SCOPE, startPatroni} from '../servers/patroni.ts';

const BIN = join(resolve(import.meta.dirname, '../..'), 'bin/regionctl');
const ALL = ['us-east', 'eu-west', 'ap'];
type Refusal = {readonly error: {readonly code: string; readonly message: string}};

// Patroni 3.0.2 with etcd from Debian, through the built program: it is asked, and nothing is done around it.
describe.skipIf(noPatroni !== null)(`PostgreSQL run by Patroni${noPatroni === null ? '' : ` (skipped: ${noPatroni})`}`, () => {
  let cluster: PatroniCluster;
  let fleetFile: string;
  let haproxy: Haproxy;
  const shops: Awaited<ReturnType<typeof startService>>[] = [];

  beforeAll(async () => {
    cluster = await startPatroni({names: ALL});
    haproxy = await openShops();
    fleetFile = join(cluster.dir, 'regionctl.yaml');
    writeFileSync(join(cluster.dir, 'password'), PASSWORD, {mode: 0o600});
    writeFileSync(join(cluster.dir, 'rest'), REST_PASSWORD, {mode: 0o600});
    writeFileSync(fleetFile, fleetText());
  });
  afterAll(async () => {
    await haproxy?.end();
    for (const shop of shops) await shop.close();
    await cluster?.end();
  });

  /** A shop in each region, on the region's own server, and HAProxy before them. */
  async function openShops(): Promise<Haproxy> {
    const leader = cluster.member('us-east');
    await leader.sql(`create role app login password '${PASSWORD}'; create role witness login password '${PASSWORD}'`);
    await leader.sql(
      'create table orders (id bigint generated always as identity primary key, ref text, item text, quantity int, region text);' +
        'grant select, insert on orders to app; grant create on schema public to witness',
    );
    const servers: Record<string, {name: string; host: string; port: number}[]> = {};
    for (const {name: region, port: postgresPort} of cluster.members) {
      const shop = await startService({region, port: 0, peer: false, postgresPort, passwordFile: '', errorShare: 0}, PASSWORD, {
        errorShare: 0,
      });
      shops.push(shop);
      servers[region] = [{name: region, host: '127.0.0.1', port: shop.port}];
    }
    const made = await startHaproxy({servers, mode: 'http'});
    for (const region of ['eu-west', 'ap']) await made.command(`set server be/${region} state maint`);
    return made;
  }

  function fleetText(): string {
    const region = (name: string, port: number) =>
      `  ${name}: {jurisdiction: EU, failoverOrder: [${ALL.filter((other) => other !== name).join(', ')}], endpoints: {postgres: {probe: tcp, host: 127.0.0.1, port: ${port}, timeout: 1s, critical: true}}}`;
    const member = ({name, port, rest, dir}: PatroniCluster['members'][number]) => {
      // What an operator knows of a machine: whether a server runs on this data.
      const status = JSON.stringify([
        'sh',
        '-c',
        // Neither another pgrep that looks for the same nor one that is gone by the time it is looked at.
        'for p in $(pgrep -f -- "[-]D $0/data" || true); do grep -qs "^State:.[^Z]" /proc/$p/status && exit 0; done; exit 3',
        dir,
      ]);
      return `      ${name}: {region: ${name}, address: "127.0.0.1:${port}", rest: "${rest}", host: {kind: exec, status: ${status}, stop: ["false"]}}`;
    };
    return `version: 1
fleet: managed
regions:
${cluster.members.map(({name, port}) => region(name, port)).join('\n')}
stores:
  orders:
    engine: patroni
    database: orders
    user: regionctl
    password: "\${file:password}"
    witness: {user: witness, password: "\${file:password}"}
    replicationUser: replicator
    scope: ${SCOPE}
    dcs: etcd3
    restUser: ${REST_USER}
    restPassword: "\${file:rest}"
    dataClasses: [user-content]
    members:
${cluster.members.map(member).join('\n')}
services: {checkout: {class: critical, rto: 15m, stores: [orders]}}
dataClasses: {user-content: {rpo: 5m}}
routes:
  front-door:
    router: haproxy
    address: ${haproxy.runtime.host}:${haproxy.runtime.port}
    servers: ${JSON.stringify(haproxy.regions)}
    stateFile: ${JSON.stringify(haproxy.stateFile)}
    url: http://127.0.0.1:${haproxy.frontPort}
    weights: {us-east: 100, eu-west: 0, ap: 0}
witness: {allowed: true, url: "http://127.0.0.1:${haproxy.frontPort}/orders", every: 20ms, deadline: 2s, stores: [orders]}
state: {dir: state}
`;
  }

  const run = <T = RunDocument>(code: number, ...args: string[]): Promise<T> =>
    new Promise((done, fail) => {
      const env = {...process.env, REGIONCTL_FLEET: fleetFile};
      const child = execFile(BIN, [...args, '--json'], {env, timeout: 110_000}, (_error, stdout, stderr) => {
        if (child.exitCode === code) done(JSON.parse(stdout) as T);
        else fail(new Error(`regionctl ${args.join(' ')} ended with ${child.exitCode}\n${stdout}\n${stderr}`));
      });
    });
  const drilled = (name: string, text: string): Promise<DrillDocument> => {
    const file = join(cluster.dir, `${name}.yaml`);
    writeFileSync(file, `name: ${name}\n${text}\n`);
    return run<DrillDocument>(0, 'drill', 'run', file, '--yes');
  };
  const recovering = async (name: string) => (await cluster.member(name).sql<{r: boolean}>('select pg_is_in_recovery() as r'))[0]?.r;

  it('is switched over and back', async () => {
    const there = await run(0, 'switchover', 'run', '--to', 'eu-west', '--yes');
    expect(there).toMatchObject({outcome: 'succeeded', from: 'us-east', to: 'eu-west'});
    expect(await recovering('eu-west')).toBe(false);
    expect(await cluster.settled()).toBe('eu-west');
    expect(await run(0, 'switchover', 'run', '--to', 'us-east', '--yes')).toMatchObject({outcome: 'succeeded'});
    expect(await cluster.settled()).toBe('us-east');
  });

  it('is switched over as a drill, with a witness at the front door and one in the store', async () => {
    const drill = await drilled('moved', 'reaction: {switchover: {to: eu-west}}\nrollback: failback');
    expect(drill).toMatchObject({verdict: 'passed', measured: {lostWrites: 0, duplicatedWrites: 0}});
    expect(drill.stores).toMatchObject([{store: 'orders', all: {lostWrites: 0, duplicatedWrites: 0}, twoWriters: null, trouble: null}]);
    const writers = drill.stores[0]?.members.filter(({acknowledged}) => acknowledged > 0).map(({member}) => member);
    expect(writers).toEqual(['us-east', 'eu-west']);
    expect(await cluster.member('us-east').sql("select to_regclass('public.regionctl_witness') as left")).toEqual([{left: null}]);
    expect(await cluster.settled()).toBe('us-east');
  });

  it('is not failed over from a frozen leader: this version would let it take the key back', async () => {
    await run(0, 'replication', 'lag');
    cluster.member('us-east').freeze();
    try {
      const refused = await run<Refusal>(77, 'failover', 'run', '--to', 'eu-west', '--yes');
      expect(refused.error.code).toBe('gate-refused');
      expect(JSON.stringify(refused.error)).toMatch(/manager:orders/);
      expect(JSON.stringify(refused.error)).toMatch(/3\.0\.2/);
    } finally {
      cluster.member('us-east').thaw();
    }
    await cluster.settled();
  });

  it('fails over after a kill, bound by its ttl, and goes home when the member is back', async () => {
    await cluster.settled();
    await run(0, 'replication', 'lag');
    await cluster.member('us-east').kill();
    const over = await run(0, 'failover', 'run', '--to', 'eu-west', '--yes');
    expect(over).toMatchObject({outcome: 'succeeded', to: 'eu-west'});
    expect(await recovering('eu-west')).toBe(false);
    cluster.member('us-east').start();
    await cluster.settled();
    expect(await run(0, 'failback', 'run', '--to', 'us-east', '--yes')).toMatchObject({outcome: 'succeeded'});
    expect(await cluster.settled()).toBe('us-east');
  });
});

import {execFile} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {PlanDocument} from '../../src/lib/plan/plan-document.ts';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {type DebianFleet, type DebianServer, noPostgres15, startDebianFleet} from '../servers/debian.ts';
import {eventually} from '../servers/embedded.ts';
import {tapLinks, type Wiretap} from '../servers/wiretap.ts';

const BIN = join(resolve(import.meta.dirname, '../..'), 'bin/regionctl');
/** Of each pair one is lost: whoever is promoted accepts no write before the other one is back. */
const ALONE = ['--override', 'acknowledgers', '--reason', 'the other site is rebuilt by hand'] as const;
/** Named both ways; a run finds the second by itself. */
const LEAVE = ['--from', 'eu-central', '--to', 'us-east'] as const;
const STAYS = 'personal may not be in us-east (US)';
/** Long and random: whatever looks like one of them on a link or a disk is a row. */
const [SECRET, PUBLIC] = [0, 1].map(() => randomBytes(32).toString('hex')) as [string, string];
/** Where each member stands. Two sites under one law, a region under another. */
const PLACES = {
  'eu-a': 'region: eu-central, site: a',
  'eu-b': 'region: eu-central, site: b',
  'cat-eu': 'region: eu-central, site: a',
  'cat-us': 'region: us-east',
} as const;
type Name = keyof typeof PLACES;
type Refusal = {readonly error: {readonly code: string; readonly message: string}};

// Site a is lost. `orders` may only move to the other site of its region, `catalog` may go anywhere and has its standby abroad.
describe.skipIf(noPostgres15 !== null)(`data that may not leave${noPostgres15 === null ? '' : ` (skipped: ${noPostgres15})`}`, () => {
  const fleets: DebianFleet[] = [];
  let wiretap: Wiretap | null = null;
  let fleetFile = '';
  let acknowledged: readonly number[] = [];

  beforeAll(async () => {
    fleets.push(await startDebianFleet({members: ['eu-a', 'eu-b'], quorum: 1, links: true}));
    fleets.push(await startDebianFleet({members: ['cat-eu', 'cat-us'], quorum: 1, links: true}));
    fleetFile = writeFleet('jurisdiction', {orders: ['eu-a', 'eu-b'], catalog: ['cat-eu', 'cat-us']});
    wiretap = await tapLinks(fleets);
    await server('cat-eu').sql('create table goods (name text primary key)');
    await server('cat-eu').sql('insert into goods values ($1)', [PUBLIC]);
    acknowledged = await loseSiteA();
  });
  afterAll(async () => {
    for (const fleet of fleets) await fleet.end();
    await wiretap?.end();
  });

  const server = (name: Name): DebianServer => {
    const found = fleets.flatMap(({servers}) => servers[name] ?? [])[0];
    if (found === undefined) throw new Error(`no server ${name}`);
    return found;
  };
  const writeFleet = (name: string, stores: Stores, places: Readonly<Record<Name, string>> = PLACES): string => {
    const file = join(fleets[0]!.dir, `${name}.yaml`);
    const known = fleets.map((fleet) => readFileSync(fleet.fleetFile, 'utf8')).join('\n');
    writeFileSync(file, fleetText(stores, {known, places, port: (member) => server(member).port}));
    return file;
  };
  /** Clients write under the quorum until both servers of the site are killed; answers what was acknowledged. */
  const loseSiteA = async (): Promise<readonly number[]> => {
    await server('eu-a').sql('create table orders (id int primary key, note text not null)');
    const ids: number[] = [];
    // Over the link, as clients come: the watch must hear them.
    const client = await server('eu-a').connect({database: 'orders', port: fleets[0]!.links.accessPort('eu-a')});
    const writing = (async () => {
      for (let id = 1; ; id += 1) {
        await client.query('insert into orders values ($1, $2)', [id, SECRET]);
        ids.push(id);
      }
    })().catch(() => client.end().catch(() => undefined));
    await eventually(() => ids.length > 100);
    await Promise.all([server('eu-a').kill(), server('cat-eu').kill()]);
    await writing;
    return ids;
  };
  const run = <Answer>(code: number, file: string, ...args: readonly string[]): Promise<Answer> =>
    new Promise((done, fail) => {
      const env = {...process.env, REGIONCTL_FLEET: file};
      const child = execFile(BIN, [...args, '--json'], {env, timeout: 60_000}, (_error, stdout, stderr) => {
        if (child.exitCode === code) done(JSON.parse(stdout) as Answer);
        else fail(new Error(`regionctl ${args.join(' ')} ended with ${child.exitCode}\n${stdout}\n${stderr}`));
      });
    });
  const refusal = async (code: number, file: string, ...args: readonly string[]) => (await run<Refusal>(code, file, ...args)).error;
  const promoted = ({plan}: PlanDocument) =>
    plan.steps
      .filter(({do: {action}}) => action === 'store.promote')
      .map(({do: {target}}) => `${target.store}: ${target.member} in ${target.region}`);

  it('the watch hears rows on the links where they may be', () => {
    expect(wiretap?.carried(SECRET)).toEqual(['eu-a', 'eu-b>eu-a']);
    expect(wiretap?.carried(PUBLIC)).toEqual(['cat-us>cat-eu']);
    expect([onDisk('eu-b', SECRET), onDisk('cat-us', PUBLIC)]).toEqual([true, true]);
  });

  it('the plan for another jurisdiction moves what may go, and says why the rest stays', async () => {
    const plan = await run<PlanDocument>(0, fleetFile, 'failover', 'plan', ...LEAVE, ...ALONE);
    // What the critical service needs comes first.
    expect(promoted(plan)).toEqual(['orders: eu-b in eu-central', 'catalog: cat-us in us-east']);
    expect(plan.staysDown).toEqual([]);
    expect(plan.notes).toEqual([`orders stays in its jurisdiction: ${STAYS}, so its secondary site eu-central/b takes over`]);
    const gates = plan.gates.filter(({id}) => id.startsWith('residency:'));
    expect(gates.map(({id, verdict, says, overridable}) => ({id, verdict, says, overridable}))).toEqual([
      residency('orders', 'eu-central (EU)'),
      residency('catalog', 'us-east (US)'),
    ]);
  });

  it('without a secondary site its data stays down rather than leave, by any way of asking', async () => {
    const alone = writeFleet('alone', {orders: ['eu-a']});
    const down = `orders stays down: ${STAYS}, and it has no secondary site where its data may be`;
    // The other store goes without it; nor can the fleet file declare a place for it over there.
    const both = writeFleet('without-b', {orders: ['eu-a'], catalog: ['cat-eu', 'cat-us']});
    const abroad = writeFleet('abroad', {orders: ['eu-a', 'eu-b']}, {...PLACES, 'eu-b': 'region: us-east'});
    const [planned, ran, unnamed, rest, declared] = await Promise.all([
      refusal(77, alone, 'failover', 'plan', ...LEAVE),
      refusal(77, alone, 'failover', 'run', ...LEAVE, '--yes', '--no-guard'),
      refusal(77, alone, 'failover', 'plan'),
      run<PlanDocument>(0, both, 'failover', 'plan', ...LEAVE, ...ALONE),
      refusal(78, abroad, 'failover', 'plan', ...LEAVE),
    ]);
    for (const refused of [planned, ran]) expect(refused).toMatchObject({code: 'no-target', message: `nothing can move: ${down}`});
    expect(unnamed).toMatchObject({code: 'no-target', message: `no region can take over from eu-central: ${STAYS}`});
    expect([promoted(rest), rest.staysDown]).toEqual([['catalog: cat-us in us-east'], [down]]);
    expect(declared.message).toContain('the data class "personal" may be in EU only; us-east is in US');
  });

  it('fails over to the secondary site without loss, the rest leaves, and no row of it does', async () => {
    const over = await run<RunDocument>(1, fleetFile, 'failover', 'run', '--from', 'eu-central', '--yes', '--no-guard', ...ALONE); // 1: nobody guards
    expect(over).toMatchObject({outcome: 'succeeded', from: 'eu-central', to: 'us-east'});
    const held = new Set((await server('eu-b').sql<{id: number}>('select id from orders where note = $1', [SECRET])).map(({id}) => id));
    expect(acknowledged.filter((id) => !held.has(id))).toEqual([]);
    for (const name of ['eu-b', 'cat-us'] as const)
      expect(await server(name).sql('select pg_is_in_recovery() as standby')).toEqual([{standby: false}]);
    // Its quorum is still that of its own jurisdiction.
    expect(await server('eu-b').sql('show synchronous_standby_names')).toEqual([{synchronous_standby_names: 'ANY 1 ("eu-a")'}]);
    const reader = await server('cat-us').connect({database: 'orders', port: fleets[1]!.links.accessPort('cat-us')});
    expect((await reader.query('select name from goods')).rows).toEqual([{name: PUBLIC}]);
    await reader.end();
    expect(wiretap?.carried(PUBLIC)).toEqual(['cat-us', 'cat-us>cat-eu']);
    // Clients wrote over eu-a's own way. regionctl's way to eu-b has carried no row either, and us-east has nothing of it.
    expect(wiretap?.carried(SECRET)).toEqual(['eu-a', 'eu-b>eu-a']);
    expect(onDisk('cat-us', SECRET)).toBe(false);
  });

  it('brings every member back under the primary of its own store, wherever that is', async () => {
    for (const name of ['eu-a', 'cat-eu'] as const) await server(name).ctl('start');
    expect(await run<RunDocument>(0, fleetFile, 'failback', 'run', '--to', 'eu-central', '--yes')).toMatchObject({outcome: 'succeeded'});
    const roles = async (name: Name) => (await server(name).sql<{standby: boolean}>('select pg_is_in_recovery() as standby'))[0]?.standby;
    // Home is the region: which of its sites leads is left as it is.
    expect([await roles('eu-a'), await roles('eu-b'), await roles('cat-eu'), await roles('cat-us')]).toEqual([true, false, false, true]);
    await server('eu-b').sql('insert into orders values (0, $1)', ['acknowledged by the quorum again']);
    expect(wiretap?.carried(SECRET).filter((way) => way.startsWith('cat-us'))).toEqual([]);
    expect(onDisk('cat-us', SECRET)).toBe(false);
  });

  /** Whether a server's files, its log among them, hold a text. */
  const onDisk = (name: Name, text: string): boolean =>
    readdirSync(server(name).dir, {recursive: true, withFileTypes: true})
      .filter((entry) => entry.isFile())
      .some((entry) => contentOf(join(entry.parentPath, entry.name)).includes(text));
});

/** A server that runs may remove a file meanwhile. */
function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

function residency(store: string, place: string) {
  const says = `every data class of ${store} may be in ${place}`;
  return {id: `residency:${store}`, verdict: 'pass', says, overridable: false};
}

type Stores = {readonly orders: readonly Name[]; readonly catalog?: readonly Name[]};
type Parts = {readonly known: string; readonly places: Readonly<Record<Name, string>>; port(name: Name): number};

/** The harness's members, each in its place, in stores of their own. Endpoints are asked past the links: only the servers use those. */
function fleetText({orders, catalog = []}: Stores, {known, places, port}: Parts): string {
  const endpoint = (name: Name) => `${name}: {probe: tcp, host: 127.0.0.1, port: ${port(name)}, critical: true}`;
  const member = (name: Name, others: readonly Name[]): string => {
    const line = known.split('\n').find((one) => one.startsWith(`      ${name}: {region: `));
    if (line === undefined) throw new Error(`the harness has no member ${name}`);
    // Alone, it has nobody to follow.
    const upstreams = others.length > 1 ? line : line.replace(/upstreams: \{[^}]*\}, /, '');
    return upstreams.replace(`region: ${name}`, places[name]);
  };
  const store = (name: string, dataClass: string, members: readonly Name[]): string =>
    members.length === 0
      ? ''
      : `  ${name}:
    engine: postgres
    database: orders
    user: regionctl
    password: "\${file:password}"
    replicationUser: replicator
    quorum: ${members.length - 1}
    dataClasses: [${dataClass}]
    members:
${members.map((each) => member(each, members)).join('\n')}
`;
  return `version: 1
fleet: jurisdiction
regions:
  eu-central:
    jurisdiction: EU
    sites: {a: {failsOverTo: b}, b: {}}
    failoverOrder: [us-east]
    endpoints: {${endpoint('eu-a')}, ${endpoint('cat-eu')}}
  us-east:
    jurisdiction: US
    endpoints: {${endpoint('cat-us')}}
stores:
${store('orders', 'personal', orders)}${store('catalog', 'public', catalog)}services:
  shop: {class: critical, rto: 15m, stores: [orders]}
dataClasses:
  personal: {rpo: 0s, allowed: [EU]}
  public: {rpo: 0s}
state: {dir: state}
`;
}

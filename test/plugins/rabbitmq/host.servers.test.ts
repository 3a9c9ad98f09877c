import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {publish, take} from '../../../plugins/rabbitmq/test/client.ts';
import {CLEAR} from '../../../src/lab/faulty-proxy.ts';
import {
  documentOf,
  type Ended,
  ended,
  errorOf,
  expectNoTrace,
  expectSchema,
  personalEnv,
  ROOT,
  regionctl,
  shown,
} from '../../cli/program.ts';
import {APP, type Broker, MONITOR, noRabbitmq, PASSWORDS} from '../../servers/rabbitmq.ts';
import {linkUp, type Pair, startPair} from './world.ts';

const NODE = join(ROOT, 'node_modules/.bin/node');
const PLUGIN = 'regionctl-plugin-rabbitmq';
const as = ({port}: Broker) => ({port, ...APP});

type Link = {
  readonly link: string;
  readonly state: string;
  readonly seconds: number | null;
  readonly reason: string;
  readonly messages: {readonly depth: number | null};
};

describe.skipIf(noRabbitmq !== null)(`the built RabbitMQ plugin in a host${noRabbitmq === null ? '' : ` (${noRabbitmq})`}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'regionctl-rabbitmq-'));
  const said: Ended[] = [];
  let pair: Pair;

  beforeAll(async () => {
    await installPlugin(dir);
    pair = await startPair();
    await linkUp(pair);
    writeFileSync(join(dir, 'monitor'), MONITOR.password, {mode: 0o600});
    writeFileSync(join(dir, 'app'), APP.password, {mode: 0o600});
    writeFileSync(join(dir, 'regionctl.yaml'), fleetText(pair));
    await until(({state}) => state === 'idle');
  });
  afterEach(() => pair.way.reshape(CLEAR));
  afterAll(async () => {
    await pair?.end();
    rmSync(dir, {recursive: true, force: true});
  });

  async function host(...args: readonly string[]): Promise<Ended> {
    const result = await ended(NODE, [join(dir, 'host.js'), ...args], {cwd: dir, env: personalEnv({XDG_DATA_HOME: dir})});
    said.push(result);
    expectNoTrace(result);
    return result;
  }

  const linksOf = (result: Ended): readonly Link[] => (documentOf(result) as {links: readonly Link[]}).links;

  /** Asks for the lag until every link is as wanted; answers the last result. */
  async function until(isWanted: (link: Link) => boolean, ms = 30_000): Promise<Ended> {
    const end = Date.now() + ms;
    for (;;) {
      const result = await host('replication', 'lag', '--json');
      if (linksOf(result).every(isWanted)) return result;
      if (Date.now() > end) throw new Error(shown(result));
    }
  }

  it('gives its probes: regions are judged by a node and by messages that came back', async () => {
    const health = await host('health', 'check', '--json');
    expect(health, shown(health)).toMatchObject({status: 0, stderr: ''});
    const document = documentOf(health) as {regions: {endpoints: {endpoint: string; detail: string}[]}[]};
    expectSchema('health-check', document);
    expect(document.regions.flatMap(({endpoints}) => endpoints)).toMatchObject([
      {
        endpoint: 'node',
        probe: 'rabbitmq',
        verdict: 'healthy',
        detail: expect.stringMatching(/^us@localhost \(RabbitMQ [\d.]+\) answered in/),
      },
      {
        endpoint: 'messages',
        probe: 'rabbitmq-message',
        verdict: 'healthy',
        detail: expect.stringContaining('10 messages back, once and in order'),
      },
      {endpoint: 'node', verdict: 'healthy'},
      {endpoint: 'messages', verdict: 'healthy'},
    ]);
  });

  it('shows the lag of a real shovel, which follows its cut and its heal', async () => {
    pair.way.reshape({...CLEAR, blackHole: true});
    await publish(as(pair.us), '', 'orders', {count: 7, stamped: true});
    const cut = await until(({link, state, seconds}) => state === 'broken' && (link !== 'orders' || (seconds ?? 0) > 0));
    expect(cut.status, shown(cut)).toBe(2);
    expectSchema('replication-lag', documentOf(cut));
    const [orders] = linksOf(cut);
    expect(orders).toMatchObject({link: 'orders', messages: {depth: 7}, withinRpo: true});

    const text = await host('replication', 'lag');
    expect(text.stdout, shown(text)).toMatch(/^events\/orders +us → eu +broken +7 /m);
    expect(text.stdout).toContain('the shovel orders-in on eu');
    const status = await host('status');
    expect(status.stdout, shown(status)).toMatch(/^eu .* p events .*✗ broken$/m);
    expect(status.stdout).toContain('7 messages wait in orders on us');
    const loss = await host('replication', 'loss', '--to', 'eu', '--json');
    expect(documentOf(loss), shown(loss)).toMatchObject({stores: [{store: 'events', transactions: 7, bytes: null, certainty: 'estimate'}]});

    pair.way.reshape(CLEAR);
    const healed = await until(
      ({state, seconds, messages}) => (state === 'idle' || state === 'streaming') && seconds === 0 && messages.depth === 0,
    );
    expect(healed.status, shown(healed)).toBe(0);
    expect(new Set(await take(as(pair.eu), 'orders', 7)).size).toBe(7);
  });

  it('has nothing to fail over: every command that would says so in one sentence', async () => {
    for (const command of [
      ['failover', 'plan'],
      ['failover', 'plan', '--from', 'us'],
      ['failback', 'plan', '--to', 'us'],
      ['switchover', 'plan', '--from', 'us', '--to', 'eu'],
    ]) {
      const error = errorOf(await host(...command, '--json'));
      expect(error, command.join(' ')).toMatchObject({code: 'no-primary', exit: 77});
      expect(error.message).toBe(
        'nothing was done: every member of events takes writes of its own, so there is no primary that could move',
      );
    }
  });

  it('is checked by doctor: links that run, and shovels that nobody watches', async () => {
    const doctor = await host('doctor', '--json');
    const {checks} = documentOf(doctor) as {checks: {check: string; verdict: string; says: string}[]};
    expectSchema('doctor', documentOf(doctor));
    const own = checks.filter(({check}) => check === 'store events');
    expect(
      own.filter(({verdict}) => verdict !== 'pass'),
      shown(doctor),
    ).toEqual([]);
    expect(own.map(({says}) => says)).toContain('orders us → eu: the shovel orders-in on eu runs');
    expect(doctor.status, shown(doctor)).toBe(0);
  });

  it('names the line of what the fleet file gets wrong', async () => {
    const text = fleetText(pair);
    const wrong = join(dir, 'wrong.yaml');
    const refused = async (from: string, to: string) => {
      expect(text).toContain(from);
      writeFileSync(wrong, text.replace(from, to));
      const error = errorOf(await host('replication', 'lag', '--fleet', wrong, '--json'));
      expect(error.exit).toBe(78);
      return error.message;
    };
    expect(await refused('queue: orders}', 'queue: orders, prefetch: 5}')).toMatch(/wrong\.yaml:\d+:\d+.*links\.orders.*prefetch/s);
    expect(await refused('shovel: orders-in, ', '')).toMatch(
      /wrong\.yaml:\d+:\d+.*links\.orders.*a link has either a shovel or a federation/s,
    );
    expect(await refused('from: us, to: eu, shovel', 'from: usa, to: eu, shovel')).toBe(
      'stores.events.links.orders.from: there is no member "usa"; the members are us, eu',
    );
    expect(await refused('engine: rabbitmq', 'engine: rabbitmq\n    quorum: 1')).toContain('stores.events.quorum');
    expect(await refused(`{region: eu, url: "${pair.eu.url}"`, `{region: eu, url: "${pair.us.url}"`)).toContain(
      'us and eu have the same url',
    );
  });

  it('installs with plugins link, is listed, and its lag follows a cut and a heal there as well', async () => {
    const env = {XDG_DATA_HOME: join(dir, 'linked'), XDG_CACHE_HOME: join(dir, 'linked-cache')};
    const linked = async (...args: readonly string[]): Promise<Ended> => {
      const result = await regionctl(args, {cwd: dir, env});
      said.push(result);
      return result;
    };
    const link = await linked('plugins', 'link', join(ROOT, 'plugins/rabbitmq'));
    expect(link.status, shown(link)).toBe(0);
    const list = await linked('plugins');
    expect(list.stdout, shown(list)).toContain(`${PLUGIN} `);
    const lag = async (isWanted: (link: Link) => boolean): Promise<Ended> => {
      for (let tries = 0; tries < 100; tries += 1) {
        const result = await linked('replication', 'lag', '--json');
        if (linksOf(result).every(isWanted)) return result;
      }
      throw new Error('the lag did not follow');
    };
    const well = await lag(({state}) => state === 'idle' || state === 'streaming');
    expect(well, shown(well)).toMatchObject({status: 0, stderr: ''});
    expect(linksOf(well).map(({link: name}) => name)).toEqual(['orders', 'news', 'jobs']);
    pair.way.reshape({...CLEAR, blackHole: true});
    await publish(as(pair.us), '', 'orders', {count: 3, stamped: true});
    const cut = await lag(({link: name, state, messages}) => state === 'broken' && (name !== 'orders' || messages.depth === 3));
    expect(cut.status, shown(cut)).toBe(2);
    pair.way.reshape(CLEAR);
    await lag(({state, messages}) => (state === 'idle' || state === 'streaming') && messages.depth === 0);
    expect(new Set(await take(as(pair.eu), 'orders', 3)).size).toBe(3);
    const unlink = await linked('plugins', 'unlink', PLUGIN);
    expect(unlink.status, shown(unlink)).toBe(0);
    expect((await linked('plugins')).stdout).not.toContain(PLUGIN);
  });

  it('no output held a password', () => {
    const all = said.map(({stdout, stderr}) => stdout + stderr).join('\n');
    expect(said.length).toBeGreaterThan(5);
    for (const password of PASSWORDS) expect(all).not.toContain(password);
  });
});

/** A package root like regionctl's own whose package.json names the plugin, and the plugin as a registry would give it. */
async function installPlugin(dir: string): Promise<void> {
  const packed = await ended('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', dir], {
    cwd: join(ROOT, 'plugins/rabbitmq'),
  });
  const [{filename}] = JSON.parse(packed.stdout) as [{filename: string}];
  const plugin = join(dir, 'node_modules', PLUGIN);
  mkdirSync(plugin, {recursive: true});
  expect(await ended('tar', ['-xzf', join(dir, filename), '-C', plugin, '--strip-components=1'], {})).toMatchObject({status: 0});
  symlinkSync(join(ROOT, 'node_modules/amqplib'), join(dir, 'node_modules/amqplib'));
  cpSync(join(ROOT, 'dist'), join(dir, 'dist'), {recursive: true});
  symlinkSync(join(ROOT, 'oclif.manifest.json'), join(dir, 'oclif.manifest.json'));
  const {dependencies, oclif, ...rest} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, object>;
  const pjson = {...rest, dependencies: {...dependencies, [PLUGIN]: '0.1.0'}, oclif: {...oclif, plugins: [PLUGIN]}};
  writeFileSync(join(dir, 'package.json'), JSON.stringify(pjson));
  writeFileSync(join(dir, 'host.js'), "import {main} from './dist/main.js';\nawait main(import.meta.dirname);\n");
}

function fleetText({us, eu}: Pair): string {
  const endpoints = ({url, port}: Broker) => `
      node: {probe: rabbitmq, url: "${url}", user: ${MONITOR.user}, password: "\${file:monitor}", critical: true}
      messages: {probe: rabbitmq-message, address: "127.0.0.1:${port}", user: ${APP.user}, password: "\${file:app}", timeout: 3s}`;
  return `version: 1
fleet: papers
regions:
  us:
    jurisdiction: US
    failoverOrder: [eu]
    endpoints:${endpoints(us)}
  eu:
    jurisdiction: EU
    endpoints:${endpoints(eu)}
dataClasses:
  news: {rpo: 5m}
stores:
  events:
    engine: rabbitmq
    dataClasses: [news]
    user: ${MONITOR.user}
    password: "\${file:monitor}"
    members:
      us: {region: us, url: "${us.url}"}
      eu: {region: eu, url: "${eu.url}"}
    links:
      orders: {from: us, to: eu, shovel: orders-in, queue: orders}
      news: {from: us, to: eu, federation: us, exchange: news}
      jobs: {from: us, to: eu, federation: us, queue: jobs}
state: {kind: sqlite, dir: state}
`;
}

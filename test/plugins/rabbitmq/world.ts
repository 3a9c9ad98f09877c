import {rabbitmqProviders} from '../../../plugins/rabbitmq/src/providers.ts';
import {FaultyProxy} from '../../../src/lab/faulty-proxy.ts';
import {PortPicker} from '../../../src/lab/ports.ts';
import {type LagOptions, readLag} from '../../../src/lib/operate/lag.ts';
import type {Probe} from '../../../src/lib/ports/probe.ts';
import type {Store} from '../../../src/lib/ports/store.ts';
import type {ProbeProvider, ProviderContext, StoreProvider} from '../../../src/lib/providers/define.ts';
import type {OpenFleet} from '../../../src/lib/providers/open-fleet.ts';
import type {LagRow} from '../../../src/lib/replication/lag.ts';
import {realClock as clock} from '../../health/real-clock.ts';
import {fleet} from '../../health/samples.ts';
import {APP, type Broker, type Brokers, MONITOR, startBrokers} from '../../servers/rabbitmq.ts';

/** Each reference reveals what its name says: the tests' passwords are no secrets of anybody. */
const secrets = {
  reveal: async (ref: {readonly name: string}) => ({monitor: MONITOR.password, app: APP.password, wrong: 'wr0ng'})[ref.name] ?? '',
  scrub: (text: string) => text,
};
const context: ProviderContext = {fleet: fleet([]), secrets: secrets as ProviderContext['secrets'], clock, baseDir: '/fleet'};

export const monitorSecret = `\${env:monitor}`;
export const appSecret = `\${env:app}`;

/** A probe by the plugin's own schema and provider. */
export function probe(kind: string, config: Readonly<Record<string, unknown>>, timeoutMs = 3000): Promise<Probe> {
  const provider = rabbitmqProviders.find((each) => each.port === 'probe' && each.kind === kind) as ProbeProvider;
  return provider.create(provider.schema.parse(config), {region: 'us', endpoint: 'mq', timeoutMs}, context);
}

/** A store by the plugin's own schemas and provider: a region for each member. */
export function store(urls: Readonly<Record<string, string>>, links: Readonly<Record<string, object>>): Promise<Store> {
  const provider = rabbitmqProviders.find(({port}) => port === 'store') as StoreProvider;
  const members = Object.entries(urls).map(([name, url]) => ({
    name,
    region: name,
    config: provider.memberSchema.parse({url}),
    host: null,
  }));
  const config = provider.schema.parse({user: MONITOR.user, password: monitorSecret, links});
  return provider.create({name: 'events', quorum: 0, config, members}, context);
}

/** Two brokers in two regions, and the way from the second to the first, by which it fetches messages. */
export type Pair = {
  readonly brokers: Brokers;
  readonly us: Broker;
  readonly eu: Broker;
  readonly way: FaultyProxy;
  readonly wayPort: number;
  end(): Promise<void>;
};

export async function startPair(): Promise<Pair> {
  const brokers = await startBrokers(['us', 'eu']);
  const us = brokers.broker('us');
  const way = new FaultyProxy(us.port);
  const wayPort = await way.listen(new PortPicker());
  const end = async () => {
    await way.close();
    await brokers.end();
  };
  return {brokers, us, eu: brokers.broker('eu'), way, wayPort, end};
}

/** How `eu` reaches `us`: it notices within two to three seconds that nothing comes through. */
export const uriOf = ({wayPort}: Pair): string =>
  `amqp://${APP.user}:${APP.password}@127.0.0.1:${wayPort}/%2f?heartbeat=1&connection_timeout=1000`;

/** A queue on both ends and a shovel on `eu` that empties the one into the other, an exchange federated from `us`, and a queue too. */
export async function linkUp(pair: Pair): Promise<void> {
  const {us, eu} = pair;
  for (const broker of [us, eu]) {
    await broker.api('PUT', 'queues/%2f/orders', {durable: true});
    await broker.api('PUT', 'queues/%2f/jobs', {durable: true});
    await broker.api('PUT', 'exchanges/%2f/news', {type: 'topic', durable: true});
  }
  await eu.api('PUT', 'queues/%2f/news-in-eu', {durable: true});
  await eu.api('POST', 'bindings/%2f/e/news/q/news-in-eu', {routing_key: '#'});
  const uri = uriOf(pair);
  await eu.api('PUT', 'parameters/shovel/%2f/orders-in', {
    value: {
      ...{
        'src-protocol': 'amqp091',
        'src-uri': uri,
        'src-queue': 'orders',
        'dest-protocol': 'amqp091',
        'dest-uri': 'amqp://',
        'dest-queue': 'orders',
      },
      ...{'reconnect-delay': 1, 'ack-mode': 'on-confirm', 'src-prefetch-count': 100},
    },
  });
  await eu.api('PUT', 'parameters/federation-upstream/%2f/us', {
    value: {uri, 'reconnect-delay': 1, 'ack-mode': 'on-confirm', 'prefetch-count': 100},
  });
  await eu.api('PUT', 'policies/%2f/from-us', {pattern: '^(news|jobs)$', definition: {'federation-upstream': 'us'}, 'apply-to': 'all'});
}

/** The same links as the fleet file has them. */
export const LINKS = {
  orders: {from: 'us', to: 'eu', shovel: 'orders-in', queue: 'orders'},
  news: {from: 'us', to: 'eu', federation: 'us', exchange: 'news'},
  jobs: {from: 'us', to: 'eu', federation: 'us', queue: 'jobs'},
};

/** The rows of `replication lag` for this store, by the names of its links. */
export async function lagOf(opened: Store, options: Partial<LagOptions> = {}): Promise<Readonly<Record<string, LagRow>>> {
  const spec = {
    name: 'events',
    engine: 'rabbitmq',
    dataClasses: ['news'],
    quorum: 0,
    fenceHook: null,
    members: [],
    config: {},
    path: ['stores', 'events'],
  };
  const open: Pick<OpenFleet, 'fleet' | 'clock' | 'stores' | 'state'> = {
    fleet: fleet([], {stores: [spec], dataClasses: [{name: 'news', rpoMs: 2000, allowed: null}]}),
    clock,
    stores: {events: opened},
    state: () => Promise.reject(new Error('these tests keep no state')),
  };
  const {document} = await readLag(open as OpenFleet, {signal: AbortSignal.timeout(10_000), ...options});
  return Object.fromEntries(document.links.map((row) => [row.link, row]));
}

import {type Abilities, type Cell, type Clock, type LinkReading, unknown} from 'regionctl/kit';
import {asCell, type Broker} from './brokers.ts';
import {type CarrierState, carrierName, federationState, readFederations, readShovels, shovelState} from './carrier.ts';
import {deadLetterQueues} from './dead-letters.ts';
import type {LinkSpec} from './link-spec.ts';
import {readFacts} from './node-facts.ts';
import {figuresOf, literal, type QueueCounts, type QueueFigures, type QueueTotals, readStats, readTotals} from './queue.ts';

export type LinkContext = {readonly brokers: ReadonlyMap<string, Broker>; readonly links: readonly LinkSpec[]; readonly clock: Clock};

/** Every link of the fleet file: its carrier as the broker says that runs it, and the queue that it drains as the sending broker counts it. */
export function createLinks(context: LinkContext): Abilities['links'] {
  return {
    links: async (signal) => {
      const look = lookOf(context, signal);
      return Promise.all(context.links.map((link) => readLink(link, look)));
    },
  };
}

/** One look: what several links need of a broker is asked once. */
type Look = LinkContext & {
  readonly signal: AbortSignal;
  once<T>(key: string, who: string, ask: (broker: Broker) => Promise<T>): Promise<Cell<T>>;
};

function lookOf(context: LinkContext, signal: AbortSignal): Look {
  const asked = new Map<string, Promise<Cell<unknown>>>();
  return {
    ...context,
    signal,
    once: <T>(key: string, who: string, ask: (broker: Broker) => Promise<T>) => {
      const broker = context.brokers.get(who);
      const now = () => context.clock.wall();
      const made = asked.get(key) as Promise<Cell<T>> | undefined;
      const cell =
        made ??
        (broker === undefined ? Promise.resolve(unknown('no-member', `${who} is no member`, now())) : asCell(who, now, () => ask(broker)));
      asked.set(key, cell);
      return cell;
    },
  };
}

async function readLink(link: LinkSpec, look: Look): Promise<LinkReading> {
  const [carrier, totals] = await Promise.all([readCarrier(link, look), totalsOf(link, look)]);
  const queue = await drainedQueue(link, look, {carrier, totals});
  const [counts, deadLettered] = queue === null ? [null, null] : await countsOf(link, queue, look);
  const total = totals.known ? totals.value.find(({name}) => name === queue) : undefined;
  const state: CarrierState = carrier.known ? carrier.value : {flow: null, word: null, trouble: carrier.reason, upstream: null};
  const depth = total?.depth ?? null;
  return {
    ...NO_LOG,
    from: link.from,
    to: link.to,
    link: link.name,
    senderState: state.word,
    receiverConnected: state.flow === null ? null : state.flow === 'running',
    sampleAgeMs: totals.known ? Math.max(0, look.clock.wall() - totals.at) : 0,
    trouble: troubleOf(link, {state, totals, queue, found: total !== undefined, depth}),
    senderRead: totals.known,
    messages: {
      carrier: carrierName(link),
      queue: queue ?? link.queue ?? `the queue of ${link.exchange}`,
      flow: state.flow,
      depth,
      unacknowledged: total?.unacknowledged ?? null,
      ...(counts?.known === true && counts.value !== null
        ? figuresOf(depth, counts.value)
        : {...NO_FIGURES, oldestAgeSeconds: depth === 0 ? 0 : null}),
      deadLettered,
    },
  };
}

/** A broker has no log: nothing of it is behind by bytes. */
const NO_LOG = {
  sendBytes: null,
  writeBytes: null,
  flushBytes: null,
  replayBytes: null,
  lastReplayAgeSeconds: null,
  heardUpstreamAgoMs: null,
  runwayBytes: null,
  sync: null,
  replayOffset: null,
} as const;

const NO_FIGURES: QueueFigures = {
  oldestAgeSeconds: null,
  ageBasis: null,
  consumers: null,
  redelivered: null,
  publishedPerSecond: null,
  movedPerSecond: null,
};

async function readCarrier(link: LinkSpec, {once, signal}: Look): Promise<Cell<CarrierState>> {
  if (link.shovel !== null) {
    const cell = await once(`shovels ${link.on}`, link.on, ({management}) => readShovels(management, signal));
    return cell.known ? {...cell, value: shovelState(link, cell.value)} : pluginMissing(cell, 'rabbitmq_shovel_management');
  }
  const cell = await once(`federation ${link.on}`, link.on, ({management}) => readFederations(management, signal));
  return cell.known ? {...cell, value: federationState(link, cell.value)} : pluginMissing(cell, 'rabbitmq_federation_management');
}

function pluginMissing<T>(cell: Extract<Cell<T>, {known: false}>, plugin: string): Extract<Cell<T>, {known: false}> {
  return cell.code === 'not-found' ? {...cell, reason: `${cell.reason}: its plugin ${plugin} is not enabled`} : cell;
}

/** Every link that comes from one virtual host is answered by one question. */
function totalsOf({from, fromVhost}: LinkSpec, {links, once, signal}: Look): Promise<Cell<readonly QueueTotals[]>> {
  const own = links.filter((link) => link.from === from && link.fromVhost === fromVhost);
  const patterns = own.flatMap(({queue, exchange, deadLetters}) => [
    ...(queue === null ? [] : [literal(queue)]),
    ...(exchange === null ? [] : [`federation: .*`]),
    ...(deadLetters === null ? [] : [literal(deadLetters)]),
  ]);
  return once(`totals ${from} ${fromVhost}`, from, ({management}) => readTotals(management, fromVhost, patterns, signal));
}

type Drained = {readonly carrier: Cell<CarrierState>; readonly totals: Cell<readonly QueueTotals[]>};

/**
 * The queue that a link drains. A federated exchange has one of its own on the sending end, which RabbitMQ names after both exchanges and after the
 * cluster that it goes to.
 */
async function drainedQueue(link: LinkSpec, {once, signal}: Look, {carrier, totals}: Drained): Promise<string | null> {
  const upstream = (carrier.known ? carrier.value.upstream : null) ?? link.exchange ?? link.queue;
  if (link.exchange === null) return upstream;
  if (!totals.known) return null;
  const candidates = totals.value.map(({name}) => name).filter((name) => name.startsWith(`federation: ${upstream} -> `));
  const facts = await once(`facts ${link.to}`, link.to, ({management}) => readFacts(management, {signal}));
  if (!facts.known) return candidates.length === 1 ? (candidates[0] ?? null) : null;
  const {cluster} = facts.value;
  const ends = [cluster, `${cluster}:${link.exchange}`, `${cluster}:${link.vhost}:${link.exchange}`];
  return candidates.find((name) => ends.some((end) => name === `federation: ${upstream} -> ${end}`)) ?? null;
}

/** Statistics of the queue, and the messages among its dead letters. */
async function countsOf(link: LinkSpec, queue: string, {once, signal}: Look): Promise<readonly [Cell<QueueCounts | null>, number | null]> {
  const {from, fromVhost: vhost} = link;
  const counts = await once(`stats ${from} ${vhost} ${queue}`, from, ({management}) => readStats(management, vhost, queue, signal));
  if (!counts.known || counts.value === null) return [counts, null];
  const {stats} = counts.value;
  const dead = await once(`dead letters ${from} ${vhost} ${queue} ${link.deadLetters}`, from, async ({management}) => {
    const names = link.deadLetters === null ? await deadLetterQueues(management, {vhost, queue, stats}, signal) : [link.deadLetters];
    const totals = names.length === 0 ? [] : await readTotals(management, vhost, names.map(literal), signal);
    return summed(totals.filter(({name}) => names.includes(name)));
  });
  return [counts, dead.known ? dead.value : null];
}

/** null when one of them does not tell: a part is not the whole. */
function summed(totals: readonly QueueTotals[]): number | null {
  return totals.reduce<number | null>((sum, {depth}) => (sum === null || depth === null ? null : sum + depth), 0);
}

type Found = {
  readonly state: CarrierState;
  readonly totals: Cell<readonly QueueTotals[]>;
  readonly queue: string | null;
  readonly found: boolean;
  readonly depth: number | null;
};

function troubleOf({from, fromVhost, exchange}: LinkSpec, {state, totals, queue, found, depth}: Found): string | null {
  const missing = queue === null ? `no queue of the federated exchange ${exchange}` : `no queue ${queue}`;
  const source = !totals.known
    ? totals.reason
    : !found
      ? `${from} has ${missing} in the virtual host ${fromVhost}`
      : depth === null
        ? `the queue ${queue} on ${from} does not tell its depth`
        : null;
  const says = [...new Set([state.trouble, source])].filter((each) => each !== null);
  return says.length === 0 ? null : says.join('; ');
}

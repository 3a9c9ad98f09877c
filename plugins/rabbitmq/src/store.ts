import {
  type AckRule,
  type Cell,
  EXIT,
  known,
  type Member,
  type ProviderContext,
  RegionctlError,
  type Store,
  type StorePart,
} from 'regionctl/kit';
import {asCell, type Broker, openBrokers} from './brokers.ts';
import {createInspect} from './inspect.ts';
import {type LinkSpec, linkSpecs} from './link-spec.ts';
import {createLinks, type LinkContext} from './links.ts';
import {createLoss} from './loss.ts';
import {alarmSays, readFacts} from './node-facts.ts';
import type {MemberConfig, StoreConfig} from './providers.ts';

/** Brokers that take messages each for itself, and what carries messages between them. There is no primary: nothing is promoted, fenced or followed. */
export function createStore(part: StorePart<StoreConfig, MemberConfig>, context: ProviderContext): Store {
  const links = linkSpecs(part.config.links);
  checkPart(part, links);
  const brokers = openBrokers(part.config, part.members, context);
  const shared: LinkContext = {brokers, links, clock: context.clock};
  const reader = createLinks(shared);
  return {
    engine: 'rabbitmq',
    peers: true,
    observe: (signal, members) => observe(part.name, shared, signal, members),
    ackRule: async () => known(NOBODY_WAITS, context.clock.wall(), 'fleet-file'),
    abilities: {
      ...(links.length === 0 ? {} : {links: reader, loss: createLoss(part.name, reader)}),
      inspect: createInspect(part.name, shared, reader),
    },
    close: async () => {
      for (const {management} of brokers.values()) management.close();
    },
  };
}

/** A broker confirms a message when it holds it: links carry it afterwards. */
const NOBODY_WAITS: AckRule = {kind: 'async', need: 0, of: [], lowerable: false};

async function observe(
  store: string,
  {brokers, clock}: LinkContext,
  signal: AbortSignal,
  members?: readonly string[],
): Promise<Readonly<Record<string, Cell<Member>>>> {
  const asked = [...brokers.values()].filter(({name}) => members === undefined || members.includes(name));
  const cells = asked.map(async (broker) => {
    const cell = await asCell(
      broker.name,
      () => clock.wall(),
      async () => memberOf(store, broker, alarmSays(await readFacts(broker.management, {signal}))),
    );
    return [broker.name, cell] as const;
  });
  return Object.fromEntries(await Promise.all(cells));
}

/** Members have no common log: each has a lineage of its own, so that nobody compares their positions. */
function memberOf(store: string, {name, region}: Broker, alarm: string | null): Member {
  const nowhere = {lineage: `${store}/${name}`, epoch: 0, offset: '0'};
  return {region, role: 'peer', writable: alarm === null, durable: nowhere, applied: nowhere, upstream: null, heardUpstreamAgoMs: null};
}

/** What the schemas cannot see: they know one part of the fleet file each. */
function checkPart({name: store, quorum, members}: StorePart<StoreConfig, MemberConfig>, links: readonly LinkSpec[]): void {
  if (quorum > 0)
    throw invalid(`stores.${store}.quorum: no RabbitMQ broker waits for another; found ${quorum}`, 'Write 0, or take the line out.');
  const seen = new Map<string, string>();
  for (const {name, config} of members) {
    const url = config.url.replace(/\/+$/, '').toLowerCase();
    const other = seen.get(url);
    if (other !== undefined)
      throw invalid(
        `stores.${store}.members: ${other} and ${name} have the same url ${config.url}`,
        'Give each member the management API of its own broker.',
      );
    seen.set(url, name);
  }
  const names = members.map(({name}) => name);
  for (const link of links) {
    for (const key of ['from', 'to', 'on'] as const) {
      if (names.includes(link[key])) continue;
      throw invalid(
        `stores.${store}.links.${link.name}.${key}: there is no member "${link[key]}"; the members are ${names.join(', ')}`,
        'Name a member of this store.',
      );
    }
  }
}

function invalid(message: string, suggestion: string): RegionctlError {
  return new RegionctlError('fleet-invalid', EXIT.fleetInvalid, message, {suggestions: [suggestion]});
}

import type {Abilities, LinkReading} from '../../ports/store.ts';
import type {Cluster, Node} from './cluster.ts';
import {type Facts, primariesOf, upstreamOf} from './facts.ts';
import {logicalLink, logicalLinkBySlot} from './logical-link.ts';
import {type Pair, type Publishers, pairsOf, unaccounted} from './logical-pairs.ts';
import {listed, physicalLink} from './physical-link.ts';
import {factsOf, type Readings, readingOf, readMembers} from './reading.ts';
import {readMore} from './reading-more.ts';

/**
 * Every link of the store, read from both of its ends at the same time: one for each member that gets the log, or should, and one for each subscription
 * between members.
 */
export function createLinks(cluster: Cluster): Abilities['links'] {
  const publishers: Publishers = new Map();
  return {links: (signal) => links(cluster, publishers, signal)};
}

async function links(cluster: Cluster, publishers: Publishers, signal: AbortSignal): Promise<readonly LinkReading[]> {
  const readings = await readMembers(cluster, signal);
  const more = await readMore(cluster, readings, signal);
  const pairs = pairsOf({cluster, readings, more, publishers});
  const primaries = primariesOf(factsOf(readings));
  const silent = silentSubscriber(cluster, readings, pairs);
  const physical = [...cluster.nodes.values()].filter(
    (node) =>
      !cluster.peers &&
      node !== silent &&
      !isLostPrimary(cluster, node.name, readings, primaries) &&
      getsTheLog(node.name, readings, pairs, primaries),
  );
  return [
    ...physical.map((node) => physicalLink(cluster, node, readings, primaryFor(node, readings, primaries), more)),
    ...pairs.map((pair) => logicalLink(cluster, pair, readings)),
    ...(silent === null ? [] : bySlots(cluster, readings, pairs, silent)),
  ];
}

type Primaries = readonly {readonly name: string; readonly facts: Facts}[];

/**
 * Whether a member should get the log of another one. A primary that subscribes or is subscribed to is there on its own account; any other one beside
 * the newest is a former primary, and has a link so that this can be said of it.
 */
function getsTheLog(name: string, readings: Readings, pairs: readonly Pair[], primaries: Primaries): boolean {
  const isOneOf = (member: string): boolean => pairs.some(({publisher, subscriber}) => publisher === member || subscriber === member);
  const reading = readingOf(readings, name);
  // A publisher that did not answer has links already, which are unknown. What is listed as a standby has one of its own.
  if (reading === null) return !isOneOf(name) || isListed(name, readings);
  if (reading.facts.recovering) return true;
  if (isOneOf(name)) return false;
  return primaries.some((other) => isOneOf(other.name)) || name !== primaries[0]?.name;
}

/** Where no primary answers, the silent member that others follow is it, and gets the log from nobody. */
function isLostPrimary(cluster: Cluster, name: string, readings: Readings, primaries: Primaries): boolean {
  if (primaries.length > 0 || readings[name]?.known !== false || isListed(name, readings)) return false;
  return [...cluster.nodes.values()].some((node) => {
    const reading = readingOf(readings, node.name);
    return reading !== null && upstreamOf(cluster, node, reading.facts) === name;
  });
}

const isListed = (name: string, readings: Readings): boolean =>
  Object.keys(readings).some((other) => {
    const reading = readingOf(readings, other);
    return reading !== null && listed(reading, name, '') !== null;
  });

/** Whom a member should follow when it does not say: the newest primary of its own cluster, else of any. */
function primaryFor({name}: Node, readings: Readings, primaries: Primaries): string | null {
  const lineage = readingOf(readings, name)?.facts.lineage;
  const others = primaries.filter((primary) => primary.name !== name);
  return (others.find(({facts}) => facts.lineage === lineage) ?? others[0])?.name ?? null;
}

/** The one member that did not answer, where others publish to somebody who was not read: nobody else is left. */
function silentSubscriber(cluster: Cluster, readings: Readings, pairs: readonly Pair[]): Node | null {
  const [silent, another] = [...cluster.nodes.values()].filter(({name}) => readings[name]?.known === false);
  if (silent === undefined || another !== undefined || isListed(silent.name, readings)) return null;
  return unaccounted(cluster, readings, pairs).length === 0 ? null : silent;
}

const bySlots = (cluster: Cluster, readings: Readings, pairs: readonly Pair[], {name}: Node): readonly LinkReading[] =>
  unaccounted(cluster, readings, pairs).map(({member, slot}) => logicalLinkBySlot(cluster, readings, member, slot, name));

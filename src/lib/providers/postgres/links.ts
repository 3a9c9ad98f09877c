import type {Abilities, LinkReading} from '../../ports/store.ts';
import type {Cluster} from './cluster.ts';
import {primariesOf} from './facts.ts';
import {factsOf, physicalLink} from './physical-link.ts';
import {readMembers} from './reading.ts';
import {readMore} from './reading-more.ts';

/** Every link of the store, read from both of its ends at the same time: one for each member that is not a primary. */
export function createLinks(cluster: Cluster): Abilities['links'] {
  return {links: (signal) => links(cluster, signal)};
}

async function links(cluster: Cluster, signal: AbortSignal): Promise<readonly LinkReading[]> {
  const readings = await readMembers(cluster, signal);
  const more = await readMore(cluster, readings, signal);
  const primaries = primariesOf(factsOf(readings));
  // A second primary on an older timeline is a former one: it has no link, which is what has to be said of it.
  const standbys = [...cluster.nodes.values()].filter(({name}) => name !== primaries[0]?.name);
  return standbys.map((node) => physicalLink(cluster, node, readings, primaries[0]?.name ?? null, more));
}

import type {Abilities} from '../../ports/store.ts';
import {OBSERVE_MS} from '../postgres/facts.ts';
import {createLinks as createServerLinks} from '../postgres/links.ts';
import {type Ensemble, readViews} from './ensemble.ts';
import {joinLinks} from './join-links.ts';

/** The links by SQL, and what every Patroni says of the cluster at the same time. One that hangs is waited for no longer than a server is. */
export function createLinks(ensemble: Ensemble): Abilities['links'] {
  const servers = createServerLinks(ensemble.cluster);
  return {
    links: async (signal) => {
      const [links, views] = await Promise.all([servers.links(signal), readViews(ensemble, {signal, timeoutMs: OBSERVE_MS})]);
      return joinLinks(links, views);
    },
  };
}

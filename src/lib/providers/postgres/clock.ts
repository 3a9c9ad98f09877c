import {timeoutAwake} from '../../awake.ts';
import type {Abilities} from '../../ports/store.ts';
import {askEach, type Cluster, nodesOf, only} from './cluster.ts';

const ASK_MS = 1500;

/** The members' clocks against this machine's, each read in the middle of one round trip. */
export function createClock(cluster: Cluster): Abilities['clock'] {
  return {
    offsets: async (signal, members) => {
      const asked = await askEach(nodesOf(cluster, members), async (node) => {
        const limits = {signal: AbortSignal.any([signal, timeoutAwake(ASK_MS)]), timeoutMs: ASK_MS};
        // Connecting takes longer than asking: the first answer only opens the session.
        await node.session.rows('select 1', [], limits);
        const before = cluster.clock.wall();
        const sql = `select (extract(epoch from clock_timestamp()) * 1000)::float8 as "now"`;
        const {now} = only(await node.session.rows<{now: number}>(sql, [], limits), node);
        return now - (before + cluster.clock.wall()) / 2;
      });
      return Object.fromEntries(asked.map(({node, value}) => [node.name, value ?? null]));
    },
  };
}

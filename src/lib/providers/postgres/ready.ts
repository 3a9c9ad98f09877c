import {askEach, type Cluster, nodesOf} from './cluster.ts';
import {FOREIGN, TERMINATE, WORKERS} from './fence.ts';
import {PROMOTE} from './promote.ts';
import {LET_GO} from './seal.ts';

/** What a planned move says while clients wait, and nobody has said before: a server takes longer to read it than to do it. */
const IN_THE_GAP = [FOREIGN, TERMINATE, WORKERS, LET_GO, PROMOTE];

/** Lets the members read it beforehand. One that cannot is no trouble. */
export async function getReady(cluster: Cluster, members: readonly string[]): Promise<void> {
  await askEach(nodesOf(cluster, members), ({session}) => session.prepare(IN_THE_GAP));
}

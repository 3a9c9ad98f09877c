import {within} from '../../awake.ts';
import {type Cluster, type Node, nodeOf} from './cluster.ts';
import {durableOf, type Facts, OBSERVE_MS} from './facts.ts';
import {canFollow, type Forks, historyName, parseHistory, type Way} from './timeline.ts';

/** Where the timelines before `timeline` ended, as the server itself has it written down. The first timeline has no such file. */
export async function readForks(node: Node, timeline: number, signal: AbortSignal): Promise<Forks> {
  const sql = 'select pg_read_file($1, 0, 1000000, true) as "text"';
  const [row] = await node.session.rows<{text: string | null}>(sql, [`pg_wal/${historyName(timeline)}`], {signal});
  return parseHistory(row?.text ?? '');
}

/** What a timeline's history said never changes; one that could not be read is asked for again after a while. */
const AGAIN_MS = 10_000;
const read = new WeakMap<Cluster, Map<string, {readonly forks: Forks | null; readonly at: number}>>();

/** Whether a standby is known to hold what is not in the history of an upstream that is on a later timeline. */
export async function hasLeft(
  cluster: Cluster,
  own: Facts,
  upstream: {readonly name: string; readonly facts: Facts},
  signal: AbortSignal,
): Promise<boolean> {
  const {name, facts: there} = upstream;
  if (own.lineage !== there.lineage || own.timeline >= there.timeline) return false;
  const forks = await knownForks(cluster, nodeOf(cluster, name), there.timeline, signal);
  return forks !== null && !canFollow(durableOf(own), durableOf(there), forks);
}

/** As readForks, for who looks again and again; null = it cannot be read, or is not written down yet. */
async function knownForks(cluster: Cluster, node: Node, timeline: number, signal: AbortSignal): Promise<Forks | null> {
  const of = read.get(cluster) ?? new Map();
  read.set(cluster, of);
  const key = `${timeline} ${node.name}`;
  const before = of.get(key);
  if (before !== undefined && (before.forks !== null || cluster.clock.now() - before.at < AGAIN_MS)) return before.forks;
  const found = await within(signal, OBSERVE_MS, (own) => readForks(node, timeline, own)).catch(() => null);
  const forks = found === null || found.size === 0 ? null : found;
  of.set(key, {forks, at: cluster.clock.now()});
  return forks;
}

/** The way that a member went up to what was read of it. */
export async function wayOf(node: Node, facts: Facts, signal: AbortSignal): Promise<Way> {
  return {forks: await readForks(node, facts.timeline, signal), position: durableOf(facts)};
}

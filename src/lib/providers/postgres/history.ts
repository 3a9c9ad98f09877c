import type {Node} from './cluster.ts';
import {durableOf, type Facts} from './facts.ts';
import {type Forks, historyName, parseHistory, type Way} from './timeline.ts';

/** Where the timelines before `timeline` ended, as the server itself has it written down. The first timeline has no such file. */
export async function readForks(node: Node, timeline: number, signal: AbortSignal): Promise<Forks> {
  const sql = 'select pg_read_file($1, 0, 1000000, true) as "text"';
  const [row] = await node.session.rows<{text: string | null}>(sql, [`pg_wal/${historyName(timeline)}`], {signal});
  return parseHistory(row?.text ?? '');
}

/** The way that a member went up to what was read of it. */
export async function wayOf(node: Node, facts: Facts, signal: AbortSignal): Promise<Way> {
  return {forks: await readForks(node, facts.timeline, signal), position: durableOf(facts)};
}

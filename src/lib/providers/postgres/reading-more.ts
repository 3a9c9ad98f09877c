import {timeoutAwake} from '../../awake.ts';
import {isRegionctlError} from '../../errors.ts';
import {type Cluster, type Node, nodeOf} from './cluster.ts';
import {type Address, addressOf} from './conninfo.ts';
import {upstreamOf} from './facts.ts';
import {type Reading, type Readings, readingOf} from './reading.ts';
import {type Forks, historyName, parseHistory} from './timeline.ts';

/**
 * What only a superuser may read, where the reader is one: where the timelines of a sender forked off, by member, which is asked where it is needed, and
 * where subscriptions lead, by member and id.
 */
export type More = {
  readonly forks: ReadonlyMap<string, Forks>;
  readonly publishers: ReadonlyMap<string, ReadonlyMap<string, Address | null>>;
};

/** It only makes a sentence plainer: it is not waited for as long as the reading itself. */
const MORE_MS = 500;

/** Reads it. What cannot be had is left out, and nothing fails for it. */
export async function readMore(cluster: Cluster, readings: Readings, signal: AbortSignal): Promise<More> {
  const nodes = [...cluster.nodes.values()];
  const newer = nodes.filter(({name}) => isSenderOfOlder(cluster, readings, name) && readingOf(readings, name)?.may.files === true);
  const forks = await each(newer, (node) => readForks(node, readingOf(readings, node.name)?.facts.timeline ?? 1, signal));
  return {forks, publishers: new Map(nodes.map(({name}) => [name, publishersOf(readingOf(readings, name))]))};
}

/** Whether a standby that is set to follow this member is on an older timeline. */
function isSenderOfOlder(cluster: Cluster, readings: Readings, name: string): boolean {
  const timeline = readingOf(readings, name)?.facts.timeline ?? 0;
  return Object.keys(readings).some((other) => {
    const facts = readingOf(readings, other)?.facts;
    return facts !== undefined && facts.timeline < timeline && upstreamOf(cluster, nodeOf(cluster, other), facts) === name;
  });
}

async function each<T>(nodes: readonly Node[], read: (node: Node) => Promise<T>): Promise<ReadonlyMap<string, T>> {
  const reading = nodes.map(async (node): Promise<readonly [string, T] | null> => {
    try {
      return [node.name, await read(node)];
    } catch (error) {
      if (isRegionctlError(error)) return null;
      throw error;
    }
  });
  return new Map((await Promise.all(reading)).filter((entry) => entry !== null));
}

const limitsOf = (signal: AbortSignal) => ({signal: AbortSignal.any([signal, timeoutAwake(MORE_MS)]), timeoutMs: MORE_MS});

async function readForks(node: Node, timeline: number, signal: AbortSignal): Promise<Forks> {
  const sql = 'select pg_read_file($1, 0, 1000000, true) as "text"';
  const [row] = await node.reader.rows<{text: string | null}>(sql, [`pg_wal/${historyName(timeline)}`], limitsOf(signal));
  return parseHistory(row?.text ?? '');
}

const publishersOf = (reading: Reading | null): ReadonlyMap<string, Address | null> =>
  new Map((reading?.leads ?? []).map(({id, conninfo}) => [id, placeOf(conninfo)]));

/** A connection string is a list of keywords or a URI. */
function placeOf(conninfo: string): Address | null {
  if (!/^postgres(ql)?:\/\//i.test(conninfo)) return addressOf(conninfo);
  if (!URL.canParse(conninfo)) return null;
  const {hostname, port} = new URL(conninfo);
  return hostname === '' ? null : {host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 5432 : Number(port)};
}

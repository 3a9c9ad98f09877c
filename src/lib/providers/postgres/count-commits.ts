import {type Cluster, type Node, only} from './cluster.ts';
import {quoteIdent} from './sql.ts';
import {lsnText} from './timeline.ts';

/** Where to count: commits that end past `held`, from `applied` (the end of a whole record) to `end`. Places in the log in bytes, as decimal strings. */
export type LogRange = {readonly applied: string; readonly held: string; readonly end: string};

/** More log than this is not read for a preview. */
const MOST_BYTES = 64n * 1024n * 1024n;
const COUNT_MS = 1000;

const EXTENSION = `select n.nspname as "schema" from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_walinspect'`;
const COUNT = (schema: string): string => `
select count(*)::float8 as "commits" from ${quoteIdent(schema)}.pg_get_wal_records_info($1::pg_lsn, $2::pg_lsn) r
where r.resource_manager = 'Transaction' and r.record_type ~ '^COMMIT' and r.end_lsn > $3::pg_lsn`;

/**
 * How many transactions a range of a server's log commits, by pg_walinspect; null = the extension is not there, our role may not use it (it takes
 * pg_read_server_files), or it is too much to read for a preview. Reads only, over the connection that can do nothing else.
 */
export async function countCommits(cluster: Cluster, node: Node, range: LogRange, signal: AbortSignal): Promise<number | null> {
  const [applied, end] = [BigInt(range.applied), BigInt(range.end)];
  // A place that was never reached is no beginning of a record.
  if (applied === 0n || end <= applied || end - applied > MOST_BYTES) return null;
  const began = cluster.clock.now();
  try {
    const [found] = await node.reader.rows<{schema: string}>(EXTENSION, [], {signal, timeoutMs: COUNT_MS});
    if (found === undefined) return null;
    const timeoutMs = Math.max(1, COUNT_MS - Math.round(cluster.clock.now() - began));
    const places = [applied, end, BigInt(range.held)].map(lsnText);
    return only(await node.reader.rows<{commits: number}>(COUNT(found.schema), places, {signal, timeoutMs}), node).commits;
  } catch {
    // What it would have told is bounded by transaction ids.
    signal.throwIfAborted();
    return null;
  }
}

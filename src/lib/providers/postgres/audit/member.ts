import type {AuditMark} from '../../../ports/audit.ts';
import type {Node} from '../cluster.ts';
import {PRIMARY_TIMELINE} from '../facts.ts';
import type {CatalogTable} from './catalog.ts';
import type {Reader} from './reader.ts';

/** One member's copy of a table. `stamps` = its server keeps when each transaction was committed. */
export type Copy = {readonly table: CatalogTable; readonly stamps: boolean};

/** What is known of the snapshot that is open, or was last. */
export type Snapshot = {readonly at: string; readonly mark: AuditMark};

/** One member of an audit: its connection, its snapshot, and where its replicated rows come from. */
export type Member = {
  readonly node: Node;
  readonly reader: Reader;
  /** Sees to it that a snapshot is open that is younger than `maxAgeMs`; 0 = a new one. */
  begin(maxAgeMs: number, signal: AbortSignal): Promise<void>;
  snapshot(): Snapshot;
  /** The regions behind the replication origins of this server, by their names. */
  origins(signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
};

/* At the beginning of a page the place of the next record lies behind the header (24 bytes; 40 of a segment), which nobody gets before there is one. */
const WRITTEN = `(select w - case when w % pg_size_bytes(current_setting('wal_segment_size')) = 40 then 40 when w % current_setting('wal_block_size')::int = 24 then 24 else 0 end
  from (select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as w offset 0) written)`;

/** Where a member is in its stream of changes: what it has written, or replayed. */
export const PLACE = `(case when pg_is_in_recovery() then coalesce(pg_last_wal_replay_lsn(), '0/0') - '0/0'::pg_lsn else ${WRITTEN} end)::text`;

/* After a restore the ids of transactions are given out once more: the timeline tells. Whoever may read tables may ask for no more than the control file
   of a standby has, which is as new as its last restart point: its own rows have no ids but those that it replayed until then and since. */
const EPOCH = `select ${PLACE}, pg_snapshot_xmin(pg_current_snapshot())::text,
  (select system_identifier::text from pg_control_system()) || '/' || case when pg_is_in_recovery()
    then (select greatest(c.timeline_id, r.min_recovery_end_timeline) from pg_control_checkpoint() c, pg_control_recovery() r) else ${PRIMARY_TIMELINE} end`;

/** A member over its reader. `originsOf` is asked once. */
export function createMember(node: Node, reader: Reader, originsOf: (signal: AbortSignal) => Promise<ReadonlyMap<string, string>>): Member {
  let current: Snapshot | null = null;
  let origins: ReadonlyMap<string, string> | null = null;
  return {
    node,
    reader,
    begin: async (maxAgeMs, signal) => {
      const answer = await reader.within(maxAgeMs, EPOCH, signal);
      if (answer === null) return;
      const [at = '0', since = '0', epoch = ''] = answer[0]?.map((value) => value ?? '') ?? [];
      current = {at, mark: {epoch, since}};
    },
    snapshot: () => {
      if (current === null) throw new Error(`no snapshot was begun on ${node.name}`);
      return current;
    },
    origins: async (signal) => {
      origins ??= await originsOf(signal);
      return origins;
    },
  };
}

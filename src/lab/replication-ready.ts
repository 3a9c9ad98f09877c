import {setTimeout as sleep} from 'node:timers/promises';
import {messageOf} from '../lib/errors.ts';

/** What must be seen on the primary: this many standbys streaming, and, with a quorum, each of them a candidate for it. */
export type Wanted = {readonly port: number; readonly password: string; readonly standbys: number; readonly quorum: boolean};

/** Waits until replication is in force. Throws with what is missing when it is not after `deadlineMs`. */
export async function waitForReplication(wanted: Wanted, deadlineMs: number): Promise<void> {
  const {default: pg} = await import('pg');
  const client = new pg.Client({
    ...{host: '127.0.0.1', port: wanted.port, user: 'regionctl', password: wanted.password, database: 'orders'},
    ...{connectionTimeoutMillis: 5000, query_timeout: 5000},
  });
  client.on('error', () => undefined);
  const end = performance.now() + deadlineMs;
  try {
    await client.connect();
    for (;;) {
      const {rows} = await client.query<{name: string; sync: string}>(
        "select application_name as name, sync_state as sync from pg_stat_replication where state = 'streaming'",
      );
      const ready = rows.filter(({sync}) => !wanted.quorum || sync === 'quorum');
      if (ready.length >= wanted.standbys) return;
      if (performance.now() > end) throw new Error(`only ${ready.length} of ${wanted.standbys} standbys stream: ${JSON.stringify(rows)}`);
      await sleep(10);
    }
  } catch (error) {
    throw new Error(`replication is not in force: ${messageOf(error)}`, {cause: error});
  } finally {
    await client.end().catch(() => undefined);
  }
}

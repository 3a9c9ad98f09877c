import type {Client} from 'pg';
import {leaseHeld, messageOf, refused} from '../../../errors.ts';
import type {Ctx} from '../../../plan/action.ts';
import {PRINTING, settingsSql} from '../audit/reader.ts';
import type {Node} from '../cluster.ts';
import {destroy, endClient, openClient} from '../connect.ts';
import {placeError} from '../session.ts';
import {codeOf} from '../trouble.ts';

/** What the servers show of a session that repairs, and the replication origin that its changes carry. */
export const APPLICATION = 'regionctl repair';
export const ORIGIN = 'regionctl_repair';

/* Ordinary triggers and foreign keys stay out of it, and a table's own replica triggers can tell that a repair is at work. */
const SETTINGS = settingsSql({
  ...PRINTING,
  session_replication_role: 'replica',
  'regionctl.repair': 'on',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  lock_timeout: '10s',
  idle_session_timeout: '0',
  idle_in_transaction_session_timeout: '60s',
  jit: 'off',
});

const CONNECT_MS = 3000;
const STATEMENT_MS = 60_000;
/** A process that was killed leaves a session that the server ends within moments. */
const OTHERS_MS = 5000;
const POLL_MS = 100;

/** The session of a member that writes repairs. It has the origin for as long as it is open. */
export type RepairSession = {
  /** Of the server's process. */
  readonly pid: number;
  rows(text: string, values: readonly unknown[]): Promise<readonly (readonly (string | null)[])[]>;
  /** Whether it is still the session that it was. */
  isOpen(): boolean;
  end(): Promise<void>;
};

/* As text: a number of 64 bits would not fit ours. */
const RAW = {rowMode: 'array', types: {getTypeParser: () => (value: string) => value}} as const;

/** Opens one. Throws `lease-held` (75) when another session keeps the origin for longer than a killed one could. */
export async function openRepairSession(
  ctx: Ctx,
  node: Node,
  sleep: (ms: number, signal: AbortSignal) => Promise<void>,
): Promise<RepairSession> {
  let open = true;
  const client = await openClient({...node.place, application: APPLICATION}, CONNECT_MS, () => (open = false), STATEMENT_MS).catch(
    (error: unknown) => {
      throw placeError(node.place, error);
    },
  );
  const session = sessionOf(client, () => open);
  try {
    await settle(node, () => client.query({text: SETTINGS, query_timeout: STATEMENT_MS} as never));
    await settle(node, () => makeOrigin(client));
    await takeOrigin(ctx, node, client, sleep);
    return session;
  } catch (error) {
    await session.end();
    throw error;
  }
}

function sessionOf(client: Client, isOpen: () => boolean): RepairSession {
  return {
    pid: (client as unknown as {processID: number | null}).processID ?? 0,
    isOpen,
    rows: async (text, values) => {
      try {
        const query = {text, values: [...values], ...RAW, query_timeout: STATEMENT_MS + 1000};
        return ((await client.query(query as never)) as unknown as {rows: (string | null)[][]}).rows;
      } catch (error) {
        // Only the server's own word leaves the connection as it was; without one nobody knows what it is still doing.
        if (!/^[0-9A-Z]{5}$/.test(codeOf(error))) destroy(client);
        throw error;
      }
    },
    end: () => endClient(client),
  };
}

/** Somebody may make it at the same time. */
async function makeOrigin(client: Client): Promise<void> {
  const text = 'select pg_replication_origin_create($1) where pg_replication_origin_oid($1) is null';
  await client.query(text, [ORIGIN]).catch((error: unknown) => {
    if (codeOf(error) !== '23505') throw error;
  });
}

async function takeOrigin(ctx: Ctx, node: Node, client: Client, sleep: (ms: number, signal: AbortSignal) => Promise<void>): Promise<void> {
  const end = Math.min(ctx.deadline, ctx.now() + OTHERS_MS);
  for (;;) {
    try {
      await client.query('select pg_replication_origin_session_setup($1)', [ORIGIN]);
      return;
    } catch (error) {
      if (codeOf(error) !== '55006') throw wordError(node, error);
      if (ctx.now() >= end) throw leaseHeld(`another repair writes to ${node.name} now: ${messageOf(error)}`, {cause: error});
      await sleep(POLL_MS, ctx.signal);
    }
  }
}

async function settle(node: Node, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw wordError(node, error);
  }
}

/** What a server says no to for a reason that a person can mend. */
export function wordError(node: Node, error: unknown): Error {
  const code = codeOf(error);
  const says = messageOf(error);
  if (code === '53400' || code === '53000')
    return refused('no-origin-left', `${node.name} has no replication origin left for a repair: ${says}`, {
      suggestions: ['raise max_active_replication_origins there (max_replication_slots before PostgreSQL 18)'],
    });
  if (code === '42501') return refused('privilege', `${node.name} does not let ${node.place.user} repair: ${says}`, {cause: error});
  if (code === '25006')
    return refused('read-only', `${node.name} takes no writes: ${says}`, {suggestions: ['a standby is rebuilt, not repaired']});
  if (/^2[23]/.test(code)) return refused('row-refused', `${node.name} refuses a row: ${says}`, {cause: error});
  return placeError(node.place, error);
}

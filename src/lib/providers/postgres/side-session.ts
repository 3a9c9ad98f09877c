import type {Client} from 'pg';
import {timeoutAwake} from '../../awake.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Node} from './cluster.ts';
import {destroy, endClient, openClient} from './connect.ts';
import {placeError} from './session.ts';

/** A connection beside the member's own session, for long work: what runs on it does not hold up the statements of a run. */
export type SideSession = {
  readonly node: Node;
  /** Throws like a session: a RegionctlError that names the member. */
  rows<Row>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
};

const CONNECT_MS = 3000;
/** One statement. Who reads much asks for it in pieces that take far less. */
const STATEMENT_MS = 120_000;

/** Opens a connection that can only read, for as long as `work` takes; at the deadline of the effect or when it is cancelled, it is broken off. */
export async function besides<T>(ctx: Ctx, node: Node, work: (session: SideSession) => Promise<T>): Promise<T> {
  const left = Math.max(1, Math.min(2 ** 31 - 1, Math.ceil(ctx.deadline - ctx.now())));
  const signal = AbortSignal.any([ctx.signal, timeoutAwake(left)]);
  const client = await openClient(node.place, CONNECT_MS, () => undefined, STATEMENT_MS).catch((error: unknown) => {
    throw placeError(node.place, error);
  });
  const cut = (): void => destroy(client);
  signal.addEventListener('abort', cut, {once: true});
  const session: SideSession = {node, rows: (sql, values = []) => ask(client, node, signal, sql, values)};
  try {
    await session.rows(`select set_config('default_transaction_read_only', 'on', false), set_config('lock_timeout', '5s', false)`);
    return await work(session);
  } finally {
    signal.removeEventListener('abort', cut);
    await endClient(client);
  }
}

async function ask<Row>(
  client: Client,
  node: Node,
  signal: AbortSignal,
  text: string,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  try {
    signal.throwIfAborted();
    const query = {text, values: [...values], query_timeout: STATEMENT_MS};
    return (await client.query<Row & Record<string, unknown>>(query)).rows;
  } catch (error) {
    // The connection was broken off on purpose: the reason for that is what happened.
    signal.throwIfAborted();
    throw placeError(node.place, error);
  }
}

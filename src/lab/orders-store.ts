import type {Pool, PoolClient} from 'pg';
import {messageOf} from '../lib/errors.ts';

export type Order = {readonly ref: string; readonly item: string; readonly quantity: number};

/** What became of an order. `refused` = certainly not written. `unknown` = it may be written, here or everywhere. */
export type Outcome =
  | {readonly outcome: 'written'; readonly id: number}
  | {readonly outcome: 'refused'; readonly reason: string}
  | {readonly outcome: 'unknown'; readonly reason: string};

/** Whose orders these are. `peer`: every region takes writes, and what was deleted is marked. */
export type Shopkeeper = {readonly region: string; readonly peer: boolean};

const WRITE_MS = 2000;
const READ_MS = 1500;
const HEALTH_MS = 800;

/** The orders in the database of one region. Every call has a deadline; a database that died is used again when it is back. */
export class OrdersStore {
  readonly #writes: Pool;
  readonly #reads: Pool;
  readonly #region: string;
  readonly #peer: boolean;

  private constructor(writes: Pool, reads: Pool, {region, peer}: Shopkeeper) {
    this.#writes = writes;
    this.#reads = reads;
    this.#region = region;
    this.#peer = peer;
  }

  static async open(port: number, password: string, {region, peer}: Shopkeeper): Promise<OrdersStore> {
    const {default: pg} = await import('pg');
    const pool = (max: number) => {
      const made = new pg.Pool({
        ...{host: '127.0.0.1', port, user: 'app', password, database: 'orders', application_name: `shop-${region}`},
        ...{max, connectionTimeoutMillis: 1000, keepAlive: true},
      });
      // An idle connection that breaks is dropped by the pool; without a listener it would end the process.
      made.on('error', () => undefined);
      // The same for one that is in use and breaks before its query began, or after that was given up.
      made.on('connect', (client) => client.on('error', () => undefined));
      return made;
    };
    // Writes that wait for a lost quorum must not keep reads and health from being answered.
    return new OrdersStore(pool(8), pool(4), {region, peer});
  }

  async insert(order: Order): Promise<Outcome> {
    const client = await this.#writes.connect().catch((error: unknown) => messageOf(error));
    if (typeof client === 'string') return {outcome: 'refused', reason: `no connection to the database: ${client}`};
    return insertWith(client, order, this.#region);
  }

  async list(prefix: string, after: number, limit: number): Promise<readonly {id: number; ref: string}[]> {
    const there = this.#peer ? 'and not deleted ' : '';
    const text = `select id, ref from orders where starts_with(ref, $1) and id > $2 ${there}order by id limit $3`;
    const {rows} = await this.#reads.query<{id: string; ref: string}>(deadline(text, [prefix, after, limit], READ_MS));
    return rows.map(({id, ref}) => ({id: Number(id), ref}));
  }

  async health(): Promise<{role: 'primary' | 'standby' | 'peer'; writable: boolean}> {
    const text = "select pg_is_in_recovery() as standby, current_setting('transaction_read_only') = 'off' as writable";
    const {rows} = await this.#reads.query<{standby: boolean; writable: boolean}>(deadline(text, [], HEALTH_MS));
    const [row] = rows;
    if (row === undefined) throw new Error('the database answered no row');
    const {standby, writable} = row;
    return {role: standby ? 'standby' : this.#peer ? 'peer' : 'primary', writable};
  }

  async close(): Promise<void> {
    await Promise.all([this.#writes.end(), this.#reads.end()]);
  }
}

async function insertWith(client: PoolClient, order: Order, region: string): Promise<Outcome> {
  let warning: string | null = null;
  const onNotice = (notice: {code?: string | undefined; message?: string | undefined}) => {
    if (notice.code === '01000') warning = notice.message ?? 'warning';
  };
  client.on('notice', onNotice);
  try {
    const text = 'insert into orders (ref, item, quantity, region) values ($1, $2, $3, $4) returning id';
    const {rows} = await client.query<{id: string}>(deadline(text, [order.ref, order.item, order.quantity, region], WRITE_MS));
    client.release();
    // Committed here, but the wait for the other regions was cut short: not what an acknowledgement promises.
    return warning === null ? {outcome: 'written', id: Number(rows[0]?.id)} : {outcome: 'unknown', reason: warning};
  } catch (error) {
    const code = codeOf(error);
    client.release(isCertain(code) ? false : error instanceof Error ? error : true);
    return {outcome: isCertain(code) ? 'refused' : 'unknown', reason: messageOf(error)};
  } finally {
    client.removeListener('notice', onNotice);
  }
}

/** A query with its own deadline on this side; pg's types know `query_timeout` for clients only. */
function deadline(text: string, values: readonly unknown[], ms: number) {
  return {text, values: [...values], query_timeout: ms};
}

/** Whether the SQLSTATE says that nothing was written. None = the connection broke or the deadline passed; 08, 57P0x, 58 and XX end it midway. */
function isCertain(code: string | null): boolean {
  return code !== null && !/^(08|57P0|58|XX|40003)/.test(code);
}

function codeOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

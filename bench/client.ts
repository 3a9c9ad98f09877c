import {setTimeout as sleep} from 'node:timers/promises';
import pg from 'pg';

/** A client of the store: one connection, a write every 5 ms, at once again on an error. */
export class Client {
  readonly acknowledged = new Map<number, number>();
  readonly #servers: readonly {readonly port: number}[];
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(servers: readonly {readonly port: number}[]) {
    this.#servers = servers;
    this.#done = this.#write();
  }

  async #write(): Promise<void> {
    let client: pg.Client | null = null;
    for (let id = Math.round(performance.now() * 1000); !this.#stopped; id += 1) {
      const began = performance.now();
      try {
        client ??= await this.#connect();
        const {command} = await client.query({
          text: 'insert into bench values ($1, $2)',
          values: [id, 'bench'],
          query_timeout: 1000,
        } as pg.QueryConfig);
        if (command === 'INSERT') this.acknowledged.set(id, performance.now());
      } catch {
        await client?.end().catch(() => undefined);
        client = null;
      }
      await sleep(Math.max(client === null ? 1 : 0, 5 - (performance.now() - began)));
    }
    await client?.end().catch(() => undefined);
  }

  /** As libpq does with target_session_attrs=read-write: the first that takes writes. */
  async #connect(): Promise<pg.Client> {
    for (const {port} of this.#servers) {
      const client = new pg.Client({
        host: '127.0.0.1',
        port,
        user: 'app',
        database: 'orders',
        connectionTimeoutMillis: 1000,
        query_timeout: 1000,
      });
      client.on('error', () => undefined);
      try {
        await client.connect();
        const {rows} = await client.query(`select pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on' as ro`);
        if (rows[0].ro === false) return client;
      } catch {
        // The next one, then.
      }
      await client.end().catch(() => undefined);
    }
    throw new Error('nobody takes writes');
  }

  firstAfter(at: number): number | null {
    return [...this.acknowledged.values()].find((each) => each > at) ?? null;
  }

  longestGap(): number {
    const times = [...this.acknowledged.values()];
    return Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? time)));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }
}

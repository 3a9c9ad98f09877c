import {setTimeout as sleep} from 'node:timers/promises';
import type pg from 'pg';

/**
 * How a write was asked for. The first four wait for the quorum: over the front door; in a transaction that says that it may write; by a role whose
 * own setting says so; as the second half of a prepared transaction. The last two do not: a session that asked for less, and one that did not wait.
 */
export type Way = 'front' | 'read-write' | 'own-role' | 'prepared' | 'local' | 'cancelled';

/** One write that was acknowledged: when it was asked for, and when it was answered, on the clock of this process, in ms. */
export type Ack = {readonly id: number; readonly way: Way; readonly region: string; readonly since: number; readonly at: number};

export const UNDER_QUORUM: ReadonlySet<Way> = new Set(['front', 'read-write', 'own-role', 'prepared']);

/** What the writers need: one table that everybody may write to, and a role whose own settings say that it may write. */
export const PREPARE = [
  'create table written (id bigint primary key, way text not null)',
  'grant all on written to public',
  'alter role app set default_transaction_read_only = off',
  'alter role app set synchronous_commit = on',
];

let nextId = 1;

/** Who a hostile writer is: how it writes, whose own server it goes to, and how it gets there. */
export type WriterSpec = {
  readonly way: Way;
  readonly region: string;
  /** Throws where nobody takes the session. */
  open(settings: pg.ClientConfig): Promise<pg.Client>;
};

/** Whatever writes until it is stopped. */
export type Writing = {readonly acks: readonly Ack[]; stop(): Promise<void>};

/** Writes where clients enter, one after the other. */
export function frontWriter(enter: (id: number) => Promise<string>): Writing {
  const acks: Ack[] = [];
  let stopped = false;
  const done = (async () => {
    while (!stopped) {
      const id = nextId++;
      const since = performance.now();
      const region = await enter(id).catch(() => null);
      if (region !== null) acks.push({id, way: 'front', region, since, at: performance.now()});
      await sleep(region === null ? 20 : 5);
    }
  })();
  return {
    acks,
    stop: () => {
      stopped = true;
      return done;
    },
  };
}

/** Writes to one server in one way until it is stopped, in a new session whenever the last one was ended. */
export class HostileWriter implements Writing {
  readonly acks: Ack[] = [];
  readonly #spec: WriterSpec;
  readonly #done: Promise<void>;
  #client: pg.Client | null = null;
  #stopped = false;

  constructor(spec: WriterSpec) {
    this.#spec = spec;
    this.#done = this.#write();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const pause = await this.#once(nextId++).catch((error: unknown) => this.#failed(error));
      await sleep(pause);
    }
    await this.#client?.end().catch(() => undefined);
  }

  async #once(id: number): Promise<number> {
    const {way, region} = this.#spec;
    this.#client ??= await this.#session();
    const since = performance.now();
    await this.#commit(this.#client, id);
    this.acks.push({id, way, region, since, at: performance.now()});
    return 15;
  }

  /** What a server refuses leaves the session as good as it was; anything else ends it. */
  async #failed(error: unknown): Promise<number> {
    const state = error instanceof Error && 'code' in error ? String(error.code) : '';
    const refused = /^(25|42|55|0A|57014)/.test(state);
    const kept =
      refused &&
      (await this.#client?.query('rollback').then(
        () => true,
        () => false,
      ));
    if (kept !== true) {
      this.#client?.end().catch(() => undefined);
      this.#client = null;
    }
    return 50;
  }

  async #session(): Promise<pg.Client> {
    const {way, open} = this.#spec;
    // A session with a frozen server hangs on what it asked: its write is not acknowledged, and the next one is tried in a new session.
    const client = await open({user: 'app', connectionTimeoutMillis: 1000, query_timeout: 3000});
    if (way === 'local') await client.query('set synchronous_commit = local');
    if (way === 'cancelled') await client.query("set statement_timeout = '15ms'");
    return client;
  }

  /** Throws when it was not acknowledged. */
  async #commit(client: pg.Client, id: number): Promise<void> {
    const {way} = this.#spec;
    const insert = `insert into written values (${id}, '${way}')`;
    if (way === 'prepared') {
      await client.query(`begin; ${insert}; prepare transaction 'p${id}'`);
      await client.query(`commit prepared 'p${id}'`);
    } else await client.query(way === 'read-write' ? `begin read write; ${insert}; commit` : insert);
  }
}

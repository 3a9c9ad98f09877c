import {setTimeout as sleep} from 'node:timers/promises';
import type pg from 'pg';
import type {Server} from '../test/servers/embedded.ts';

/** `pace` = how many a second, asked before each. */
export type Load = {readonly connections: number; readonly payloadBytes: number; pace(): number};

/** Writes numbered rows into `t (id, v)` of `orders`, each a transaction of its own, at a given pace until the server is gone. */
export class NumberedWriter {
  readonly #acknowledged: {id: number; at: number}[] = [];
  readonly #done: Promise<unknown>;
  #next = 1;

  private constructor(clients: readonly pg.Client[], {pace, payloadBytes}: Load) {
    const everyMs = (): number => (1000 * clients.length) / pace();
    // No two alike, so that nothing is compressed away.
    const payload = (): string =>
      Buffer.from(Array.from({length: payloadBytes / 2}, () => Math.floor(Math.random() * 256))).toString('hex');
    const payloads = Array.from({length: 50}, payload);
    const write = async (client: pg.Client, at: number): Promise<void> => {
      for (let due = performance.now() + at * (everyMs() / clients.length); ; due = Math.max(due + everyMs(), performance.now())) {
        await sleep(Math.max(0, due - performance.now()));
        const id = this.#next++;
        await client.query({name: 'numbered', text: 'insert into t values ($1, $2)', values: [id, payloads[id % 50]]});
        this.#acknowledged.push({id, at: performance.now()});
      }
    };
    // It ends when its server does.
    this.#done = Promise.allSettled(clients.map((client, at) => write(client, at).finally(() => client.end().catch(() => undefined))));
  }

  static async start(server: Server, load: Load): Promise<NumberedWriter> {
    const clients = Array.from({length: load.connections}, () => server.connect({database: 'orders'}));
    return new NumberedWriter(await Promise.all(clients), load);
  }

  /** What the server said was committed, and when it was heard. */
  acknowledged(): readonly {readonly id: number; readonly at: number}[] {
    return this.#acknowledged;
  }

  async stopped(): Promise<void> {
    await this.#done;
  }
}

/** A new pace every now and then, at random, the same for all connections. */
export function unevenPace({
  everyMs,
  least,
  most,
}: {
  readonly everyMs: number;
  readonly least: number;
  readonly most: number;
}): () => number {
  let [pace, until] = [0, 0];
  return () => {
    if (performance.now() >= until) {
      pace = least + Math.random() * (most - least);
      until = performance.now() + everyMs;
    }
    return pace;
  };
}

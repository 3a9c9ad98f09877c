import {setTimeout as sleep} from 'node:timers/promises';
import type {CrashGround} from './crash-ground.ts';

const EVERY_MS = 25;

/** An independent client: numbered orders through the front door, open loop, each sent once. */
export class Writer {
  readonly acknowledged: string[] = [];
  readonly #prefix: string;
  readonly #lab: CrashGround;
  readonly #over = new AbortController();
  readonly #pending = new Set<Promise<void>>();
  #loop: Promise<void> = Promise.resolve();

  constructor(lab: CrashGround, prefix: string) {
    this.#lab = lab;
    this.#prefix = prefix;
  }

  start(): void {
    this.#loop = this.#write();
  }

  /** Waits until `count` more writes were acknowledged. */
  async more(count: number): Promise<void> {
    const goal = this.acknowledged.length + count;
    for (let waited = 0; this.acknowledged.length < goal; waited += EVERY_MS) {
      if (waited > 10_000) throw new Error(`no ${count} writes were acknowledged within 10 s`);
      await sleep(EVERY_MS);
    }
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#loop;
    await Promise.all(this.#pending);
  }

  /** What `region` holds of this writer's orders: acknowledged ones that are missing, and any that are there twice. */
  async judge(region: string): Promise<{lost: readonly string[]; doubled: readonly string[]}> {
    const rows = await this.#lab.sql<{ref: string; n: number}>(
      region,
      'select ref, count(*)::int as n from orders where starts_with(ref, $1) group by ref',
      [`${this.#prefix}-`],
    );
    const held = new Map(rows.map(({ref, n}) => [ref, n] as const));
    return {lost: this.acknowledged.filter((ref) => !held.has(ref)), doubled: rows.flatMap(({ref, n}) => (n > 1 ? [ref] : []))};
  }

  async #write(): Promise<void> {
    for (let number = 1; !this.#over.signal.aborted; number++) {
      const one: Promise<void> = this.#post(`${this.#prefix}-${number}`).finally(() => this.#pending.delete(one));
      this.#pending.add(one);
      await sleep(EVERY_MS);
    }
  }

  async #post(ref: string): Promise<void> {
    try {
      await this.#lab.order(ref);
      this.acknowledged.push(ref);
    } catch {
      // Refused or in doubt: nothing was promised.
    }
  }
}

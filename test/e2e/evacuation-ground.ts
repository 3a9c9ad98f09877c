import {setTimeout as sleep} from 'node:timers/promises';
import type pg from 'pg';
import {askLab} from '../../src/lab/control-client.ts';
import {readRecord} from '../../src/lab/record.ts';
import {LabSession, type Ran} from './lab-session.ts';

/** The region that is left, and the two that stay. */
export const AWAY = 'us-east';
export const OTHERS = ['eu-west', 'ap'] as const;
export const REGIONS = [AWAY, ...OTHERS] as const;

/** One acknowledged write: `ref` names its transaction, `region` took it, `at` in ms. For those to the shared rows what the server stamped it with. */
export type Ack = {
  readonly ref: string;
  readonly region: string;
  readonly at: number;
  readonly hot?: {readonly hlc: bigint; readonly item: string};
};

const HOT = 999_001;
const SPACING_MS = 20;
const ANSWER_MS = 2000;

/**
 * Writers of a lab in which every region takes writes: open-loop orders at the front door, and one client at each server itself that writes to shared
 * rows of every table in one transaction with a row of its own, so that transactions can be told by their `ref`.
 */
export class Ground {
  readonly lab = new LabSession();
  readonly acks: Ack[] = [];
  /** Writes past the routes of which nobody knows whether they were done. */
  cutOff = 0;
  #door = '';
  #on = false;
  #next = 0;
  #work: Promise<unknown>[] = [];
  readonly #direct = new Map<string, boolean>();

  async up(): Promise<void> {
    await this.lab.up('--mode', 'active-active');
    this.#door = (await this.lab.status()).frontDoor ?? '';
    await this.lab.sql(
      AWAY,
      `insert into orders (id, ref, item, quantity, region) overriding system value values (${HOT}, 'hot', 'none', 1, '')`,
    );
    await this.equal();
  }

  /** Begins to write, at the front door and at each server. */
  start(): void {
    this.#on = true;
    this.#work = [this.#knock(), ...REGIONS.map((region) => this.direct(region))];
  }

  async stop(): Promise<void> {
    this.#on = false;
    await Promise.all(this.#work);
    this.#work = [];
  }

  /** Clients of the server itself, past the routes, until `leaveDirect` or the end of the load. */
  async direct(region: string): Promise<void> {
    this.#direct.set(region, true);
    const client = await this.lab.connect(region, {query_timeout: 5000});
    try {
      while (this.#on && this.#direct.get(region) === true) {
        const ref = `direct-${region}-${this.#next++}`;
        const hot = await writeShared(client, ref);
        this.acks.push({ref, region, at: performance.now(), hot});
        await sleep(SPACING_MS);
      }
    } catch {
      // Its server was killed: what it was writing may be there or not.
      this.cutOff++;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  leaveDirect(region: string): void {
    this.#direct.set(region, false);
  }

  /** One order every 20 ms at its time, whatever became of those before. */
  async #knock(): Promise<void> {
    const open = new Set<Promise<void>>();
    while (this.#on) {
      const one: Promise<void> = this.#order(`door-${this.#next++}`).finally(() => open.delete(one));
      open.add(one);
      await sleep(SPACING_MS);
    }
    await Promise.all(open);
  }

  async #order(ref: string): Promise<void> {
    try {
      const answer = await fetch(`${this.#door}/orders`, {
        ...{method: 'POST', headers: {'content-type': 'application/json'}, signal: AbortSignal.timeout(ANSWER_MS)},
        body: JSON.stringify({ref, item: 'tea', quantity: 1}),
      });
      await answer.arrayBuffer();
      const region = answer.headers.get('x-region');
      if (answer.status === 201 && region !== null) this.acks.push({ref, region, at: performance.now()});
    } catch {
      // It may be there or not.
    }
  }

  /** What the front door sends each region, as the lab itself says. */
  async weights(): Promise<Readonly<Record<string, number>>> {
    const record = readRecord(this.lab.dir);
    if (record === null) throw new Error('no lab');
    const {weights} = (await askLab(record, {method: 'GET', path: '/routes/front-door'})) as {weights: Readonly<Record<string, number>>};
    return weights;
  }

  /** The refs that a region wrote, as some region has them. */
  async refsOf(writer: string, at: string): Promise<ReadonlySet<string>> {
    const rows = await this.lab.sql<{ref: string}>(at, "select ref from orders where region = $1 and ref <> 'hot'", [writer]);
    return new Set(rows.map(({ref}) => ref));
  }

  /** The longest time without an acknowledged write of the regions that stay, in ms, since a moment. */
  longestGap(since: number): number {
    const times = this.acks.filter(({region, at}) => region !== AWAY && at >= since).map(({at}) => at);
    return Math.round(Math.max(...times.map((at, index) => at - (times[index - 1] ?? since))));
  }

  /** What the shared rows must come to by the rules of their tables, from nothing but what clients were acknowledged. */
  expected() {
    const shared = this.acks.filter(({hot}) => hot !== undefined);
    const last = shared.toSorted((a, b) => Number((a.hot?.hlc ?? 0n) - (b.hot?.hlc ?? 0n)) || (a.region < b.region ? -1 : 1)).at(-1);
    const likes = Object.fromEntries(REGIONS.map((region) => [region, shared.filter((ack) => ack.region === region).length]));
    return {item: last?.hot?.item, likes, members: shared.map(({ref}) => ref).toSorted()};
  }

  /** The same as a region has it. */
  async found(region: string) {
    const [row] = await this.lab.sql<{item: string; counts: Record<string, [number, number]>; adds: Record<string, string>}>(
      region,
      `select (select item from orders where id = ${HOT}) as item, (select counts from likes where post = 'hot') as counts,
        (select members -> 'adds' from members where team = 'hot') as adds`,
    );
    const likes = Object.fromEntries(REGIONS.map((name) => [name, row?.counts?.[name]?.[0] ?? 0]));
    return {item: row?.item, likes, members: Object.values(row?.adds ?? {}).toSorted()};
  }

  /** Waits until all regions hold the same bytes. */
  async equal(): Promise<void> {
    const end = performance.now() + 30_000;
    for (;;) {
      const states = await Promise.all(REGIONS.map((region) => this.lab.sql<{state: string}>(region, STATE)));
      if (new Set(states.map(([row]) => row?.state)).size === 1) return;
      if (performance.now() > end) throw new Error('the regions did not become equal within 30 s');
      await sleep(50);
    }
  }

  run = (...args: readonly string[]): Promise<Ran> => this.lab.run(args, {timeoutMs: 120_000});

  /** Runs regionctl and kills it (-9) when a step begins, by its own events. */
  async killedAt(step: string, args: readonly string[]): Promise<void> {
    const ran = await this.lab.run([...args, '--yes', '--format', 'ndjson'], {
      timeoutMs: 120_000,
      onStart: (child) => {
        let seen = '';
        child.stdout?.on('data', (text) => {
          seen += String(text);
          if (seen.split('\n').some((line) => line.includes('"step-started"') && line.includes(`"${step}"`))) child.kill('SIGKILL');
        });
      },
    });
    if (ran.code !== null) throw new Error(`it was not killed at ${step}: ${ran.code} ${ran.stdout} ${ran.stderr}`);
  }
}

const STATE = `select md5(concat(
  (select string_agg(t::text, ',' order by id) from orders t), (select string_agg(t::text, ',' order by id) from profiles t),
  (select string_agg(t::text, ',' order by post) from likes t), (select string_agg(t::text, ',' order by team) from members t))) as state`;

/** One transaction: the shared order, counter and set, and a row that tells the transaction. Answers what the order was stamped with. */
async function writeShared(client: pg.Client, ref: string): Promise<{hlc: bigint; item: string}> {
  await client.query('begin');
  const {rows} = await client.query<{hlc: string}>(`update orders set item = $1 where id = ${HOT} returning hlc::text`, [ref]);
  await client.query("select like_post('hot')");
  await client.query("select add_member('hot', $1)", [ref]);
  await client.query("insert into orders (ref, item, quantity) values ($1, 'mark', 1)", [ref]);
  await client.query('commit');
  return {hlc: BigInt(rows[0]?.hlc ?? 0), item: ref};
}

import {setTimeout as sleep} from 'node:timers/promises';
import type pg from 'pg';
import {afterAll, describe, expect, it} from 'vitest';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {expectEqualRegions, expectNoFaultLeft} from './expect-regions.ts';
import {LabSession} from './lab-session.ts';

const WATCH_MS = 2000;

const lab = new LabSession();
const writers: DirectWriter[] = [];
afterAll(async () => {
  for (const writer of writers) writer.close();
  await lab.remove();
});

/** Writes one order after the other into a server itself, past every router and with its default settings, until one hangs or fails. */
class DirectWriter {
  readonly acknowledged: {readonly ref: string; readonly begunAt: number}[] = [];
  readonly trouble: string[] = [];
  readonly #client: pg.Client;
  #closed = false;

  constructor(client: pg.Client, prefix: string) {
    this.#client = client;
    client.on('notice', (notice) => this.trouble.push(notice.message ?? 'a notice'));
    this.#write(prefix).catch((error: Error) => {
      if (!this.#closed) this.trouble.push(error.message);
    });
  }

  async #write(prefix: string): Promise<void> {
    for (let n = 0; !this.#closed; n += 1) {
      const ref = `${prefix}-${n}`;
      const begunAt = Date.now();
      await this.#client.query(`insert into orders (ref, item, quantity, region) values ($1, 'direct', 1, 'us-east')`, [ref]);
      this.acknowledged.push({ref, begunAt});
    }
  }

  close(): void {
    this.#closed = true;
    void this.#client.end();
  }
}

async function directWriter(prefix: string): Promise<DirectWriter> {
  const writer = new DirectWriter(await lab.connect('us-east'), prefix);
  writers.push(writer);
  return writer;
}

describe('a frozen primary that thaws after the failover', () => {
  it('acknowledges nothing any more, and nothing that was acknowledged is lost', async () => {
    await lab.up();
    const client = await lab.client('independent');
    const before = await Promise.all([directWriter('early-a'), directWriter('early-b')]);
    await expect.poll(() => before.every(({acknowledged}) => acknowledged.length > 50), {timeout: 10_000, interval: 10}).toBe(true);

    await lab.lab('fault', 'freeze', 'us-east');
    const failover = await lab.json<RunDocument>(1, ['failover', 'run', '--yes', '--no-guard']);
    expect(failover).toMatchObject({outcome: 'succeeded', from: 'us-east', to: 'eu-west', measured: {lostWrites: null}});

    const thawedAt = Date.now();
    await lab.lab('heal', 'us-east');
    const after = await Promise.all([directWriter('late-a'), directWriter('late-b')]);
    // Real time: what a primary that nobody follows does with the commits of those who do not know better.
    await sleep(WATCH_MS);
    const acknowledged = [...before, ...after].flatMap((writer) => writer.acknowledged);
    // What was on its way when it froze may be acknowledged late if a standby had it; that it is there is asked below. Nothing that was begun later.
    expect(acknowledged.filter(({begunAt}) => begunAt >= thawedAt)).toEqual([]);
    expect(after.map((writer) => writer.acknowledged.length)).toEqual([0, 0]);
    expect([...before, ...after].flatMap(({trouble}) => trouble)).toEqual([]);
    // They hang: each of the four waits for a quorum that will not come.
    const waiting = await lab.sql<{n: number}>('us-east', `select count(*)::int as n from pg_stat_activity where wait_event = 'SyncRep'`);
    expect(waiting[0]?.n).toBeGreaterThanOrEqual(4);

    const seen = await client.stop(await lab.truthOf('eu-west'));
    expect(seen).toMatchObject({lost: [], duplicated: []});
    expect(seen.acknowledged).toBeGreaterThan(100);
    expect(seen.gapTo).toBeLessThan(thawedAt);
    expect(await missing(acknowledged.map(({ref}) => ref))).toEqual([]);
    for (const writer of writers) writer.close();

    expect(await lab.json<RunDocument>(0, ['failback', 'run', '--yes'])).toMatchObject({outcome: 'succeeded', measured: {lostWrites: 0}});
    await expectNoFaultLeft(lab);
    await expectEqualRegions(lab);
  });
});

async function missing(refs: readonly string[]): Promise<readonly string[]> {
  const rows = await lab.sql<{ref: string}>('eu-west', 'select ref from orders where ref = any($1)', [refs]);
  const there = new Set(rows.map(({ref}) => ref));
  return refs.filter((ref) => !there.has(ref));
}

import {execFile} from 'node:child_process';
import {join, resolve} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import pg from 'pg';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {type DebianFleet, noPostgres15, startDebianFleet} from '../servers/debian.ts';

const BIN = join(resolve(import.meta.dirname, '../..'), 'bin/regionctl');
const ALL = ['us-east', 'eu-west', 'ap'];

// Debian's PostgreSQL 15, run by hand: each server is controlled by a script, as over ssh, and rewound instead of rebuilt.
describe.skipIf(noPostgres15 !== null)(`PostgreSQL 15 by hand${noPostgres15 === null ? '' : ` (skipped: ${noPostgres15})`}`, () => {
  let fleet: DebianFleet;
  const writers: Writer[] = [];

  beforeAll(async () => {
    fleet = await startDebianFleet({members: ALL, quorum: 1});
    await fleet.servers['us-east']?.sql('create table orders (id bigint primary key, note text not null)');
    await fleet.servers['us-east']?.sql('alter table orders owner to app');
  });
  afterAll(async () => {
    for (const writer of writers) await writer.stop();
    await fleet?.end();
  });

  const server = (name: string) => {
    const found = fleet.servers[name];
    if (found === undefined) throw new Error(`no server ${name}`);
    return found;
  };
  const run = (code: number, ...args: string[]): Promise<RunDocument> =>
    new Promise((done, fail) => {
      const env = {...process.env, REGIONCTL_FLEET: fleet.fleetFile};
      const child = execFile(BIN, [...args, '--json'], {env, timeout: 100_000}, (_error, stdout, stderr) => {
        if (child.exitCode === code) done(JSON.parse(stdout) as RunDocument);
        else fail(new Error(`regionctl ${args.join(' ')} ended with ${child.exitCode}\n${stdout}\n${stderr}`));
      });
    });
  const writing = async (): Promise<Writer> => {
    const writer = new Writer(ALL.map((name) => server(name).port));
    writers.push(writer);
    await expect.poll(() => writer.acknowledged.length, {timeout: 10_000}).toBeGreaterThan(20);
    return writer;
  };
  /** Nothing that was acknowledged is missing, and every member holds the same. */
  const expectKept = async (writer: Writer, primary: string): Promise<void> => {
    await sleep(200);
    await writer.stop();
    const held = async (name: string) =>
      (await server(name).sql<{id: string}>('select id::text from orders order by id')).map(({id}) => id);
    const there = new Set(await held(primary));
    expect(writer.acknowledged.filter((id) => !there.has(String(id)))).toEqual([]);
    for (const name of ALL) await expect.poll(() => held(name), {timeout: 10_000}).toEqual([...there]);
  };
  const wayBack = (document: RunDocument, id: string) => document.steps.find((step) => step.id === id)?.status;

  it('switches over and back under load without loss; the former primary is rewound and follows', async () => {
    const writer = await writing();
    expect(await run(0, 'switchover', 'run', '--to', 'eu-west', '--yes')).toMatchObject({outcome: 'succeeded'});
    const back = await run(0, 'switchover', 'run', '--to', 'us-east', '--yes');
    expect(back).toMatchObject({outcome: 'succeeded'});
    expect(wayBack(back, 'rejoin-eu-west')).toBe('done');
    await expectKept(writer, 'us-east');
  });

  it('fails over when the primary is killed, and fails back when it has come back as a primary of its own', async () => {
    const writer = await writing();
    await server('us-east').kill();
    const over = await run(1, 'failover', 'run', '--yes', '--no-guard'); // 1: nobody guards it
    expect(over).toMatchObject({outcome: 'succeeded', to: 'eu-west'});
    const [rule] = await server('eu-west').sql<{rule: string}>(`select current_setting('synchronous_standby_names') as rule`);
    expect(rule?.rule).toMatch(/^ANY 1/);
    await server('us-east').ctl('start');
    expect(await server('us-east').sql('select pg_is_in_recovery() as recovering')).toEqual([{recovering: false}]);
    const home = await run(0, 'failback', 'run', '--to', 'us-east', '--yes');
    expect(home).toMatchObject({outcome: 'succeeded'});
    expect(wayBack(home, 'rejoin-us-east-first')).toBe('done');
    await expectKept(writer, 'us-east');
  });

  it('the guard closes a primary that is started again', async () => {
    const writer = await writing();
    await server('us-east').kill();
    const running = run(0, 'failover', 'run', '--yes', '--wait-timeout', '60s');
    // Started any sooner, a standby hears it before it is sealed, and the run rightly goes back: it is alive.
    const guarding = async () => {
      const shown = await run(0, 'runs', 'show', 'last').catch(() => null);
      return shown?.steps.find(({id}) => id === 'guard-us-east')?.status;
    };
    await expect.poll(guarding, {timeout: 30_000, interval: 100}).toBe('running');
    await server('us-east').ctl('start');
    const over = await running;
    expect(over).toMatchObject({outcome: 'succeeded', to: 'eu-west'});
    expect(over.steps.find(({id}) => id === 'guard-us-east')?.detail).toMatch(/us-east (came back and was|is) (closed|stopped)/);
    expect(await run(0, 'failback', 'run', '--to', 'us-east', '--yes')).toMatchObject({outcome: 'succeeded'});
    await expectKept(writer, 'us-east');
  });
});

/** A client with a write every 5 ms, over one connection to whoever takes it. */
class Writer {
  readonly acknowledged: number[] = [];
  readonly #done: Promise<void>;
  #stopped = false;

  constructor(ports: readonly number[]) {
    this.#done = this.#write(ports);
  }

  async #write(ports: readonly number[]): Promise<void> {
    let client: pg.Client | null = null;
    for (let id = Date.now() * 1000; !this.#stopped; id += 1) {
      try {
        client ??= await this.#connect(ports);
        await client.query({text: 'insert into orders values ($1, $2)', values: [id, 'order'], query_timeout: 1000} as pg.QueryConfig);
        this.acknowledged.push(id);
      } catch {
        await client?.end().catch(() => undefined);
        client = null;
      }
      await sleep(5);
    }
    await client?.end().catch(() => undefined);
  }

  async #connect(ports: readonly number[]): Promise<pg.Client> {
    for (const port of ports) {
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
        if ((await client.query('select pg_is_in_recovery() as standby')).rows[0].standby === false) return client;
      } catch {
        // The next one, then.
      }
      await client.end().catch(() => undefined);
    }
    throw new Error('nobody takes writes');
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }
}

import type pg from 'pg';
import {afterAll, expect, it} from 'vitest';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {LabSession} from './lab-session.ts';

// The old primary is frozen, its writes need no quorum, and the guard was broken by name: what it acknowledges after the thaw is lost, and must be
// counted to the last one and ended at once.
const lab = new LabSession();
const writers: HostileWriter[] = [];
afterAll(async () => {
  for (const writer of writers) writer.close();
  await lab.remove();
});

/** Writes to the server's own port all the time, and asks it not to wait for anybody. */
class HostileWriter {
  readonly acknowledged: {readonly ref: string; readonly at: number}[] = [];
  readonly #client: pg.Client;
  readonly #prefix: string;
  ended: string | null = null;
  #closed = false;

  constructor(client: pg.Client, prefix: string) {
    this.#client = client;
    this.#prefix = prefix;
    this.#write().catch((error: Error) => {
      this.ended = error.message;
    });
  }

  async #write(): Promise<void> {
    await this.#client.query('set synchronous_commit = local');
    for (let n = 0; !this.#closed; n += 1) {
      const ref = `${this.#prefix}-${n}`;
      await this.#client.query(`insert into orders (ref, item, quantity, region) values ($1, 'hostile', 1, 'us-east')`, [ref]);
      this.acknowledged.push({ref, at: Date.now()});
    }
  }

  close(): void {
    this.#closed = true;
    void this.#client.end();
  }
}

it('counts what a thawed primary acknowledged alone, and ends it at once', async () => {
  await lab.up('--async');
  for (const prefix of ['a', 'b']) {
    // Our own role could not be shut out: clients have one of theirs.
    const client = await lab.connect('us-east', {user: 'app', password: lab.secret('app').trim()});
    writers.push(new HostileWriter(client, prefix));
  }
  await expect.poll(() => writers.every(({acknowledged}) => acknowledged.length > 50), {timeout: 10_000, interval: 10}).toBe(true);
  await lab.lab('fault', 'freeze', 'us-east');
  const passed = ['--override', 'fence', '--override', 'loss', '--reason', 'the region is frozen and the bridge decided'];
  const running = lab.run(['failover', 'run', '--yes', '--json', ...passed]);
  await expect
    .poll(
      async () => {
        const {steps} = await lab.json<RunDocument>(0, ['runs', 'show', 'last']);
        return steps.find(({id}) => id === 'guard-us-east')?.status;
      },
      {timeout: 20_000, interval: 100},
    )
    .toBe('running');
  const before = writers.map(({acknowledged}) => acknowledged.length);
  await lab.lab('heal', 'us-east');
  const ended = await running;
  const document = JSON.parse(ended.stdout) as RunDocument;
  expect([ended.code, document.outcome], ended.stdout + ended.stderr).toEqual([0, 'succeeded']);
  const detail = document.steps.find(({id}) => id === 'guard-us-east')?.detail;
  expect(detail).toMatch(/^us-east came back and was (closed|stopped); \d+ writes that it acknowledged alone are lost$/);

  const refsIn = async (region: string) => (await lab.sql<{ref: string}>(region, 'select ref from orders')).map(({ref}) => ref);
  const there = new Set(await refsIn('eu-west'));
  const onlyOnOld = (await refsIn('us-east')).filter((ref) => !there.has(ref));
  const afterThaw = writers.map(({acknowledged}, index) => acknowledged.slice(before[index]));
  expect(afterThaw.flat().length, 'it acknowledged nothing alone: the test proves nothing').toBeGreaterThan(0);
  // Exact, row by row: also what was committed there and whose answer was cut off on its way.
  expect(document.measured.lostWrites).toBe(onlyOnOld.length);
  const lost = writers.flatMap(({acknowledged}) => acknowledged.map(({ref}) => ref)).filter((ref) => !there.has(ref));
  expect(onlyOnOld).toEqual(expect.arrayContaining(lost));
  expect(writers.every((writer) => writer.ended !== null)).toBe(true);
  // From its first answer on: the thaw itself is a command that has to start. The promise is half a second, measured on a quiet machine by
  // `npm run soak:matrix`; beside a whole suite the machine itself is late.
  const times = afterThaw.flat().map(({at}) => at);
  const forMs = Math.max(...times) - Math.min(...times);
  process.stdout.write(`    ended ${forMs} ms after its first answer\n`);
  expect(forMs).toBeLessThan(2000);
  expect((await lab.json<RunDocument>(0, ['failback', 'run', '--yes'])).outcome).toBe('succeeded');
});

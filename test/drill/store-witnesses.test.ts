import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {leftRecords} from '../../src/lib/drill/store-records.ts';
import {removeLeft, storeWitnesses} from '../../src/lib/drill/store-witnesses.ts';
import {storeRowsOf} from '../../src/lib/drill/witness-rows.ts';
import type {Store} from '../../src/lib/ports/store.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import {testCtx} from '../providers/postgres/open-store.ts';

const clock = systemClock();
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'store-witnesses-'));
});
afterEach(() => rmSync(dir, {recursive: true, force: true}));

/** A store with one member and a table in memory, which is dropped with its last row, as the one of PostgreSQL is. `trouble`: it cannot be made. */
function memoryStore() {
  const table = {rows: [] as {run: string; ref: string}[], made: false, trouble: null as string | null};
  const witness: Store['abilities']['witness'] = {
    async prepare() {
      if (table.trouble !== null) throw new Error(table.trouble);
      table.made = true;
    },
    writer: (_member, run) => ({
      write(ref, ended) {
        if (table.made) table.rows.push({run, ref});
        setImmediate(() => ended(table.made ? 'acknowledged' : 'failed'));
        return () => undefined;
      },
      close: () => undefined,
    }),
    readBack: async (_member, run) => new Map(table.rows.filter((row) => row.run === run).map(({ref}) => [ref, 1])),
    async clean(run) {
      table.rows = table.rows.filter((row) => row.run !== run);
      table.made = table.rows.length > 0;
    },
  };
  const port = {
    observe: async () => ({us: known({role: 'primary', durable: {epoch: 1}}, 0, 'test')}),
    abilities: {witness},
  } as unknown as Store;
  return {table, port};
}

/** One process that carries a run of a fleet. `runs`: those that its state knows as its own. */
function processOf({port}: {port: Store}, run: string, {fleet = 'prod', runs = [run]}: {fleet?: string; runs?: string[]} = {}) {
  const died = new AbortController();
  const hasRun = async (one: string): Promise<boolean> => runs.includes(one);
  const streams = storeWitnesses({fleet: {name: fleet, hasRun}, stores: {orders: port}, dir, life: died.signal, clock});
  const ctx = testCtx(run, 60_000);
  return {
    async begin() {
      await streams.prepare(ctx, ['orders']);
      await streams.start(run, {stores: ['orders'], everyMs: 5, deadlineMs: 200});
    },
    die: () => died.abort(),
    async stop() {
      const [row] = storeRowsOf({stores: await streams.stop(ctx)});
      return row ?? expect.unreachable();
    },
  };
}

async function until(what: () => boolean): Promise<void> {
  for (const end = clock.now() + 5000; !what(); await clock.sleep(2)) if (clock.now() > end) throw new Error('it did not come about');
}

const fileOf = (run: string) => join(dir, `${run}.orders.store-witness.json`);
const recordOf = (run: string) => JSON.parse(readFileSync(fileOf(run), 'utf8'));

describe('what a run left in a store is cleaned by the next drill of its own fleet', () => {
  it('and not by one of another fleet whose store has the same name', async () => {
    const [prod, staging] = [memoryStore(), memoryStore()];
    const killed = processOf(prod, 'of-prod');
    await killed.begin();
    await until(() => prod.table.rows.length > 3);
    killed.die();
    const other = processOf(staging, 'of-staging', {fleet: 'staging', runs: ['of-staging', 'of-prod']});
    await other.begin();
    await until(() => staging.table.rows.length > 3);
    expect(recordOf('of-prod')).toMatchObject({fleet: 'prod', cleaned: false, lost: false});
    await other.stop();
    const back = await killed.stop();
    expect(back).toMatchObject({trouble: null, all: {lost: [], lostWrites: 0}});
    expect(back.all.acknowledged).toBeGreaterThan(0);
    expect([prod.table.made, staging.table.made]).toEqual([false, false]);
  });

  it('also where an earlier version wrote the record, if its run is of this fleet', async () => {
    const store = memoryStore();
    const old = {store: 'orders', members: ['us'], cleaned: false, lost: false, row: null};
    for (const run of ['old-prod', 'old-staging']) {
      writeFileSync(fileOf(run), JSON.stringify(old));
      store.table.rows.push({run, ref: `${run}-1`});
    }
    const next = processOf(store, 'next', {runs: ['next', 'old-prod']});
    await next.begin();
    await next.stop();
    expect([recordOf('old-prod').cleaned, recordOf('old-staging')]).toEqual([true, old]);
    expect(store.table.rows).toEqual([{run: 'old-staging', ref: 'old-staging-1'}]);
  });
});

describe('a run that is resumed after its store was cleaned', () => {
  const cleanedRun = async (store: ReturnType<typeof memoryStore>) => {
    const killed = processOf(store, 'run');
    await killed.begin();
    await until(() => store.table.rows.length > 3);
    killed.die();
    const {left} = await leftRecords(dir);
    for (const each of left) await removeLeft({stores: {orders: store.port}, dir}, each, new AbortController().signal);
    expect([left.length, store.table.made]).toEqual([1, false]);
  };

  it('has its place made again and writes to it, its losses are not known, and nothing is left', async () => {
    const store = memoryStore();
    await cleanedRun(store);
    // It dies again: that its place was made anew, and what was lost, is still known.
    const again = processOf(store, 'run');
    await again.begin();
    await until(() => store.table.rows.length > 3);
    again.die();
    expect(recordOf('run')).toMatchObject({members: ['us'], cleaned: false, lost: true});
    const last = processOf(store, 'run');
    await last.begin();
    const row = await last.stop();
    expect(row).toMatchObject({all: {failed: 0, lost: null, lostWrites: null}});
    expect(row.trouble).toContain('a part of them was removed before');
    expect([store.table.made, recordOf('run').cleaned]).toEqual([false, true]);
  });

  it('does not wait for a primary, and makes it as soon as there is one', async () => {
    const store = memoryStore();
    await cleanedRun(store);
    store.table.trouble = 'no primary answers';
    const back = processOf(store, 'run');
    await back.begin();
    store.table.trouble = null;
    await until(() => store.table.rows.length > 3);
    expect((await back.stop()).trouble).not.toContain('could not be made again');
  });

  it('says what stood in the way when it never could be', async () => {
    const store = memoryStore();
    await cleanedRun(store);
    store.table.trouble = 'permission denied';
    const back = processOf(store, 'run');
    await back.begin();
    const row = await back.stop();
    expect(row.trouble).toMatch(
      /removed before.*; the place for its writes had been removed, and could not be made again: permission denied$/,
    );
    expect(row.all.failed).toBeGreaterThan(0);
  });
});

import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {AuditChunk, AuditSlice, TableAudit} from '../../../../src/lib/ports/audit.ts';
import {eventually, type Server, type Servers, startServers} from '../../../servers/embedded.ts';
import {signal} from '../open-store.ts';
import {type AuditWorld, openPair, openWorld, readOpened, readTable} from './audit-world.ts';

const ROWS = 30_000;
const noPause = async (): Promise<void> => undefined;

describe('reading a table', () => {
  let servers: Servers;
  let server: Server;
  let standby: Server;
  let world: AuditWorld;
  beforeAll(async () => {
    servers = await startServers(['one', 'two']);
    [server, standby] = servers.all as [Server, Server];
    world = await openPair(server, server, 'reading');
    await world.both(`create table ordered (id int8 primary key, v text); create table scattered (id text primary key, v text);
      insert into ordered select g * 3, repeat('x', 100) || g from generate_series(1, ${ROWS}) g; insert into scattered select 'k' || id, v from ordered; analyze`);
    await world.each(
      'delete from ordered where id = 3; update ordered set v = null where id % 9999 = 0',
      `delete from ordered where id = ${3 * ROWS}; insert into ordered values (4, 'new')`,
    );
    await world.each("delete from scattered where id = 'k3'", "update scattered set v = v || ' ' where id in ('k30000', 'k60000')");
  });
  afterAll(async () => {
    await world?.end();
    await servers?.end();
  });

  const digests = async (form: TableAudit, slice: AuditSlice): Promise<readonly (readonly AuditChunk[])[]> =>
    (await Promise.all(world.names.map((name) => form.digest(name, slice, noPause, signal())))).map(({chunks}) => chunks);
  const inOrder = (chunks: readonly AuditChunk[]): readonly AuditChunk[] => chunks.toSorted((a, b) => (a.id < b.id ? -1 : 1));

  it('goes through its key in slices, and finds the same however many there are', async () => {
    const one = await readTable(world, 'public.ordered');
    const many = await readOpened(await world.audit.open('public.ordered', world.names, {sliceMs: 1}, signal()), world.names, 1);
    const expected = ['3', '4', ...Array.from({length: 9}, (_, index) => String(9999 * (index + 1))), String(3 * ROWS)].toSorted();
    expect(one.slices).toHaveLength(1);
    expect(many.slices.length).toBeGreaterThan(10);
    for (const seen of [one, many]) expect(seen.keys).toEqual(expected);
    expect(many.rows).toBeGreaterThanOrEqual(ROWS - 1);
  });

  it('goes through its pages, with a pause before each piece, and finds the same', async () => {
    let pauses = 0;
    const pace = async (): Promise<void> => {
      pauses += 1;
    };
    const one = await readTable(world, 'public.scattered', 60_000, pace);
    const atOnce = pauses;
    const many = await readTable(world, 'public.scattered', 1, pace);
    expect(atOnce).toBe(2);
    expect(pauses - atOnce).toBeGreaterThan(8);
    for (const seen of [one, many]) expect({keys: seen.keys, rows: seen.rows}).toEqual({keys: ['k3', 'k30000', 'k60000'], rows: ROWS});
    expect(many.chunks).toBe(one.chunks);
    expect(many.chunks).toBeGreaterThan(16);
  });

  it('stops between pieces when the pause says so', async () => {
    const stop = async (): Promise<void> => {
      throw new Error('enough');
    };
    await expect(readTable(world, 'public.scattered', 1, stop)).rejects.toThrow('enough');
  });

  it.each(['ordered', 'scattered'])('answers the same by chunks, rows, hashes and versions: %s', async (name) => {
    await world.audit.rest(signal());
    const form = await world.audit.open(`public.${name}`, world.names, {sliceMs: 1}, signal());
    for (let slice = form.next(null, null), n = 0; slice !== null && n < 3; slice = form.next(slice, 1), n++) {
      const at = slice;
      for (const [index, chunks] of (await digests(form, at)).entries()) {
        const member = world.names[index] as string;
        const some = inOrder(chunks).slice(0, 5);
        const ids = some.map(({id}) => id);
        expect(inOrder(await form.again(member, at, ids, signal()))).toEqual(some);
        const rows = await form.rows(member, at, ids, signal());
        expect(rows).toHaveLength(some.reduce((sum, chunk) => sum + chunk.rows, 0));
        // The sum of the hashes of its rows is what a digest is.
        expect(rows.reduce((sum, row) => sum + BigInt(row.hash), 0n)).toBe(some.reduce((sum, chunk) => sum + BigInt(chunk.sum), 0n));
        const few = rows.slice(0, 20);
        const keys = few.map(({key}) => key);
        const byKey = (await form.hashes(member, keys, signal())).toSorted((a, b) => keys.indexOf(a.key) - keys.indexOf(b.key));
        expect(byKey).toEqual(few);
        expect((await form.versions(member, keys, [], signal())).map(({key, hash, stamp}) => ({key, hash, stamp}))).toEqual(few);
      }
    }
  });

  it('gives rows another stamp when they are written, to the same as well', async () => {
    await world.audit.rest(signal());
    const form = await world.audit.open('public.ordered', world.names, {sliceMs: 500}, signal());
    const look = async () => (await form.hashes('a', ['6', '12'], signal())).toSorted((x, y) => x.key.localeCompare(y.key));
    const before = await look();
    await world.on('a', 'update ordered set v = v where id = 6');
    const after = await look();
    expect(after.map(({hash}) => hash)).toEqual(before.map(({hash}) => hash));
    expect(after[0]?.stamp).toBe(before[0]?.stamp);
    expect(after[1]?.stamp).not.toBe(before[1]?.stamp);
  });

  it('answers values that are long by what stands for them, unless they are needed whole', async () => {
    await world.both(
      "create table long (id int primary key, v text, w text); insert into long values (1, repeat('ä', 8192), repeat('b', 8193))",
    );
    const {form} = await readTable(world, 'public.long');
    const [cut] = await form.versions('a', ['1', '2'], [], signal());
    expect(cut?.row?.v).toBe('ä'.repeat(8192));
    expect(cut?.row?.w).toMatch(/^sha256:[0-9a-f]{64} of 8193 characters$/);
    const [whole, none] = await form.versions('a', ['1', '2'], ['w'], signal());
    expect(whole?.row?.w).toBe('b'.repeat(8193));
    expect(Date.parse(whole?.committedAt ?? '')).toBeGreaterThan(Date.now() - 600_000);
    expect(none).toEqual({key: '2', hash: null, row: null, committedAt: null, origin: null});
  });

  it('takes the parts of a table as they were begun, whatever the planner thinks by now', async () => {
    const form = await world.audit.open('public.scattered', world.names, {sliceMs: 500}, signal());
    const parts: AuditSlice[] = [];
    for (let slice: AuditSlice | null = {rows: 100, from: '0', to: '4', width: 7}; slice !== null; slice = form.next(slice, null))
      parts.push(slice);
    expect(parts.map(({from, to, width}) => [from, to, width])).toEqual(['0', '1', '2', '3'].map((part) => [part, '4', 7]));
    let rows = 0;
    for (const part of parts) rows += (await form.digest('b', part, noPause, signal())).chunks.reduce((sum, chunk) => sum + chunk.rows, 0);
    expect(rows).toBe(ROWS);
  });

  it.each(['ordered', 'scattered'])('tells exactly which chunks were written since a mark: %s', async (name) => {
    const table = `activity_${name}`;
    const key = name === 'ordered' ? 'g' : "'k' || g";
    await world.both(
      `create table ${table} (id ${name === 'ordered' ? 'int8' : 'text'} primary key, v int); insert into ${table} select ${key}, 0 from generate_series(1, 20000) g; analyze ${table}`,
    );
    await world.audit.rest(signal());
    await world.audit.tables(world.names, signal());
    const form = await world.audit.open(`public.${table}`, world.names, {sliceMs: 60_000}, signal());
    const slice = form.next(null, null);
    if (slice === null || form.activity === undefined) throw new Error('nothing to read');
    const {mark, chunks} = await form.digest('a', slice, noPause, signal());
    const rows = new Map(chunks.map((chunk) => [chunk.id, chunk.rows]));
    const look = async () => {
      await world.audit.rest(signal());
      const seen = await form.activity?.('a', slice, mark, signal());
      if (seen === undefined || seen === 'stale') throw new Error('stale');
      return seen.chunks.filter(({id, written, rows: count}) => written || rows.get(id) !== count);
    };
    expect(await look()).toEqual([]);
    await world.on('a', `vacuum (freeze) ${table}`);
    expect(await look()).toEqual([]);
    const id = (n: number): string => (name === 'ordered' ? String(n) : `'k${n}'`);
    await world.on('a', `delete from ${table} where id = ${id(5)}`);
    const deleted = await look();
    expect(deleted).toMatchObject([{written: false}]);
    expect(deleted[0]?.rows).toBe((rows.get(deleted[0]?.id ?? '') ?? 0) - 1);
    await world.on('a', `update ${table} set v = v where id = ${id(9000)}`);
    const updated = await look();
    expect(updated).toHaveLength(2);
    expect(updated.filter(({written}) => written)).toHaveLength(1);
    // One that goes and one that comes in the same chunk are as many.
    await world.on('a', `insert into ${table} values (${id(5)}, 0)`);
    const back = await look();
    expect(back.map(({written}) => written)).toEqual([true, true]);
    expect(back.every(({id: chunk, rows: count}) => rows.get(chunk) === count)).toBe(true);
    expect(await form.activity('a', slice, {...mark, epoch: 'another/1'}, signal())).toBe('stale');
    expect(await form.activity('a', slice, {...mark, since: String(BigInt(mark.since) + 10n ** 9n)}, signal())).toBe('stale');
  });

  it('sees a row that was written by a transaction that was open at the mark', async () => {
    await world.both('create table slow (id int primary key, v int); insert into slow select generate_series(1, 10), 0');
    const writer = await server.connect({database: 'reading_a'});
    try {
      await writer.query('begin; update slow set v = 1 where id = 3');
      await world.on('a', 'update slow set v = 2 where id = 4');
      const {form, slices} = await readTable(world, 'public.slow');
      const [slice] = slices;
      if (slice === undefined) throw new Error('no slice');
      const {mark} = await form.digest('a', slice, noPause, signal());
      await writer.query('commit');
      await world.audit.rest(signal());
      expect(await form.activity?.('a', slice, mark, signal())).toMatchObject({chunks: [{written: true, rows: 10}]});
    } finally {
      await writer.end();
    }
  });

  it('reads a standby beside its primary, by a role that can read and nothing else', async () => {
    await world.on('a', "create role reader login password 'only-for-tests'; grant pg_read_all_data to reader");
    const {at} = (await world.on('a', 'select pg_current_wal_insert_lsn()::text as at'))[0] as {at: string};
    await eventually(async () => (await standby.sql<{ok: boolean}>('select pg_last_wal_replay_lsn() >= $1::pg_lsn as ok', [at]))[0]?.ok);
    const both = [
      {name: 'a', port: server.port},
      {name: 'b', port: standby.port},
    ].map((place) => ({...place, database: 'reading_a', user: 'reader'}));
    const other = openWorld(both);
    try {
      for (const table of ['public.ordered', 'public.scattered']) expect((await readTable(other, table)).keys).toEqual([]);
      const {form} = await readTable(other, 'public.ordered');
      const [a, b] = await Promise.all(['a', 'b'].map((name) => form.versions(name, ['6'], [], signal())));
      expect(b).toEqual(a);
      expect(a?.[0]?.hash).not.toBeNull();
      expect(BigInt(await other.audit.position('b', signal()))).toBeLessThanOrEqual(BigInt(await other.audit.position('a', signal())));
    } finally {
      await other.end();
    }
  });
});

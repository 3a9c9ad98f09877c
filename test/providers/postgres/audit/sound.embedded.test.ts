import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {AuditSlice, TableAudit} from '../../../../src/lib/ports/audit.ts';
import {eventually, type Server, type Servers, startServers} from '../../../servers/embedded.ts';
import {signal} from '../open-store.ts';
import {type AuditWorld, openPair, openWorld, readTable} from './audit-world.ts';

const noPause = async (): Promise<void> => undefined;

async function opened(world: AuditWorld, table: string, sliceMs = 500): Promise<TableAudit> {
  await world.audit.rest(signal());
  await world.audit.tables(world.names, signal());
  return world.audit.open(table, world.names, {sliceMs}, signal());
}

function firstOf(form: TableAudit): AuditSlice {
  const slice = form.next(null, null);
  if (slice === null) throw new Error('no slice');
  return slice;
}

describe('an audit that is disturbed', () => {
  let servers: Servers;
  let server: Server;
  let standby: Server;
  let world: AuditWorld;
  beforeAll(async () => {
    servers = await startServers(['one', 'two']);
    [server, standby] = servers.all as [Server, Server];
    world = await openPair(server, server, 'sound');
  });
  afterAll(async () => {
    await world?.end();
    await servers?.end();
  });

  it('reads all of a scan as of one moment, also when it had to hold still in the middle of it', async () => {
    await world.both(`create table moved (id text primary key, v text); alter table moved alter v set storage plain;
      insert into moved select 'k' || g, repeat('x', 1000) from generate_series(1, 7 * 285) g; delete from moved where id in ('k1', 'k2', 'k3')`);
    await world.both('vacuum (index_cleanup on, analyze) moved');
    const form = await opened(world, 'public.moved', 1);
    let paces = 0;
    // Whoever is too busy gives its snapshot up; meanwhile a row that was not read yet goes to where all was read.
    const pace = async (): Promise<void> => {
      if (++paces !== 2) return;
      await world.audit.rest(signal());
      await world.on('a', "update moved set v = v where id = 'k1990'");
    };
    const {chunks} = await form.digest('a', firstOf(form), pace, signal());
    expect(chunks.reduce((sum, chunk) => sum + chunk.rows, 0)).toBe(7 * 285 - 3);
    expect(await world.on('a', "select ctid::text from moved where id = 'k1990'")).toEqual([{ctid: expect.stringMatching(/^.0,/)}]);
    const always = async (): Promise<void> => world.audit.rest(signal());
    await expect(form.digest('a', firstOf(form), always, signal())).rejects.toMatchObject({code: 'held-up', exit: 69});
  });

  it.each([
    ['another table has its name', 'alter table NAME rename to NAME_old; alter table NAME_new rename to NAME', 'b'],
    ['a column was made anew', "alter table NAME drop column v; alter table NAME add column v text not null default 'new'", 'a'],
    ['a label has another name', "alter type NAME_mood rename value 'sad' to 'blue'", 'a'],
  ])('knows that what was remembered of a table is worth nothing when %s', async (what, sql, on) => {
    const name = `built_${what.split(' ')[1]}`;
    const create = (table: string): string => `create table ${table} (id int primary key, v text not null, m ${name}_mood not null);
      insert into ${table} select g, 'old', 'sad' from generate_series(1, 5000) g; analyze ${table}`;
    await world.both(`create type ${name}_mood as enum ('sad', 'glad'); ${create(name)}; ${create(`${name}_new`)}`);
    await world.on('b', `update ${name}_new set v = 'new' where id = 7`);
    const form = await opened(world, `public.${name}`);
    const slice = firstOf(form);
    const {mark} = await form.digest(on, slice, noPause, signal());
    const look = async () => {
      await world.audit.rest(signal());
      return form.activity?.(on, slice, mark, signal());
    };
    expect(await look()).toMatchObject({mark: {epoch: mark.epoch}});
    await world.audit.rest(signal());
    await world.on(on, sql.replaceAll('NAME', name));
    expect(await look()).toBe('stale');
  });

  it('knows the same when a partition took the place of another one', async () => {
    const part = (table: string, value: string): string => `create table ${table} (id int primary key, v text);
      insert into ${table} select g, '${value}' from generate_series(1, 500) g`;
    await world.both(`${part('parted1', 'old')}; ${part('parted2', 'new')}; create table parted (id int primary key, v text) partition by range (id);
      alter table parted attach partition parted1 for values from (0) to (1000); analyze parted`);
    const form = await opened(world, 'public.parted');
    const slice = firstOf(form);
    const {mark} = await form.digest('b', slice, noPause, signal());
    await world.audit.rest(signal());
    await world.on(
      'b',
      'alter table parted detach partition parted1; alter table parted attach partition parted2 for values from (0) to (1000)',
    );
    expect(await form.activity?.('b', slice, mark, signal())).toBe('stale');
  });

  it('knows how many rows a table has that was looked at when it was empty', async () => {
    await world.both('create table filled (id text primary key)');
    await world.both('vacuum filled');
    await world.both('insert into filled select g from generate_series(1, 50000) g');
    const {slices, chunks} = await readTable(world, 'public.filled');
    expect(slices[0]?.rows).toBeGreaterThan(5000);
    expect(chunks).toBeGreaterThan(8);
  });

  it.each([
    ['never', 200_000],
    ['long ago', 60_000],
  ])('moves few rows of a table that was analyzed %s and has a key that lies far out', async (when, rows) => {
    const name = `far_${rows}`;
    const analyzed =
      when === 'never'
        ? ''
        : `insert into ${name} select g from generate_series(1, 100) g; insert into ${name} values (${2n ** 62n}); analyze ${name};`;
    await world.both(`create table ${name} (id int8 primary key, v text); ${analyzed}
      insert into ${name} select g, 'x' from generate_series(200, ${rows}) g; ${analyzed === '' ? `insert into ${name} values (${2n ** 62n})` : ''}`);
    await world.on('b', `update ${name} set v = 'y' where id = 5000; delete from ${name} where id = ${rows}`);
    const before = world.audit.received('a');
    const seen = await readTable(world, `public.${name}`);
    expect(seen.keys).toEqual(['5000', String(rows)].toSorted());
    // A row takes some 40 bytes, a sum 30.
    expect(world.audit.received('a') - before).toBeLessThan(500_000);
  });

  it('names a position that a standby can reach, also at the beginning of a page of the log', async () => {
    await world.on('a', 'create table logged (id int primary key)');
    await world.on('a', 'checkpoint');
    await world.on('a', 'select pg_switch_wal()');
    const target = await world.audit.position('a', signal());
    const [flushed] = await world.on('a', "select (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::text as at");
    expect(BigInt(target)).toBeLessThanOrEqual(BigInt(flushed?.at ?? '0'));
    await eventually(async () => {
      const [row] = await standby.sql<{at: string}>("select (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::text as at");
      return BigInt(row?.at ?? '0') >= BigInt(target);
    }, 5000);
  });

  it('knows commits that standbys show and their own server does not yet, as they wait for another standby', async () => {
    await server.sql("alter system set synchronous_standby_names = 'nobody'");
    await server.sql('select pg_reload_conf()');
    const writer = await server.connect({database: 'sound_a'});
    const writing = writer.query('create table waiting (id int primary key)').catch(() => undefined);
    try {
      const held = await eventually(async () => {
        const found = await world.audit.unshown?.('a', signal());
        return found?.length === 1 ? found : null;
      });
      expect(await world.audit.unshown?.('a', signal())).toEqual(held);
    } finally {
      await server.sql('alter system reset synchronous_standby_names');
      await server.sql('select pg_reload_conf()');
      await writing;
      await writer.end();
    }
    expect(await world.audit.unshown?.('a', signal())).toEqual([]);
  });

  it('does not wait for a frozen server', async () => {
    const both = [
      {name: 'a', port: server.port},
      {name: 'b', port: standby.port},
    ].map((place) => ({...place, database: 'sound_a'}));
    const other = openWorld(both);
    try {
      await eventually(async () => (await standby.sql("select from pg_database where datname = 'sound_a'")).length === 1);
      await other.audit.tables(other.names, signal());
      standby.freeze();
      const began = performance.now();
      await expect(other.audit.position('b', AbortSignal.timeout(100_000))).rejects.toMatchObject({code: 'timeout', exit: 69});
      expect(performance.now() - began).toBeLessThan(40_000);
    } finally {
      standby.thaw();
      await other.end();
    }
  }, 120_000);
});

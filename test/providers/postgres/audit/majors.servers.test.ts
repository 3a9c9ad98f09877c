import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {noPostgres15} from '../../../servers/debian.ts';
import {POSTGRES_15} from '../../../servers/debian-ctl.ts';
import {type Server, type Servers, startServers} from '../../../servers/embedded.ts';
import {signal} from '../open-store.ts';
import {type AuditWorld, openPair, readTable} from './audit-world.ts';
import {expectTypesToldApart} from './types-apart.ts';

const programs = {initdb: join(POSTGRES_15, 'initdb'), postgres: join(POSTGRES_15, 'postgres'), lacks: ['io_method']};

describe.skipIf(noPostgres15 !== null)(`PostgreSQL 15 against 18${noPostgres15 === null ? '' : ` (skipped: ${noPostgres15})`}`, () => {
  let old: Servers;
  let fresh: Servers;
  let world: AuditWorld;
  beforeAll(async () => {
    old = await startServers(['fifteen'], programs);
    fresh = await startServers(['eighteen']);
    world = await openPair(old.all[0] as Server, fresh.all[0] as Server, 'majors');
  });
  afterAll(async () => {
    await world?.end();
    await old?.end();
    await fresh?.end();
  });

  it('tells every two values apart, and calls no two equal ones different', async () => {
    const {says} = await expectTypesToldApart(world);
    expect(says).toContain('hashed as they are printed');
  });

  it('reads keys in any order, both ways', async () => {
    await world.both(`create table ordered (id int8 primary key, v text); create table scattered (id text primary key, v numeric);
      insert into ordered select g, md5(g::text) from generate_series(-5000, 5000) g; insert into scattered select md5(g::text), g / 7.0 from generate_series(1, 10000) g`);
    for (const table of ['public.ordered', 'public.scattered']) expect((await readTable(world, table)).keys).toEqual([]);
    await world.audit.rest(signal());
    await world.each(
      "delete from ordered where id = -5000; update scattered set v = v * -1 where id = md5('7')",
      "insert into ordered values (5001, ''); delete from scattered where id = md5('8')",
    );
    expect((await readTable(world, 'public.ordered')).keys).toEqual(['-5000', '5001']);
    const texts = await readTable(world, 'public.scattered');
    expect(texts.keys).toHaveLength(2);
    const versions = await texts.form.versions('b', texts.keys, [], signal());
    expect(versions.filter(({hash}) => hash === null)).toHaveLength(1);
  });

  it('refuses texts of another encoding', async () => {
    await (old.all[0] as Server).sql("create database latin encoding 'LATIN1' template template0");
    await (fresh.all[0] as Server).sql('create database latin');
    const {openWorld} = await import('./audit-world.ts');
    const other = openWorld([
      {name: 'a', port: (old.all[0] as Server).port, database: 'latin'},
      {name: 'b', port: (fresh.all[0] as Server).port, database: 'latin'},
    ]);
    try {
      await other.both('create table t (id int primary key, v text)');
      await expect(readTable(other, 'public.t')).rejects.toThrow('a keeps text as LATIN1 and b as UTF8');
    } finally {
      await other.end();
    }
  });
});

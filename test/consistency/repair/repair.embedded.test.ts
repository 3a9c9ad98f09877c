import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import type {Conducted} from '../../../src/lib/operate/conduct.ts';
import {startPeers} from '../../providers/postgres/peers-world.ts';
import {eventually, type Server, startServers} from '../../servers/embedded.ts';
import {auditAll, plan, run, takeUp, withFleet, writeFleet} from './repair-world.ts';

const NAMES = ['us', 'eu', 'ap'];
const CONSISTENCY = `      only: [public.items, public.orders, public.likes, public.notes, public.plain]
      tables:
        public.items: {policy: source, source: eu}
        public.plain: {policy: newest}
        public.orders: {hlc: hlc, region: region, tombstone: deleted, policy: newest}
        public.likes: {merge: {counts: pn-counter}}
        public.notes: {policy: handler, handler: decide}`;

/** A generated column, an identity, and a trigger that must not see a repair. */
const TABLES = `
create table items (id int primary key, name text, size numeric(6,2), twice numeric generated always as (size * 2) stored, n int generated always as identity, code char(6));
create table seen (id int);
create table plain (id int primary key, v text);
insert into plain values (1, 'a');
create function count_it() returns trigger language plpgsql as $$ begin insert into public.seen values (new.id); return new; end $$;
create trigger see after insert or update on items for each row execute function count_it();
create table notes (id int, lang text, body text, primary key (id, lang));
insert into items (id, name, size, code) overriding system value select g, 'item ' || g, g, 'c' || g from generate_series(1, 2000) g;
truncate seen`;

describe('repair of rows among peers', () => {
  let peers: Awaited<ReturnType<typeof startPeers>>;
  let dir: string;
  let file: string;
  let planFile: string;
  const server = (name: string): Server => peers.all.find((each) => each.name === name) ?? expect.fail(`no ${name}`);
  const all = (sql: string) => Promise.all(peers.all.map((each) => each.sql(sql)));
  /** Nothing of it travels, and no trigger sees it. */
  const apart = async (name: string, sql: string): Promise<void> => {
    const client = await server(name).connect({database: 'orders'});
    await client.query(`select pg_replication_origin_create('by_hand') where pg_replication_origin_oid('by_hand') is null`);
    await client.query(`select pg_replication_origin_session_setup('by_hand')`);
    await client.query(`set session_replication_role = replica; set regionctl.repair = 'on'`);
    await client.query(sql);
    await client.end();
  };
  const dump = async (name: string, table: string): Promise<string> =>
    (await server(name).sql<{dump: string | null}>(`select string_agg(t::text, chr(10) order by t::text) as dump from ${table} t`))[0]
      ?.dump ?? '';
  const dumps = (table: string) => Promise.all(NAMES.map((name) => dump(name, table)));
  const everything = () => Promise.all(['items', 'orders', 'likes', 'notes'].map(dumps));
  const isEqual = async (table: string): Promise<boolean> => new Set(await dumps(table)).size === 1;
  const carry = async (...args: readonly string[]): Promise<void> => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'doomed.ts'), file, planFile, ...args], {stdio: 'ignore'});
    const [, signal] = await once(child, 'exit');
    expect(signal).toBe('SIGKILL');
  };
  /** Changes of rows that a subscriber of each region would have been sent. */
  const changesFor = async (origin: 'none' | 'any'): Promise<readonly unknown[]> => {
    const options = `'proto_version', '1', 'publication_names', 'probe', 'origin', '${origin}'`;
    const sql = `select count(*)::int as n from pg_logical_slot_peek_binary_changes('probe', null, null, ${options}) where get_byte(data, 0) in (68, 73, 85)`;
    return (await all(sql)).map(([row]) => row?.n);
  };
  const origins = async (): Promise<unknown[]> =>
    (await all(`select roname from pg_replication_origin where roname = 'regionctl_repair'`)).flat();

  beforeAll(async () => {
    peers = await startPeers(NAMES);
    dir = mkdtempSync(join(tmpdir(), 'rc-repair-'));
    await all(TABLES);
    await all('alter publication regions add table items, notes');
    await all('create publication probe for table items, notes, orders, likes');
    for (const each of peers.all)
      for (const {subname} of await each.sql<{subname: string}>('select subname from pg_subscription'))
        await each.sql(`alter subscription ${subname} refresh publication with (copy_data = false)`);
    planFile = join(dir, 'repair.json');
    file = writeFleet(dir, peers.all, CONSISTENCY);
    writeFileSync(
      join(dir, 'decide.mjs'),
      `import {readFileSync} from 'node:fs';
const {key, versions} = JSON.parse(readFileSync(0, 'utf8'));
const body = versions.map(({row}) => row?.body ?? '').sort().at(-1);
const [id, lang] = JSON.parse(key);
console.log(JSON.stringify(body === 'zzz' ? {leave: 'it says so'} : {row: {id, lang, body}}));`,
    );
  });
  afterAll(async () => {
    await peers?.end();
    rmSync(dir, {recursive: true, force: true});
  });
  /** The next test begins with equal rows. */
  afterEach(async () => {
    for (const name of ['us', 'ap']) {
      await apart(name, `delete from items; delete from notes; delete from likes; delete from orders`);
    }
    await apart('eu', `delete from notes; delete from likes; delete from orders`);
    const rows = await server('eu').sql<{row: string}>('select items::text as row from items');
    for (const name of ['us', 'ap'])
      await apart(
        name,
        `insert into items (id, name, size, n, code) overriding system value select (r).id, (r).name, (r).size, (r).n, (r).code from (select v::items as r from unnest('${JSON.stringify(
          rows.map(({row}) => row),
        )
          .replaceAll("'", "''")
          .replace('[', '{')
          .replace(/\]$/, '}')}'::text[]) v offset 0) s`,
      );
    expect(await isEqual('items')).toBe(true);
  });

  it('gives every region the same rows again, layer by layer, and nothing of it is replicated or seen by a trigger', async () => {
    await server('us').sql(`select like_post('p')`);
    await server('us').sql(`insert into orders (ref, item, quantity, region) values ('r', 'book', 1, 'us')`);
    await eventually(async () => (await isEqual('likes')) && (await isEqual('orders')));
    await apart('us', `update items set name = 'other', code = 'x' where id <= 300; delete from items where id between 301 and 310`);
    await apart(
      'ap',
      `update items set size = 0 where id between 200 and 250; insert into items (id, name, size, code) values (5000, 'extra', 1, 'e')`,
    );
    await apart('eu', `update likes set counts = '{"us": [5, 0]}'::jsonb`);
    await apart('eu', `update orders set quantity = 7, hlc = hlc + 65536, region = 'eu'`);
    await apart('us', `insert into notes values (1, 'de', 'b'), (2, 'de', 'zzz')`);
    await apart('ap', `insert into notes values (1, 'de', 'a')`);
    const before = await everything();
    const found = await withFleet(file, (open) => auditAll(open));
    expect(found.document.verdict).toBe('diverged');
    expect(JSON.stringify(found.document)).not.toContain('"hashes"');
    const {document, exit} = await withFleet(file, (open) => plan(open, planFile));
    expect(document.gates.map(({id, verdict, says}) => (verdict === 'pass' ? '' : `${id} ${verdict} ${says}`)).join('')).toBe('');
    expect(exit).toBe(1);
    const rows = Object.fromEntries(document.repair.tables.map((each) => [each.table, each]));
    expect(rows['public.items']).toMatchObject({keys: 311, layers: {policy: 311}, writes: {us: 310, ap: 52}});
    expect(rows['public.likes']).toMatchObject({keys: 1, layers: {merge: 1}});
    expect(rows['public.orders']).toMatchObject({keys: 1});
    expect(rows['public.notes']).toMatchObject({keys: 1, layers: {handler: 1}, left: {person: 1}});
    expect(await everything()).toEqual(before);
    await all(`select pg_create_logical_replication_slot('probe', 'pgoutput')`);
    const writes = NAMES.map((name) => document.repair.tables.reduce((sum, table) => sum + (table.writes[name] ?? 0), 0));
    const conducted = await withFleet(file, (open) => run(open, planFile, readFileSync(planFile, 'utf8')));
    expect(conducted.document.reason).toBe('every step is done');
    expect(await isEqual('items')).toBe(true);
    expect(await isEqual('orders')).toBe(true);
    expect(await isEqual('likes')).toBe(true);
    expect(await dump('ap', 'notes')).toBe('(1,de,b)');
    expect(await dump('us', 'likes')).toContain('5');
    expect((await all('select count(*)::int as n from seen')).flat()).toEqual(NAMES.map(() => ({n: 0})));
    expect(await changesFor('none')).toEqual([0, 0, 0]);
    expect(await changesFor('any')).toEqual(writes);
    await all(`select pg_drop_replication_slot('probe')`);
    expect(await origins()).toEqual([]);
    const again = await withFleet(file, (open) => auditAll(open, ['public.items', 'public.orders', 'public.likes']));
    expect(again.document.verdict).toBe('equal');
    const undone = await withFleet(file, (open) => takeUp(open, 'back'));
    expect(undone.document.outcome).toBe('undone');
    expect(await everything()).toEqual(before);
    expect(await origins()).toEqual([]);
  });

  it.each([
    ['run', '1', 'before'],
    ['run', '2', 'after'],
    ['run', '3', 'before'],
  ] as const)('comes to the same when it is killed in the %s at write %s, %s it is sent', async (what, count, when) => {
    await apart('us', `update items set name = 'other' where id <= 450`);
    const before = await everything();
    await withFleet(file, (open) => auditAll(open));
    await withFleet(file, (open) => plan(open, planFile));
    await carry(what, count, when);
    const resumed = await withFleet(file, (open) => takeUp(open, 'forward'));
    expect(resumed.document.outcome).toBe('succeeded');
    expect(await isEqual('items')).toBe(true);
    await carry('undo', count, when);
    const undone = await withFleet(file, (open) => takeUp(open, 'back'));
    expect(undone.document.outcome).toBe('undone');
    expect(await everything()).toEqual(before);
    expect(await origins()).toEqual([]);
  });

  it('leaves alone what was written since the audit, or since the plan', async () => {
    await apart('us', `update items set name = 'other' where id <= 5`);
    await withFleet(file, (open) => auditAll(open));
    await apart('us', `update items set name = 'newer' where id = 1`);
    const {document, exit} = await withFleet(file, (open) => plan(open, planFile));
    expect(exit).toBe(1);
    expect(document.repair.tables[0]).toMatchObject({keys: 4, left: {newer: 1}, firstLeft: [{key: '1', left: 'newer'}]});
    await apart('us', `update items set name = 'newest' where id = 2`);
    const conducted = await withFleet(file, (open) => run(open, planFile, readFileSync(planFile, 'utf8')));
    expect(conducted.document.outcome).toBe('failed');
    expect(conducted.document.reason).toContain('audit-diverged'.slice(6));
    expect(conducted.document.steps.find(({id}) => id === 'write-1')?.detail).toContain('3 of 4 rows written; 1 left alone');
    expect(conducted.document.steps.find(({id}) => id === 'read-again')?.detail).toContain('1 differ and were written by others');
    expect((await server('us').sql(`select name from items where id <= 3 order by id`)).map(({name}) => name)).toEqual([
      'newer',
      'newest',
      'item 3',
    ]);
    await withFleet(file, (open) => takeUp(open, 'back'));
    expect((await server('us').sql(`select name from items where id <= 3 order by id`)).map(({name}) => name)).toEqual([
      'newer',
      'newest',
      'other',
    ]);
    const named = await withFleet(file, (open) => plan(open, planFile, {keys: ['1'], takes: [{key: '1', region: 'us'}]}));
    expect(named.document.repair.tables[0]).toMatchObject({keys: 1, layers: {hand: 1}, writes: {eu: 1, ap: 1}, left: {'not-named': 1}});
  });

  it('refuses rows that are not those of the plan, and a second repair at once', async () => {
    await apart('us', `update items set name = 'other' where id <= 5`);
    await withFleet(file, (open) => auditAll(open));
    await withFleet(file, (open) => plan(open, planFile));
    const rows = `${planFile}.rows.ndjson`;
    const good = readFileSync(rows);
    const tryRun = () => withFleet(file, (open) => run(open, planFile, readFileSync(planFile, 'utf8')));
    appendFileSync(rows, ' ');
    await expect(tryRun()).rejects.toMatchObject({code: 'rows-changed', exit: 77});
    rmSync(rows);
    await expect(tryRun()).rejects.toMatchObject({code: 'rows-missing', exit: 77});
    writeFileSync(rows, good);
    const other = await server('us').connect({database: 'orders', application_name: 'regionctl repair'});
    await expect(tryRun()).rejects.toMatchObject({exit: 75, message: expect.stringContaining('another repair writes to us')});
    await other.end();
    expect(await dump('us', 'items')).toContain('other');
  });

  it('takes back what it wrote when it is interrupted, and counts keys once', async () => {
    await apart('us', `update items set name = 'other' where id <= 450`);
    await apart('ap', `update items set name = 'another' where id <= 450`);
    const before = await everything();
    await withFleet(file, (open) => auditAll(open));
    await withFleet(file, (open) => plan(open, planFile));
    const stop = new AbortController();
    const onEvent = ({type, step}: {type: string; step: string | null}): void => {
      if (type === 'result' && step === 'write-2') stop.abort(new Error('interrupted'));
    };
    const text = readFileSync(planFile, 'utf8');
    const conducted = await withFleet(file, (open) => run(open, planFile, text, {onEvent, interrupt: stop.signal}));
    expect(conducted.document.outcome).toBe('undone');
    expect(await everything()).toEqual(before);
    await withFleet(file, (open) => plan(open, planFile));
    const whole = await withFleet(file, (open) => run(open, planFile, readFileSync(planFile, 'utf8')));
    expect(whole.document.steps.find(({id}) => id === 'read-again')?.detail).toBe('450 keys are the same in us, eu, ap');
  });

  it('says what it could not read, and plans nothing of it', async () => {
    await apart('us', `update items set name = 'other' where id <= 5`);
    await withFleet(file, (open) => auditAll(open, ['public.items']));
    await server('ap').stop();
    const {document, exit} = await withFleet(file, (open) => plan(open, planFile)).finally(() => server('ap').start());
    expect(exit).toBe(3);
    expect(document.repair).toMatchObject({
      rows: null,
      tables: [],
      unread: [{table: 'public.items', reason: expect.stringContaining('ap')}],
    });
    expect(document.plan.steps).toEqual([]);
    await eventually(
      async () => (await server('ap').sql(`select count(*)::int as n from pg_stat_replication where state = 'streaming'`))[0]?.n === 2,
      20_000,
    );
  });

  it('repairs what a truncated audit has listed, says that there is more, and does not call it equal', async () => {
    await apart('us', `update items set name = 'other' where id <= 40`);
    const {document: cut} = await withFleet(file, (open) => auditAll(open, ['public.items'], 10));
    expect(cut.verdict).toBe('truncated');
    const {document} = await withFleet(file, (open) => plan(open, planFile));
    expect(document.repair).toMatchObject({truncated: ['public.items'], tables: [{keys: 10}]});
    const conducted = await withFleet(file, (open) => run(open, planFile, readFileSync(planFile, 'utf8')));
    expect([conducted.document.outcome, conducted.result.code]).toEqual(['failed', 'audit-diverged']);
    expect(conducted.document.steps.find(({id}) => id === 'audit')?.detail).toContain('30 keys that were not left differ');
  });

  it('gives a region nothing that those it comes from have no more, though its own row looks untouched', async () => {
    await apart('us', `update items set name = 'other' where id <= 3`);
    await withFleet(file, (open) => auditAll(open));
    await withFleet(file, (open) => plan(open, planFile));
    for (const name of ['eu', 'ap']) await apart(name, `update items set name = 'other' where id = 1`);
    const conducted = await withFleet(file, (open) => run(open, planFile, readFileSync(planFile, 'utf8')));
    expect(conducted.document.steps.find(({id}) => id === 'write-1')?.detail).toContain(
      '2 of 3 rows written; 1 left alone, since the version that they were to get was written since: 1',
    );
    expect(conducted.document.outcome).toBe('succeeded');
    expect(await all('select name from items where id = 1')).toEqual([[{name: 'other'}], [{name: 'other'}], [{name: 'other'}]]);
    expect(await isEqual('items')).toBe(true);
    await withFleet(file, (open) => takeUp(open, 'back'));
    expect(await server('us').sql(`select id from items where name = 'other' order by id`)).toEqual([{id: 1}, {id: 2}, {id: 3}]);
    await apart('eu', `update items set name = 'item 1' where id = 1`);
  });

  it('never makes a row look newer than it is: what was written meanwhile is the newest at the next repair, also after an undo', async () => {
    await apart('us', `update plain set v = 'b'`);
    await apart('eu', `update plain set v = 'c'`);
    const planned = async () => {
      await withFleet(file, (open) => auditAll(open, ['public.plain']));
      const {document} = await withFleet(file, (open) => plan(open, planFile));
      return document.repair.tables[0]?.writes;
    };
    expect(await planned()).toEqual({us: 1, ap: 1});
    await apart('ap', `update plain set v = 'd'`);
    await withFleet(file, (open) => run(open, planFile, readFileSync(planFile, 'utf8')));
    expect((await all('select v from plain')).flat().map(({v}) => v)).toEqual(['c', 'c', 'd']);
    expect(await planned()).toEqual({us: 1, eu: 1});
    await withFleet(file, (open) => takeUp(open, 'back'));
    expect((await all('select v from plain')).flat().map(({v}) => v)).toEqual(['b', 'c', 'd']);
    expect(await planned()).toEqual({us: 1, eu: 1});
    await withFleet(file, (open) => run(open, planFile, readFileSync(planFile, 'utf8')));
    expect((await all('select v from plain')).flat().map(({v}) => v)).toEqual(['d', 'd', 'd']);
    // What was taken back lost, and loses again.
    await withFleet(file, (open) => takeUp(open, 'back'));
    expect((await all('select v from plain')).flat().map(({v}) => v)).toEqual(['b', 'c', 'd']);
    expect(await planned()).toEqual({us: 1, eu: 1});
    for (const name of NAMES) await apart(name, `update plain set v = 'a'`);
  });

  it('refuses a plan that was edited to write elsewhere, or to be undone by something else', async () => {
    await apart('us', `update items set name = 'other' where id <= 5`);
    await withFleet(file, (open) => auditAll(open));
    const {document} = await withFleet(file, (open) => plan(open, planFile));
    const good = readFileSync(planFile, 'utf8');
    const before = await everything();
    const edited = (edit: (made: typeof document) => void): Promise<Conducted> => {
      const made = JSON.parse(good) as typeof document;
      edit(made);
      return withFleet(file, (open) => run(open, planFile, JSON.stringify(made)));
    };
    const first = ({plan: {steps}}: typeof document) => steps[0] as unknown as {undo: {args: {offset: number}}; ensures: unknown[]};
    for (const edit of [
      (made: typeof document) => (first(made).undo.args.offset = 1),
      (made: typeof document) => (first(made).ensures.length = 0),
      (made: typeof document) => ((made.plan as unknown as {steps: unknown[]}).steps.length = 1),
      (made: typeof document) => ((made.plan as unknown as {always: unknown[]}).always.length = 0),
    ])
      await expect(edited(edit)).rejects.toMatchObject({code: 'plan-unsafe', exit: 77});
    await expect(withFleet(file, (open) => run(open, planFile, good.replaceAll('"member":"us"', '"member":"ap"')))).resolves.toMatchObject({
      document: {outcome: 'failed', reason: expect.stringContaining('rows of public.items on us were to be written to public.items on ap')},
    });
    expect(await everything()).toEqual(before);
  });

  it('refuses where a repaired row would travel on', async () => {
    await apart('us', `update items set name = 'other' where id <= 5`);
    await withFleet(file, (open) => auditAll(open));
    await server('eu').sql('alter subscription us_to_eu set (origin = any)');
    const {document, exit} = await withFleet(file, (open) => plan(open, planFile));
    await server('eu').sql('alter subscription us_to_eu set (origin = none)');
    expect(exit).toBe(77);
    expect(document.gates.find(({id}) => id === 'not-relayed')).toMatchObject({
      verdict: 'refuse',
      overridable: true,
      says: expect.stringContaining('us_to_eu'),
    });
  });
});

describe('repair of a primary and its standbys', () => {
  it('has nothing that rows could mend', async () => {
    const servers = await startServers(['us', 'eu', 'ap']);
    const dir = mkdtempSync(join(tmpdir(), 'rc-repair-'));
    try {
      await servers.all[0]?.sql('create table items (id int primary key)');
      const file = writeFleet(dir, servers.all, '      only: [public.items]', false);
      await withFleet(file, async (open) => {
        expect((await auditAll(open)).document.verdict).toBe('equal');
        await expect(plan(open, join(dir, 'plan.json'))).rejects.toMatchObject({
          ...{code: 'nothing-by-rows', exit: 77},
          message: expect.stringContaining('2 physical standbys'),
        });
      });
    } finally {
      await servers.end();
      rmSync(dir, {recursive: true, force: true});
    }
  });
});

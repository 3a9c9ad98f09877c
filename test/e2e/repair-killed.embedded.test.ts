import {spawn} from 'node:child_process';
import {appendFileSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {RepairPlanDocument} from '../../src/lib/operate/repair-plan.ts';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {personalEnv} from '../cli/program.ts';
import {writeFleet} from '../consistency/repair/repair-world.ts';
import {eventually, type Server, type Servers, startServers} from '../servers/embedded.ts';
import {BIN} from './lab-session.ts';

// The built program is killed (-9) while it repairs, and again and again while it goes on with that or takes it back: all along its journal, while it waits
// for a row, and while the server commits. Every line of a journal: test/run/resume.test.ts. Two servers that do not replicate: what differs is what was written.
const CONSISTENCY = `      only: [public.items, public.odd, public.notes]
      tables:
        public.items: {policy: source, source: eu}
        public.odd: {policy: source, source: us}
        public.notes: {policy: handler, handler: longest}`;

/** Values that a careless way back would change, and a trigger with which the test holds up a commit. */
const TABLES = `
create domain short as text check (length(value) < 9);
create table items (id int primary key, name text);
create table notes (id int primary key, body text);
create table odd (id int generated always as identity primary key, raw bytea, f float8, j jsonb, a text[], d short, n numeric, t timestamptz,
  long text, twice numeric generated always as (n * 2) stored);
create function hold() returns trigger language plpgsql as $$ begin perform pg_catalog.pg_advisory_xact_lock_shared(7); return null; end $$;
create constraint trigger hold after update on items deferrable initially deferred for each row execute function hold();
alter table items enable replica trigger hold;
insert into items select g, 'item ' || g from generate_series(1, 1000) g;
insert into odd (raw, f, j, a, d, n, t, long) values ('\\x00ff', '-0', '{"b": 1.10, "a": null}', '{NULL,"a,b",""}', 'ä', '-0.00', '0044-03-15 BC', repeat('x', 20000))`;
const DIFFERENT = {
  us: `update items set name = 'other' where id <= 250; insert into notes values (1, 'short');
    update odd set f = 'NaN', raw = '', j = '[1e400, "\\u2028"]', n = 'Infinity', d = e'\\u2029\\n', long = repeat('y', 20000)`,
  eu: `insert into notes values (1, 'rather long')`,
};

/** A process that was killed at a journal line; null = it came to its end, with the document that it printed last. */
type Went = {readonly at: string | null; readonly code: number | null; readonly document: RunDocument | null; readonly stderr: string};

describe('a repair by the built program that is killed', () => {
  const dir = mkdtempSync(join(tmpdir(), 'rc-killed-'));
  const planFile = join(dir, 'repair.json');
  const groups: Servers[] = [];
  let file: string;
  const server = (name: string): Server => groups.flatMap(({all}) => all).find((each) => each.name === name) ?? expect.fail(`no ${name}`);
  const env = () =>
    personalEnv({REGIONCTL_FLEET: file, XDG_DATA_HOME: join(dir, 'data'), XDG_CACHE_HOME: join(dir, 'cache'), NO_COLOR: '1'});
  const dump = async (name: string): Promise<unknown> =>
    server(name).sql(
      ['items', 'odd', 'notes']
        .map(
          (table) =>
            `select '${table}' as name, coalesce(string_agg(md5(t::text) || left(t::text, 90), chr(10) order by id), '') as rows from ${table} t`,
        )
        .join(' union all '),
    );
  const dumps = () => Promise.all(['us', 'eu'].map(dump));

  /** Runs it until `kill` says so of an event, or to its end. */
  const go = async (args: readonly string[], kill: (point: string) => boolean, began?: (end: () => void) => void): Promise<Went> => {
    const child = spawn(BIN, args, {cwd: dir, env: env(), stdio: ['ignore', 'pipe', 'pipe']});
    const said = {stderr: '', last: '', at: null as string | null};
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
    began?.(() => {
      said.at = 'outside';
      child.kill('SIGKILL');
    });
    createInterface({input: child.stdout}).on('line', (line) => {
      said.last = line;
      const {type = '', step = null} = JSON.parse(line) as {type?: string; step?: string | null};
      const point = `${type} ${step ?? ''}`.trim();
      if (said.at !== null || !kill(point)) return;
      said.at = point;
      child.kill('SIGKILL');
    });
    const code = await new Promise<number | null>((done) => child.on('close', done));
    // Who has ended by itself before the signal came was not killed: nothing is left to go on with.
    if (code !== null) said.at = null;
    const document = said.at === null && said.last.startsWith('{') ? (JSON.parse(said.last) as RunDocument) : null;
    return {at: said.at, code, document, stderr: said.stderr};
  };
  const json = async <T>(code: number, ...args: readonly string[]): Promise<T> => {
    const child = spawn(BIN, [...args, '--json'], {cwd: dir, env: env(), stdio: ['ignore', 'pipe', 'pipe']});
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = await new Promise<number | null>((done) => child.on('close', done));
    expect(ended, `${args.join(' ')}\n${stdout}\n${stderr}`).toBe(code);
    return JSON.parse(stdout) as T;
  };

  const RUN = ['consistency', 'repair', 'run', '--plan', planFile, '--yes', '--format', 'ndjson'];
  const RESUME = ['runs', 'resume', 'last', '--format', 'ndjson'];
  const UNDO = ['runs', 'undo', 'last', '--reason', 'a test', '--format', 'ndjson'];
  const LINES = /^(intent|result|undo-intent|undo-result|always-started)\b/;

  /** Kills one process after the other, each at the second line of its journal that none had come to before, until one comes to its end. */
  const killAll = async (first: readonly string[], then: readonly string[]): Promise<{points: readonly string[]; end: Went}> => {
    const seen = new Set<string>();
    const points: string[] = [];
    for (let args = first; ; args = then) {
      let fresh = 0;
      const went = await go(args, (point) => {
        if (!LINES.test(point) || seen.has(point)) return false;
        seen.add(point);
        fresh += 1;
        return fresh === 2;
      });
      // The one before was killed after the last line of its journal: it had come to its end.
      if (went.code === 77 && points.length > 0 && /has succeeded already|was undone/.test(went.stderr)) {
        const document = await json<RunDocument>(0, 'runs', 'show', 'last');
        return {points, end: {...went, code: ['ok', 'undone'].includes(document.code ?? '') ? 0 : 1, document}};
      }
      if (went.at === null) return {points, end: went};
      points.push(went.at);
    }
  };
  /** Kills a process as soon as its session on a server waits for a lock of that kind, which `client` holds. */
  const killWaiting = async (name: string, event: 'advisory' | 'transactionid', args: readonly string[]): Promise<Went> =>
    go(
      args,
      () => false,
      (end) => {
        const waits = `select 1 from pg_stat_activity where application_name = 'regionctl repair' and wait_event = '${event}'`;
        void eventually(async () => (await server(name).sql(waits)).length > 0, 20_000).finally(end);
      },
    );
  const held = async (name: string, sql: string): Promise<{release(): Promise<void>}> => {
    const client = await server(name).connect({database: 'orders'});
    await client.query('begin');
    await client.query(sql);
    let isHeld = true;
    return {
      release: async () => {
        if (!isHeld) return;
        isHeld = false;
        await client.query('rollback');
        await client.query('select pg_advisory_unlock_all()');
        await client.end();
      },
    };
  };
  const origins = () =>
    Promise.all(['us', 'eu'].map((name) => server(name).sql(`select from pg_replication_origin where roname = 'regionctl_repair'`)));

  let before: readonly unknown[] = [];
  let wanted: readonly unknown[] = [];
  let auditId: string;

  beforeAll(async () => {
    for (const name of ['us', 'eu']) {
      groups.push(await startServers([name]));
      await server(name).sql(TABLES);
      await server(name).sql(DIFFERENT[name as 'us' | 'eu']);
    }
    file = writeFleet(
      dir,
      groups.flatMap(({all}) => all),
      CONSISTENCY,
    );
    appendFileSync(file, 'handlers:\n  longest: {kind: longest, column: body}\n');
    const linked = await go(
      ['plugins', 'link', join(import.meta.dirname, '../cli/fixtures/plugin-hello'), '--no-install'],
      () => false,
    ).catch(() => null);
    expect(linked?.code, linked?.stderr).toBe(0);
    before = await dumps();
    auditId = (await json<{audit: string}>(1, 'consistency', 'audit')).audit;
    const {repair} = await json<RepairPlanDocument>(0, 'consistency', 'repair', 'plan', '-o', planFile);
    expect(repair.tables.map(({table, keys, writes}) => [table, keys, writes])).toEqual([
      ['public.items', 250, {us: 250}],
      ['public.notes', 1, {us: 1}],
      ['public.odd', 1, {eu: 1}],
    ]);
    expect(repair.tables[1]?.first[0]).toMatchObject({layer: 'handler', why: 'The handler longest took the version of eu.'});
  }, 60_000);
  afterAll(async () => {
    for (const group of groups) await group.end();
    rmSync(dir, {recursive: true, force: true});
  });

  it('all along its journal is resumed to the same result, and so is its undo', async () => {
    const run = await killAll(RUN, RESUME);
    expect(run.end, JSON.stringify(run.end)).toMatchObject({code: 0, document: {outcome: 'succeeded'}});
    expect(run.points.length, run.points.join('; ')).toBeGreaterThan(5);
    expect(run.points.filter((point) => point.includes('write-')).length, run.points.join('; ')).toBeGreaterThan(1);
    wanted = await dumps();
    expect(wanted[0]).toEqual(wanted[1]);
    const undo = await killAll(UNDO, UNDO);
    expect(undo.end, JSON.stringify(undo.end)).toMatchObject({code: 0, document: {outcome: 'undone'}});
    expect(undo.points.length, undo.points.join('; ')).toBeGreaterThan(3);
    expect(await dumps()).toEqual(before);
    expect(await origins()).toEqual([[], []]);
  }, 120_000);

  it('while it waits for a row, and while the server commits, comes to the same', async () => {
    await json(0, 'consistency', 'repair', 'plan', '--audit', auditId, '-o', planFile);
    const row = await held('us', 'select from items where id = 240 for update');
    expect(await killWaiting('us', 'transactionid', RUN)).toMatchObject({at: 'outside', code: null});
    await row.release();
    const commit = await held('us', 'select pg_advisory_lock(7)');
    expect(await killWaiting('us', 'advisory', RESUME)).toMatchObject({at: 'outside', code: null});
    // The server goes on with a commit whose sender is dead while the next process looks at the rows.
    const resumed = await go(RESUME, (point) => {
      if (point.startsWith('step-started')) setTimeout(() => void commit.release(), 500);
      return false;
    });
    expect(resumed, JSON.stringify(resumed)).toMatchObject({code: 0, document: {outcome: 'succeeded'}});
    expect(await dumps()).toEqual(wanted);
    const back = await held('us', 'select pg_advisory_lock(7)');
    expect(await killWaiting('us', 'advisory', UNDO)).toMatchObject({at: 'outside', code: null});
    const undone = await go(UNDO, (point) => {
      if (point.startsWith('resumed')) setTimeout(() => void back.release(), 500);
      return false;
    });
    expect(undone, JSON.stringify(undone)).toMatchObject({code: 0, document: {outcome: 'undone'}});
    expect(await dumps()).toEqual(before);
    expect(await origins()).toEqual([[], []]);
    expect(readFileSync(planFile, 'utf8')).not.toContain('only-for-tests');
  }, 120_000);
});

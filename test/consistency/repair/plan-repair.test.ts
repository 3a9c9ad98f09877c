import {appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import type {RowLine} from '../../../src/lib/consistency/repair/model.ts';
import {createTally, remarksOf} from '../../../src/lib/consistency/repair/overview.ts';
import {planRepair, type RepairParts} from '../../../src/lib/consistency/repair/plan-repair.ts';
import {createRowsWriter, digestOf, linesOf, readSlice} from '../../../src/lib/consistency/repair/rows-file.ts';
import {keysOf, takeOf} from '../../../src/lib/operate/repair-keys.ts';
import {readPlan} from '../../../src/lib/plan/read-plan.ts';
import type {Snapshot} from '../../../src/lib/snapshot/snapshot.ts';

const slice = {offset: 0, bytes: 10, lines: 2, sha256: 'a'};
const snapshot: Snapshot = {
  version: 1,
  takenAt: '2026-11-28T13:00:00.000Z',
  fleetDigest: 'd',
  vantage: 'here',
  regions: {},
  stores: {},
  routers: {},
};
const parts = (batches: RepairParts['batches'], before: readonly 'converge'[] = []): RepairParts => ({
  ...{id: 'repair-20261128-130000-0000', fleet: {approval: before.length === 0 ? null : {before, approvers: 1, expiresMs: 1000}}, snapshot},
  ...{
    store: 'orders',
    members: ['us', 'eu', 'ap'].map((member) => ({member, region: member})),
    batches,
    file: {name: 'plan.json.rows.ndjson', sha256: 'f'},
  },
  ...{audit: {id: 'a', startedAt: '2026-11-28T12:00:00.000Z'}, maxAgeMs: 1000, settleMs: 1000, overrides: [], remarks: []},
});
const batch = (region: string, table = 'public.items') => ({table, region, member: region, slice});

describe('the plan of a repair', () => {
  it('writes in order, reads again, audits, and always drops the origins that it needed', () => {
    const plan = planRepair(parts([batch('us'), batch('eu'), batch('us', 'public.other')]));
    expect(plan.steps.map(({id, phase, after}) => [id, phase, ...after])).toEqual([
      ['write-1', 'converge'],
      ['write-2', 'converge', 'write-1'],
      ['write-3', 'converge', 'write-2'],
      ['read-again', 'verify', 'write-3'],
      ['audit', 'verify', 'read-again'],
    ]);
    expect(plan.always.map(({id}) => id)).toEqual(['drop-origin-us', 'drop-origin-eu']);
    expect(plan.steps.slice(0, 3).every(({undo, pivot}) => undo?.action === 'consistency.restore-rows' && !pivot)).toBe(true);
    expect(plan.gates.map(({id, overridable}) => `${id}${overridable ? ' *' : ''}`)).toEqual([
      ...['writable:us', 'alone:us', 'writable:eu', 'alone:eu', 'not-relayed *', 'caught-up', 'audit-age *'],
    ]);
    expect(readPlan(JSON.stringify(plan), 'plan.json')).toEqual(plan);
  });

  it('has no step where there is nothing to write', () => {
    const {steps, always, gates} = planRepair(parts([]));
    expect([steps, always, gates]).toEqual([[], [], []]);
  });

  it('asks people before its first write where the fleet file says so', () => {
    const {steps} = planRepair(parts([batch('us'), batch('eu')], ['converge']));
    expect(steps.map(({approval}) => approval?.approvers ?? 0)).toEqual([1, 0, 0, 0]);
  });
});

describe('the rows file', () => {
  const dir = mkdtempSync(join(tmpdir(), 'rc-rows-'));
  afterAll(() => rmSync(dir, {recursive: true, force: true}));
  const line = (key: string): RowLine => ({
    ...{table: 'public.items', key, region: 'us', member: 'us', change: 'update', layer: 'policy', why: 'because.'},
    ...{from: {id: key, name: 'ä"\\\n'}, to: {id: key, name: null}},
  });

  it('is read back slice by slice, and is there only when it is whole', async () => {
    const file = join(dir, 'whole.ndjson');
    const writer = createRowsWriter(file);
    const first = writer.batch(0, [line('1'), line('2')]);
    writer.left({table: 'public.items', key: '3', left: 'person', why: 'nobody knows'});
    const second = writer.batch(1, [line('4')]);
    expect(existsSync(file)).toBe(false);
    const {sha256, bytes} = writer.end();
    expect([statSync(file).size, statSync(file).mode & 0o777]).toEqual([bytes, 0o600]);
    expect(await digestOf(file)).toBe(sha256);
    expect(readSlice(file, first).map(({key, from}) => [key, from?.name])).toEqual([
      ['1', 'ä"\\\n'],
      ['2', 'ä"\\\n'],
    ]);
    expect(readSlice(file, second).map(({key}) => key)).toEqual(['4']);
    const all = [];
    for await (const each of linesOf(file)) all.push('left' in each ? each.left : each.page);
    expect(all).toEqual([0, 0, 'person', 1]);
  });

  it('is refused when a byte of it is another, or it is gone', () => {
    const file = join(dir, 'changed.ndjson');
    const writer = createRowsWriter(file);
    const first = writer.batch(0, [line('1')]);
    const second = writer.batch(0, [line('2')]);
    writer.end();
    const good = readFileSync(file, 'utf8');
    writeFileSync(file, good.replace('"key":"2"', '"key":"9"'));
    expect(readSlice(file, first)).toHaveLength(1);
    expect(() => readSlice(file, second)).toThrow(/not the file that the plan was made with/);
    writeFileSync(file, good.slice(0, -5));
    expect(() => readSlice(file, second)).toThrow(/not the file that the plan was made with/);
    rmSync(file);
    expect(() => readSlice(file, first)).toThrow(/cannot be read/);
  });

  it('is read line by line whatever its values hold, also where a line is longer than what is read at once', async () => {
    const file = join(dir, 'separators.ndjson');
    const writer = createRowsWriter(file);
    const texts = ['\u2028', 'a\u2029b', '\r', '\u0085', 'ä'.repeat(200_000), ''];
    const slice = writer.batch(
      0,
      texts.map((text, index) => ({...line(String(index)), to: {id: String(index), name: text}})),
    );
    writer.end();
    const all = [];
    for await (const each of linesOf(file)) all.push('left' in each ? null : each.to?.name);
    expect(all).toEqual(texts);
    expect(readSlice(file, slice).map(({to}) => to?.name)).toEqual(texts);
  });

  it('takes out again what no step will write', async () => {
    const file = join(dir, 'marked.ndjson');
    const writer = createRowsWriter(file);
    const first = writer.batch(0, [line('1')]);
    const takeBack = writer.mark();
    writer.batch(0, [line('2')]);
    writer.left({table: 'public.items', key: '3', left: 'person', why: 'nobody knows'});
    takeBack();
    const last = writer.batch(0, [line('4')]);
    const {sha256, bytes} = writer.end();
    expect([await digestOf(file), statSync(file).size]).toEqual([sha256, bytes]);
    expect([first, last].map((slice) => readSlice(file, slice)[0]?.key)).toEqual(['1', '4']);
    const all = [];
    for await (const each of linesOf(file)) all.push(each.key);
    expect(all).toEqual(['1', '4']);
  });

  it.skipIf(!existsSync('/dev/full'))('ends with 73 when the disk is full, and leaves what was there before', () => {
    const file = join(dir, 'full.ndjson');
    writeFileSync(file, 'an earlier one');
    symlinkSync('/dev/full', `${file}.part`);
    const writer = createRowsWriter(file);
    expect(() => writer.batch(0, [line('1')])).toThrow(expect.objectContaining({code: 'rows-unwritable', exit: 73}));
    writer.discard();
    expect([readFileSync(file, 'utf8'), existsSync(`${file}.part`)]).toEqual(['an earlier one', false]);
  });

  it('leaves nothing behind when the plan is not made', () => {
    const file = join(dir, 'none.ndjson');
    const writer = createRowsWriter(file);
    appendFileSync(`${file}.part`, '');
    writer.discard();
    writer.discard();
    expect([existsSync(file), existsSync(`${file}.part`)]).toEqual([false, false]);
  });
});

describe('which keys are repaired', () => {
  const result = (keys: readonly string[]) => ({divergent: keys.map((key) => ({key, hashes: {us: '1', eu: '2'}}))});
  const logged = {
    head: {
      id: 'a',
      members: [
        {member: 'us', region: 'us'},
        {member: 'eu', region: 'eu'},
      ],
    },
    tables: new Map([
      ['public.items', {result: result(['1', '2', 'a=b'])}],
      ['public.notes', {result: result(['1', '7'])}],
      ['public.same', {result: result([])}],
    ]),
  } as unknown as Parameters<typeof keysOf>[1];
  const spec = {name: 'orders'} as Parameters<typeof keysOf>[0];
  const chosen = (choice: Partial<Parameters<typeof keysOf>[2]>) =>
    keysOf(spec, logged, {tables: [], keys: [], takes: [], ...choice}).map(({table, keys}) => [
      table,
      ...keys.map(({key, chosen: is, named, take}) => `${key}${is ? '' : ' no'}${named ? ' named' : ''}${take === null ? '' : ` ${take}`}`),
    ]);

  it('are those of the audit, or those that are asked for', () => {
    expect(chosen({})).toEqual([
      ['public.items', '1', '2', 'a=b'],
      ['public.notes', '1', '7'],
    ]);
    expect(chosen({keys: ['7'], takes: [takeOf('7=eu')]})).toEqual([['public.notes', '1 no', '7 named eu']]);
    expect(chosen({tables: ['public.items'], keys: ['1']})).toEqual([['public.items', '1 named', '2 no', 'a=b no']]);
    expect(takeOf('a=b=eu')).toEqual({key: 'a=b', region: 'eu'});
  });

  it.each([
    [{keys: ['99']}, /lists no key "99"/],
    [{keys: ['1']}, /is in public\.items and public\.notes/],
    [{tables: ['public.none']}, /no result of a table "public\.none"/],
    [{takes: [{key: '2', region: 'ap'}]}, /region ap, which the audit did not read/],
  ])('are refused: %j', (choice, says) => {
    expect(() => chosen(choice)).toThrow(says);
  });

  it.each(['42', '=eu', '42='])('no key and region: %s', (text) => {
    expect(() => takeOf(text)).toThrow(/KEY=REGION/);
  });

  it('are counted by what decided, and by why they are left', () => {
    const tally = createTally('public.items');
    tally.add({key: '1', kind: 'same'});
    tally.add({key: '2', kind: 'left', left: 'person', why: 'nobody knows'});
    const write: RowLine = {
      table: 'public.items',
      key: '3',
      region: 'us',
      member: 'us',
      change: 'update',
      from: {id: '3', n: 'a'},
      to: {id: '3', n: 'b'},
      layer: 'merge',
      why: '',
    };
    tally.add({key: '3', kind: 'writes', layer: 'merge', why: '', lines: [write, {...write, region: 'eu', change: 'delete', to: null}]});
    const table = tally.table();
    expect(table).toMatchObject({keys: 1, same: 1, writes: {us: 1, eu: 1}, layers: {merge: 1, policy: 0}, left: {person: 1}});
    expect(table.first[0]?.writes).toEqual([
      {region: 'us', change: 'update', columns: ['n']},
      {region: 'eu', change: 'delete', columns: []},
    ]);
    expect(remarksOf([table])).toEqual(['public.items: 1 key repaired: 1 by merge of its types; 1 left to a person']);
  });
});

import {appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, describe, expect, it} from 'vitest';
import type {SliceRecord} from '../../src/lib/consistency/audit/audit-table.ts';
import type {TableResult} from '../../src/lib/consistency/audit/model.ts';
import {type AuditHead, auditIds, beginAuditLog, continueAuditLog, readAuditLog} from '../../src/lib/state/audit-log.ts';

const dir = mkdtempSync(join(tmpdir(), 'regionctl-audit-log-'));
afterEach(() => rmSync(join(dir, 'audits'), {recursive: true, force: true}));
afterAll(() => rmSync(dir, {recursive: true, force: true}));

const OF = {fleet: 'lab', store: 'orders'};
const head = (id: string): AuditHead => ({
  ...{
    v: 1,
    id,
    ...OF,
    members: [
      {member: 'a', region: 'eu'},
      {member: 'b', region: 'us'},
    ],
    quick: false,
  },
  ...{full: '2026-11-28T13:00:00Z', startedAt: '2026-11-28T13:00:00Z', only: null, limit: 10},
});
const slice = (from: string | null, us: number): SliceRecord => ({
  ...{slice: {rows: 10, from, to: '10', width: 0}, rows: 10, suspects: [{id: '3', rows: 2}], at: {eu: '1', us: '2'}, hashed: 5, of: 5},
  marks: {eu: {epoch: 'x/1', since: '700'}, us: {epoch: 'x/1', since: '700'}},
  chunks: {
    eu: [
      ['3', 2],
      ['1', 4],
    ],
    us: [
      ['1', 4],
      ['3', us],
    ],
  },
});
const RESULT = {table: 'public.t', verdict: 'equal', covered: 1} as TableResult;
const fileOf = (id: string): string => join(dir, 'audits/lab/orders', `${id}.ndjson`);

describe('the log of an audit', () => {
  it('is read back as it was written, chunks of every region included', () => {
    const log = beginAuditLog(dir, head('one'));
    log.table('public.t', 'f');
    log.slice('public.t', slice(null, 2));
    log.slice('public.t', slice('10', 3));
    log.result(RESULT);
    log.close();
    const read = readAuditLog(dir, OF, 'one');
    expect(read).toMatchObject({head: head('one'), ended: false});
    const table = read?.tables.get('public.t');
    expect([table?.form, table?.result]).toEqual(['f', RESULT]);
    const chunks = table?.slices.map((each) =>
      Object.fromEntries(Object.entries(each.chunks ?? {}).map(([region, all]) => [region, new Map(all)])),
    );
    expect(chunks).toEqual([
      {
        eu: new Map([
          ['1', 4],
          ['3', 2],
        ]),
        us: new Map([
          ['1', 4],
          ['3', 2],
        ]),
      },
      {
        eu: new Map([
          ['1', 4],
          ['3', 2],
        ]),
        us: new Map([
          ['1', 4],
          ['3', 3],
        ]),
      },
    ]);
  });

  it('is for this user only', () => {
    beginAuditLog(dir, head('one')).close();
    expect(statSync(fileOf('one')).mode & 0o777).toBe(0o600);
  });

  it('a line that a kill cut off does not count, and does not spoil what is written after it', () => {
    const log = beginAuditLog(dir, head('one'));
    log.table('public.t', 'f');
    log.slice('public.t', slice(null, 2));
    log.close();
    appendFileSync(fileOf('one'), '{"type":"slice","table":"public.t","rec');
    const next = continueAuditLog(dir, head('one'));
    next.slice('public.t', slice('10', 2));
    next.end('equal');
    next.close();
    const read = readAuditLog(dir, OF, 'one');
    expect([read?.ended, read?.tables.get('public.t')?.slices.map((each) => each.slice.from)]).toEqual([true, [null, '10']]);
  });

  it.each(['null', '7', '{}', '[]'])('a line that is none of its own does not count: %s', (line) => {
    const log = beginAuditLog(dir, head('one'));
    appendFileSync(fileOf('one'), `${line}\n`);
    log.table('public.t', 'f');
    log.close();
    const read = readAuditLog(dir, OF, 'one');
    expect([read?.ended, [...(read?.tables.keys() ?? [])]]).toEqual([false, ['public.t']]);
  });

  it('one that has no whole head is none', () => {
    beginAuditLog(dir, head('one')).close();
    writeFileSync(fileOf('one'), readFileSync(fileOf('one'), 'utf8').slice(0, 20));
    expect(readAuditLog(dir, OF, 'one')).toBeNull();
  });

  it.each(['none', '../one', 'one/../one', ''])('there is no audit %j', (id) => {
    beginAuditLog(dir, head('one')).close();
    expect(readAuditLog(dir, OF, id)).toBeNull();
  });

  it('never writes over another audit', () => {
    beginAuditLog(dir, head('one')).close();
    expect(() => beginAuditLog(dir, head('one'))).toThrow(expect.objectContaining({exit: 73}));
  });

  it('keeps the newest of a store only', () => {
    for (let index = 0; index < 9; index++) {
      beginAuditLog(dir, head(`a${index}`)).close();
      utimesSync(fileOf(`a${index}`), 1000 + index, 1000 + index);
    }
    expect(auditIds(dir, OF)).toEqual(['a3', 'a4', 'a5', 'a6', 'a7', 'a8']);
    expect(readdirSync(join(dir, 'audits/lab'))).toEqual(['orders']);
  });
});

import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {AuditDocument} from '../../src/lib/operate/audit.ts';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {type Case, conflictingWrites, REGIONS} from './conflicting-writes.ts';
import {LabSession} from './lab-session.ts';

// Regions of an active-active lab that do not have the same, by more than 10,000 writes behind the back of replication: every key is found and classified as
// it was made, repaired layer by layer, and nothing of the repair travels.
const PER_TABLE = 950;
const cases = conflictingWrites(PER_TABLE);
const TABLES = ['orders', 'profiles', 'likes', 'members'] as const;
const lab = new LabSession();
let damaged: readonly string[] = [];

beforeAll(async () => {
  await lab.up('--mode', 'active-active');
  for (const [index, region] of REGIONS.entries()) await writeBehind(region, index);
  damaged = await Promise.all(REGIONS.map(dumpOf));
});
afterAll(() => lab.remove());

const planFile = join(lab.parent, 'repair.json');
const audit = (code: number, ...flags: readonly string[]): Promise<AuditDocument> => lab.json(code, ['consistency', 'audit', ...flags]);
const nameOf = ({table, key}: Pick<Case, 'table' | 'key'>): string => `${table} ${key}`;

describe('conflicting writes', () => {
  it('were more than 10,000', () =>
    expect(cases.reduce((sum, {rows}) => sum + rows.filter((row) => row !== null).length, 0)).toBeGreaterThan(10_000));

  it('are found, every one, and classified as they were made', async () => {
    const document = await audit(1, '--limit', '100000');
    const found = document.tables.flatMap(({table, divergent}) =>
      divergent.map(
        ({key, class: kind, regions, suspects}) => [`${table.replace('public.', '')} ${key}`, {kind, regions, suspects}] as const,
      ),
    );
    const made = cases.flatMap((each) =>
      each.class === null ? [] : [[nameOf(each), {kind: each.class, regions: [...each.regions], suspects: [...each.suspects]}] as const],
    );
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(made));
    expect([document.counts.late, document.counts.unsettled]).toEqual([0, 0]);
  }, 60_000);

  it('are planned in layers, and nothing is written by that', async () => {
    const {repair} = await lab.json<{repair: {tables: {table: string; layers: Record<string, number>}[]}}>(0, [
      'consistency',
      'repair',
      'plan',
      '-o',
      planFile,
    ]);
    const layers = Object.fromEntries(repair.tables.map(({table, layers: own}) => [table, own]));
    const differ = (table: string): number => cases.filter((each) => each.table === table && each.class !== null).length;
    const missing = cases.filter((each) => each.table === 'orders' && each.class === 'missing').length;
    // A region that lacks a row gets the only version that there is.
    expect(layers['public.orders']).toMatchObject({policy: differ('orders') - missing, dominance: missing, merge: 0});
    for (const table of ['profiles', 'likes', 'members'])
      expect(Object.values(layers[`public.${table}`] ?? {}).reduce((a, b) => a + b, 0)).toBe(differ(table));
    expect(await Promise.all(REGIONS.map(dumpOf))).toEqual(damaged);
  }, 60_000);

  it('are repaired to what the rules say, in every region, and nothing of that is replicated', async () => {
    const sent = await Promise.all(REGIONS.map(changesSent));
    const run = await lab.json<RunDocument>(0, ['consistency', 'repair', 'run', '--plan', planFile, '--yes'], {timeoutMs: 120_000});
    expect(run.outcome).toBe('succeeded');
    const final = Object.fromEntries(cases.map((each) => [nameOf(each), each.final]));
    for (const region of REGIONS) expect(await rowsOf(region)).toEqual(final);
    expect(await Promise.all(REGIONS.map(changesSent))).toEqual(sent);
    expect((await audit(0)).verdict).toBe('equal');
  }, 150_000);

  it('and an undo puts every byte back', async () => {
    await lab.json<RunDocument>(0, ['runs', 'undo', 'last', '--reason', 'a test'], {timeoutMs: 120_000});
    expect(await Promise.all(REGIONS.map(dumpOf))).toEqual(damaged);
  }, 150_000);
});

/** The rows of one region, written past its triggers and past replication. */
async function writeBehind(region: string, index: number): Promise<void> {
  const client = await lab.connect(region, {query_timeout: 30_000});
  try {
    await client.query(`set regionctl.repair = 'on'`);
    for (const table of TABLES) {
      const rows = cases.flatMap((each) => (each.table === table && each.rows[index] != null ? [each.rows[index]] : []));
      const columns = Object.keys(rows[0] ?? {}).join(', ');
      const values = `select ${columns} from jsonb_populate_recordset(null::${table}, $1)`;
      await client.query(`insert into ${table} (${columns}) overriding system value ${values}`, [JSON.stringify(rows)]);
    }
  } finally {
    await client.end();
  }
}

/** Every row as text, in one order. */
async function dumpOf(region: string): Promise<string> {
  const parts = TABLES.map((table) => `select string_agg(t::text, e'\\n' order by t::text collate "C") as dump from ${table} t`);
  const rows = await lab.sql<{dump: string}>(region, parts.join(' union all '));
  return rows.map(({dump}) => dump).join('\n');
}

/** Every row by table and key, as it was made. */
async function rowsOf(region: string): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const table of TABLES) {
    const columns = Object.keys(cases.find((each) => each.table === table)?.final ?? {});
    // Numbers of 64 bits do not fit ours.
    const whole = table === 'orders' ? `to_jsonb(t) || jsonb_build_object('id', t.id::text, 'hlc', t.hlc::text)` : 'to_jsonb(t)';
    const rows = await lab.sql<{row: Record<string, unknown>}>(region, `select ${whole} as row from ${table} t`);
    for (const {row} of rows) all[`${table} ${row[columns[0] ?? '']}`] = Object.fromEntries(columns.map((column) => [column, row[column]]));
  }
  return all;
}

/** How many rows the outbox has been given. */
async function changesSent(region: string): Promise<string> {
  const [row] = await lab.sql<{sent: string}>(region, `select pg_stat_get_tuples_inserted('lab.changes'::regclass)::text as sent`);
  return row?.sent ?? '';
}

import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {AuditDocument} from '../../src/lib/operate/audit.ts';
import {peakOf} from '../cli/peak.ts';
import {PASSWORD, type Servers, startServers} from '../servers/embedded.ts';

// Two servers between which nothing replicates, and which have no row in common but every thousandth.
const ROWS = 1_500_000;
const LISTED = 1000;
const each: Servers[] = [];
const folder = mkdtempSync(join(tmpdir(), 'regionctl-audit-'));
const fleetFile = join(folder, 'regionctl.yaml');
const audit = (...flags: readonly string[]) => peakOf(['consistency', 'audit', ...flags], {REGIONCTL_FLEET: fleetFile});

beforeAll(async () => {
  for (const name of ['one', 'two']) each.push(await startServers([name]));
  await Promise.all(
    each.map(async ({all}, index) => {
      const client = await all[0]!.connect({database: 'orders', query_timeout: 120_000});
      await client.query('create table many (id bigint primary key, value int not null)');
      await client.query(
        `insert into many select g, case when g % 1000 = 0 then 0 else g + $1::int end from generate_series(1, ${ROWS}) g`,
        [index],
      );
      await client.query('analyze many');
      await client.end();
    }),
  );
  writeFileSync(join(folder, 'password'), PASSWORD, {mode: 0o600});
  const members = each
    .map(({all: [server]}) => `      ${server!.name}: {region: ${server!.name}, address: "127.0.0.1:${server!.port}"}`)
    .join('\n');
  writeFileSync(
    fleetFile,
    `version: 1\nfleet: apart\nregions: {one: {jurisdiction: EU}, two: {jurisdiction: US}}\nstores:\n  orders:\n    engine: postgres\n    database: orders\n    user: regionctl\n    password: "\${file:password}"\n    replicationUser: replicator\n    members:\n${members}\nstate: {kind: sqlite, dir: state}\n`,
  );
}, 180_000);
afterAll(async () => {
  for (const servers of each) await servers.end();
  rmSync(folder, {recursive: true, force: true});
});

it('more differing rows than are listed: says so in text, document and exit code, and needs no more memory', async () => {
  const json = await audit('--json');
  const document = JSON.parse(json.stdout) as AuditDocument;
  const [table] = document.tables;
  expect([json.code, document.verdict, table?.verdict, table?.divergent.length], json.stderr).toEqual([
    2,
    'truncated',
    'truncated',
    LISTED,
  ]);
  expect(table?.unexamined).toBeGreaterThan(ROWS * 0.9);
  expect(document.accuracy).toBeLessThan(0.1);
  // What a full list of them would need: with 1.5 million keys more than 300 MB.
  expect(json.peakMb).toBeLessThan(200);
  const text = await audit();
  expect([text.code, text.stdout]).toEqual([2, expect.stringMatching(/truncated[\s\S]*The list is full/u)]);
}, 120_000);

import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {lsnText, segmentName} from '../../../src/lib/providers/postgres/timeline.ts';
import {committedBy} from '../../../src/lib/providers/postgres/wal-commits.ts';
import {type WalPages, walRecords} from '../../../src/lib/providers/postgres/wal-records.ts';
import {noPostgres15} from '../../servers/debian.ts';
import {POSTGRES_15} from '../../servers/debian-ctl.ts';
import {type Server, type Servers, startServers} from '../../servers/embedded.ts';

const SEGMENT = 1024n * 1024n;
const PAGE = 8192n;

// pg_waldump comes with Debian's package only.
describe.skipIf(noPostgres15 !== null)(
  `the log as pg_waldump reads it${noPostgres15 === null ? '' : ` (skipped: ${noPostgres15})`}`,
  () => {
    let servers: Servers;
    let server: Server;
    beforeAll(async () => {
      const programs = {initdb: join(POSTGRES_15, 'initdb'), postgres: join(POSTGRES_15, 'postgres'), lacks: ['io_method']};
      servers = await startServers(['us'], programs);
      server = servers.all[0]!;
    });
    afterAll(() => servers?.end());

    const here = async (): Promise<bigint> =>
      BigInt((await server.sql<{at: string}>(`select (pg_current_wal_insert_lsn() - '0/0')::text as at`))[0]!.at);
    async function* pages(from: bigint, end: bigint): WalPages {
      for (let at = from - (from % PAGE); at < end; at += PAGE) {
        const file = readFileSync(join(server.dir, 'pg_wal', segmentName(1, at / SEGMENT, SEGMENT)));
        yield {at, page: file.subarray(Number(at % SEGMENT), Number(at % SEGMENT) + Number(PAGE))};
      }
    }

    it('has the same records at the same places, and commits the same transactions', async () => {
      await server.sql('create table t (id int primary key, x text)');
      const from = await here();
      for (let id = 0; id < 300; id++) await server.sql(`insert into t values ($1::int, repeat(md5($1::int::text), 200))`, [id]);
      await server.sql('select pg_switch_wal()');
      await server.sql(
        'do $$ begin for i in 1..70 loop begin insert into t values (1000 + i); exception when others then null; end; end loop; end $$',
      );
      await server.sql('vacuum full t');
      await server.sql('alter table t add column y int default 1');
      await server.sql('drop table t');
      await server.sql('checkpoint');
      await server.sql(`begin; create table u (id int); insert into u values (1); prepare transaction 'one'`);
      await server.sql(`begin; insert into pg_description values (1, 1, 1, 'x'); rollback`);
      await server.sql(`commit prepared 'one'`);
      const end = await here();

      const seen: string[] = [];
      const commits: string[] = [];
      for await (const record of walRecords(pages(from, end), from, end, SEGMENT)) {
        seen.push(`${lsnText(record.at)} ${record.xid}`);
        commits.push(...committedBy(record, 15).map(String));
      }
      const range = ['-p', join(server.dir, 'pg_wal'), '-s', lsnText(from), '-e', lsnText(end)];
      const said = execFileSync(join(POSTGRES_15, 'pg_waldump'), range, {encoding: 'utf8', maxBuffer: 2 ** 28})
        .trim()
        .split('\n');
      const records = said.map((line) => /tx: +(\d+), lsn: ([0-9A-F]+)\/([0-9A-F]+),.* desc: (.*)/.exec(line) ?? []);
      expect(seen.length).toBeGreaterThan(1000);
      expect(seen).toEqual(
        records.map(
          ([, xid, log, at]) =>
            `${log}/${parseInt(at ?? '', 16)
              .toString(16)
              .toUpperCase()} ${xid}`,
        ),
      );
      expect(commits).toEqual(
        records.flatMap(([, xid = '', , , what = '']) => {
          const [, prepared] = /^COMMIT_PREPARED (\d+):/.exec(what) ?? [];
          if (prepared === undefined && !what.startsWith('COMMIT ')) return [];
          const [, below = ''] = /; subxacts: ([\d ]+)/.exec(what) ?? [];
          return [prepared ?? xid, ...below.trim().split(' ').filter(Boolean)];
        }),
      );
      expect(commits.length).toBeGreaterThan(370);
    });
  },
);

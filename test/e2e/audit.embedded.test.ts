import type {ChildProcess} from 'node:child_process';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {AuditDocument} from '../../src/lib/operate/audit.ts';
import {makeLedger, startWriters} from './audit-writers.ts';
import {LabSession} from './lab-session.ts';

// Audits of a lab with two standbys, by the built program: under writes with a lag, with a region that dies, and killed themselves.
const ROWS = 60_000;
const lab = new LabSession();
beforeAll(async () => {
  await lab.up('--async');
  await makeLedger(lab, 'us-east', ROWS);
});
afterAll(() => lab.remove());

const TABLE = ['--table', 'public.ledger'];
const audit = (code: number, ...flags: readonly string[]): Promise<AuditDocument> => lab.json(code, ['consistency', 'audit', ...flags]);
const ids = ({tables}: AuditDocument): readonly string[] => tables.flatMap(({divergent}) => divergent.map(({key}) => key));

describe('under writes', () => {
  it('what is late is told from what diverged, in full and in quick audits', async () => {
    // What eu-west has is always older than what is read in us-east.
    await lab.lab('fault', 'latency', 'eu-west', '--from', 'us-east', '--ms', '150');
    const writers = await startWriters(lab, 'us-east', ROWS, 2000);
    let late = 0;
    try {
      for (const flags of [[], [], ['--quick'], ['--quick']]) {
        const document = await audit(0, ...TABLE, ...flags);
        expect([document.verdict, ids(document), document.counts.unsettled]).toEqual(['equal', [], 0]);
        late += document.counts.late;
      }
    } finally {
      await writers.stop();
      await lab.lab('heal', 'eu-west');
    }
    expect(writers.written()).toBeGreaterThan(1000);
    expect(late).toBeGreaterThan(0);
  }, 90_000);

  it('holds still while replication is behind, and goes on when it has caught up', async () => {
    await lab.lab('fault', 'bandwidth', 'us-east', '--from', 'ap', '--bytes-per-second', '2000');
    await lab.sql('us-east', `update ledger set note = 'wide ' || md5(id::text) where id <= 2000`);
    const asked = performance.now();
    const running = audit(0, ...TABLE, '--max-lag', '1s', '--settle-time', '60s');
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const healed = performance.now() - asked;
    await lab.lab('heal', 'us-east');
    const document = await running;
    expect(document.verdict).toBe('equal');
    expect(Date.parse(document.endedAt) - Date.parse(document.startedAt)).toBeGreaterThan(healed - 1500);
  }, 90_000);
});

describe('a region that dies in the middle', () => {
  it('makes the audit unknown with what was covered, and a resume goes on when it is back', async () => {
    let child: ChildProcess | undefined;
    const running = lab.run(['consistency', 'audit', ...TABLE, '--chunk-time', '10ms', '--json'], {
      onStart: (started) => (child = started),
    });
    await firstSlice();
    // It stands still until the region is gone: it would be faster than that.
    child?.kill('SIGSTOP');
    await lab.lab('fault', 'database', 'ap');
    child?.kill('SIGCONT');
    const ended = await running;
    const document = JSON.parse(ended.stdout) as AuditDocument;
    const {share, lost} = document.coverage;
    expect([ended.code, document.verdict, lost.map(({region}) => region)], ended.stdout).toEqual([3, 'unknown', ['ap']]);
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(1);
    expect(child?.exitCode).toBe(3);
    await lab.lab('heal', 'ap');
    const resumed = await audit(0, '--resume', 'last');
    expect([resumed.verdict, resumed.resumed, resumed.coverage.share, resumed.audit]).toEqual(['equal', true, 1, document.audit]);
  }, 60_000);
});

describe('an audit that is killed', () => {
  it('is gone on with, to the same result', async () => {
    let child: ChildProcess | undefined;
    const running = lab.run(['consistency', 'audit', ...TABLE, '--chunk-time', '10ms'], {onStart: (started) => (child = started)});
    const slices = await firstSlice();
    child?.kill('SIGKILL');
    expect((await running).code).toBe(null);
    const resumed = await audit(0, '--resume', 'last');
    expect(resumed).toMatchObject({verdict: 'equal', resumed: true, coverage: {share: 1}});
    expect(slices).toBeGreaterThan(0);
    const again = await lab.run(['consistency', 'audit', '--resume', resumed.audit]);
    expect([again.code, again.stderr]).toEqual([77, expect.stringContaining('came to its end')]);
  }, 60_000);

  it('a second one at the same time is refused, with who runs the first', async () => {
    let child: ChildProcess | undefined;
    const first = lab.run(['consistency', 'audit', ...TABLE, '--chunk-time', '10ms'], {onStart: (started) => (child = started)});
    await firstSlice();
    child?.kill('SIGSTOP');
    const second = await lab.run(['consistency', 'audit', ...TABLE]);
    child?.kill('SIGCONT');
    expect([second.code, second.stderr]).toEqual([75, expect.stringContaining(`pid ${child?.pid}`)]);
    expect((await first).code).toBe(0);
  }, 60_000);
});

/** Waits until the audit that was begun last has written a slice down, and answers how many. */
async function firstSlice(): Promise<number> {
  const {readdirSync, readFileSync} = await import('node:fs');
  const folder = `${lab.dir}/state/audits/lab/orders`;
  const before = new Set(readdirSync(folder));
  const slices = (name: string): number =>
    readFileSync(`${folder}/${name}`, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{"type":"slice"')).length;
  return expect
    .poll(
      () =>
        readdirSync(folder)
          .filter((name) => !before.has(name))
          .map(slices)
          .find((count) => count > 0) ?? 0,
      {timeout: 20_000, interval: 2},
    )
    .toBeGreaterThan(0)
    .then(() => slices(readdirSync(folder).find((name) => !before.has(name)) ?? ''));
}

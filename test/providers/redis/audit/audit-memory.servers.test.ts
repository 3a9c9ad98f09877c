import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import type {AuditDocument} from '../../../../src/lib/operate/audit.ts';
import {peakOf} from '../../../cli/peak.ts';
import {noRedis, startRedis} from '../../../servers/redis.ts';

const KEYS = 800_000;

describe.skipIf(noRedis !== null)('an audit of many keys', () => {
  it('keeps none of them: what it takes of memory does not grow with them, but for 8 bytes each', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'regionctl-audit-'));
    const primary = await startRedis({settings: {'enable-debug-command': 'yes'}});
    // What is populated is not replicated: a standby gets it by its first copy.
    // In parts, so that none of them takes longer than a command may, even on a busy machine.
    for (let part = 0; part < 8; part += 1) await primary.cli('debug', 'populate', String(KEYS / 8), `key${part}`, '40');
    const replica = await startRedis({upstream: primary});
    try {
      const fleetFile = join(folder, 'regionctl.yaml');
      writeFileSync(
        fleetFile,
        `version: 1\nfleet: keys\nregions: {one: {jurisdiction: EU}, two: {jurisdiction: US}}\nstores:\n  cache:\n    engine: redis\n    members:\n      a: {region: one, address: "127.0.0.1:${primary.port}"}\n      b: {region: two, address: "127.0.0.1:${replica.port}"}\nstate: {kind: sqlite, dir: state}\n`,
      );
      const {code, stdout, stderr, peakMb} = await peakOf(['consistency', 'audit', '--json'], {REGIONCTL_FLEET: fleetFile});
      expect(code, stderr).toBe(0);
      expect((JSON.parse(stdout) as AuditDocument).tables).toMatchObject([{verdict: 'equal', rows: KEYS}]);
      // With all of Node and the program: 180 MB, and 190 at 1.2 million. A list of the keys would be 100 MB more.
      expect(peakMb).toBeLessThan(220);
    } finally {
      await replica.end();
      await primary.end();
      rmSync(folder, {recursive: true, force: true});
    }
  }, 200_000);
});

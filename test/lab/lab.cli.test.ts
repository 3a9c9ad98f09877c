import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';

const BIN = resolve(import.meta.dirname, '../../bin/regionctl');

describe('regionctl lab', () => {
  const parent = mkdtempSync(join(tmpdir(), 'regionctl-lab-cli-'));
  const dir = join(parent, 'lab');
  const lab = (...args: string[]) => {
    const {status, stdout, stderr} = spawnSync(BIN, ['lab', ...args, '--dir', dir], {encoding: 'utf8', timeout: 60_000});
    return {status, stdout, stderr};
  };
  const json = (...args: string[]) => JSON.parse(lab(...args, '--json').stdout);
  afterAll(() => {
    lab('down');
    rmSync(parent, {recursive: true, force: true});
  });

  it('says that there is nothing to end', () => {
    expect(lab('down')).toMatchObject({status: 0, stdout: `There is no lab in ${dir}.\n`});
    expect(lab('status')).toMatchObject({status: 77});
  });

  // How long it takes is measured by bench/run.ts.
  it('comes up and says what to do next', () => {
    const {status, stdout, stderr} = lab('up');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`export REGIONCTL_FLEET=${dir}/regionctl.yaml`);
  });

  it('prints its status as a document', () => {
    const status = json('status');
    expect(Object.keys(status)).toEqual(expect.arrayContaining(['dir', 'profile', 'regions', 'frontDoor', 'fleetFile']));
    for (const region of status.regions) {
      expect(region).toMatchObject({
        region: expect.any(String),
        state: 'running',
        http: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      });
      expect(region.pids.length).toBeGreaterThan(5);
    }
  });

  it('takes a load, a fault and a heal', () => {
    expect(json('load', '--rate', '50', '--duration', '200ms')).toMatchObject({sent: 10, acknowledged: 10});
    expect(lab('fault', 'partition', 'ap', '--lease', '1m').status).toBe(0);
    expect(json('status').faults).toMatchObject([{region: 'ap', kind: 'partition', leaseMs: 60_000}]);
    expect(lab('fault', 'lose', 'mars')).toMatchObject({status: 64, stderr: expect.stringContaining('unknown region "mars"')});
    expect(lab('heal', 'ap').status).toBe(0);
    expect(lab('fault', 'skew', 'ap')).toMatchObject({status: 64, stderr: expect.stringContaining('skew needs args.ms')});
    expect(json('status').faults).toEqual([]);
  });

  it('loses its front door and has it back', () => {
    expect(lab('fault', 'router', 'front-door', '--silent', '--lease', '1m').status).toBe(0);
    expect(json('status').faults).toMatchObject([{region: 'front-door', kind: 'router', args: {silent: true}}]);
    expect(lab('status').stdout).toContain('Fault: router of front-door silent=true, ends by itself in ');
    expect(json('heal', 'front-door')).toEqual({faults: []});
    expect(json('load', '--rate', '50', '--duration', '100ms')).toMatchObject({acknowledged: 5});
  });

  it('says what is wrong with a fault before it asks the lab', () => {
    expect(lab('fault', 'errors', 'ap', '--share', '2')).toMatchObject({status: 64, stderr: expect.stringContaining('from 0 to 1')});
    expect(lab('fault', 'explode', 'ap')).toMatchObject({status: 64, stderr: expect.stringContaining('disk-full')});
  });

  it('ends and leaves nothing', () => {
    expect(lab('down')).toMatchObject({status: 0, stdout: `The lab in ${dir} is gone.\n`});
    expect(existsSync(dir)).toBe(false);
  });
});

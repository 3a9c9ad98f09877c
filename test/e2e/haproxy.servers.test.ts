import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {readRecord} from '../../src/lab/record.ts';
import type {DrillDocument} from '../../src/lib/drill/report.ts';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {type Haproxy, noHaproxy, startHaproxy} from '../servers/haproxy.ts';
import {expectEqualRegions} from './expect-regions.ts';
import {LabSession} from './lab-session.ts';

const FROZEN = `name: database-frozen
fault: {kind: freeze, region: primary, lease: 1m}
heal: after-reaction
watch: 1s
detect: {within: 20s}
reaction: {failover: {}}
rollback: failback
`;

// The lab's regions behind Debian's HAProxy instead of the lab's own front door.
describe.skipIf(noHaproxy !== null)(`failover behind HAProxy${noHaproxy === null ? '' : ` (skipped: ${noHaproxy})`}`, () => {
  const lab = new LabSession();
  let haproxy: Haproxy;
  let fleet: string;

  beforeAll(async () => {
    const {regions} = await lab.up();
    const address = (url: string) => {
      const {hostname, port} = new URL(url);
      return {host: hostname, port: Number(port)};
    };
    const servers = Object.fromEntries(regions.map(({region, http}) => [region, [{name: region, ...address(http)}]]));
    haproxy = await startHaproxy({servers, mode: 'http'});
    fleet = fleetBehind(haproxy);
    const [first, ...others] = regions.map(({region}) => region);
    for (const region of others) await haproxy.command(`set server be/${region} state maint`);
    await haproxy.command(`set server be/${first} weight 100`);
  });
  afterAll(async () => {
    await haproxy?.end();
    await lab.remove();
  });

  /** The lab's fleet file with its route, and where the witness writes, replaced. */
  function fleetBehind({runtime, frontPort, regions, stateFile}: Haproxy): string {
    const file = join(lab.dir, 'behind-haproxy.yaml');
    const weights = Object.keys(regions).map((region, index) => `${region}: ${index === 0 ? 100 : 0}`);
    const route = `routes:
  front-door:
    router: haproxy
    address: ${runtime.host}:${runtime.port}
    servers: ${JSON.stringify(regions)}
    stateFile: ${JSON.stringify(stateFile)}
    url: http://127.0.0.1:${frontPort}
    weights: {${weights.join(', ')}}
`;
    const text = readFileSync(lab.fleetFile, 'utf8')
      .replace(/^routes:\n(?: .*\n)+/m, route)
      .replace(/^witness: .*$/m, `witness: {allowed: true, url: "http://127.0.0.1:${frontPort}/orders", every: 20ms, deadline: 2s}`);
    writeFileSync(file, text);
    return file;
  }

  const run = (code: number, ...args: string[]) => lab.json<RunDocument>(code, [...args, '--fleet', fleet]);
  const shares = async () =>
    (await haproxy.command('show servers state be'))
      .split('\n')
      .filter((line) => / be /.test(line))
      .map((line) => line.split(' '))
      // The name, whether it is administratively down (1 = in maintenance), and the weight in force.
      .map((fields) => [fields[3], (Number(fields[6]) & 1) === 1 ? 'maint' : Number(fields[7])]);
  const answeredBy = async () => {
    const body = JSON.stringify({ref: `seen-${process.hrtime.bigint()}`, item: 'tea', quantity: 1});
    const headers = {'content-type': 'application/json', connection: 'close'};
    const answer = await fetch(`http://127.0.0.1:${haproxy.frontPort}/orders`, {method: 'POST', headers, body});
    await answer.text();
    return answer.headers.get('x-region');
  };

  it('moves on purpose and back, with a witness that measures the gap through it', async () => {
    expect(await answeredBy()).toBe('us-east');
    const there = await run(0, 'switchover', 'run', '--to', 'eu-west', '--yes');
    expect(there).toMatchObject({outcome: 'succeeded', measured: {lostWrites: 0, duplicatedWrites: 0}});
    expect(there.measured.writeGapMs).toBeGreaterThan(0);
    expect(await answeredBy()).toBe('eu-west');
    expect(await shares()).toEqual([
      ['us-east', 'maint'],
      ['eu-west', 100],
      ['ap', 'maint'],
    ]);
    expect(await run(0, 'switchover', 'run', '--to', 'us-east', '--yes')).toMatchObject({outcome: 'succeeded', measured: {lostWrites: 0}});
    expect(await answeredBy()).toBe('us-east');
  });

  it('fails over when the region is killed, keeps the weights over a reload, and fails back', async () => {
    await lab.lab('fault', 'kill', 'us-east');
    expect(await run(1, 'failover', 'run', '--yes', '--no-guard')).toMatchObject({outcome: 'succeeded', to: 'eu-west'});
    await haproxy.reload();
    expect(await shares()).toEqual([
      ['us-east', 'maint'],
      ['eu-west', 100],
      ['ap', 'maint'],
    ]);
    expect(await answeredBy()).toBe('eu-west');
    await lab.lab('heal', 'us-east');
    expect(await run(0, 'failback', 'run', '--yes')).toMatchObject({outcome: 'succeeded', measured: {lostWrites: 0}});
    expect(await answeredBy()).toBe('us-east');
    await expectEqualRegions(lab);
  });

  it('is drilled with signals: the server of the primary stands still, and goes on beside the new primary, and is failed back to', async () => {
    const text = readFileSync(fleet, 'utf8');
    const home = readRecord(lab.dir)?.regions.find(({name}) => name === 'us-east');
    const pidFile = join(home?.data ?? '', 'postmaster.pid');
    writeFileSync(
      fleet,
      text.replace(/^faults: .*$/m, `faults: {kind: signal, regions: {us-east: {pidFiles: [${JSON.stringify(pidFile)}]}}}`),
    );
    const drill = join(lab.parent, 'frozen.yaml');
    writeFileSync(drill, FROZEN);
    const document = await lab.json<DrillDocument>(0, ['drill', 'run', drill, '--yes', '--fleet', fleet]);
    writeFileSync(fleet, text);
    expect(document).toMatchObject({verdict: 'passed', outcome: 'succeeded', measured: {lostWrites: 0, duplicatedWrites: 0}});
    expect(document.faults).toMatchObject([{fault: 'freeze', region: 'us-east', provenHealed: true}]);
    expect(document.beside).toMatchObject([{kind: 'failback', when: 'after', outcome: 'succeeded'}]);
    expect(await answeredBy()).toBe('us-east');
  });

  it('does not move anything when it does not answer: its sessions could not be cut', async () => {
    await haproxy.kill();
    await lab.lab('fault', 'kill', 'us-east');
    const refused = await lab.json<{error: {code: string; message: string}}>(77, ['failover', 'run', '--yes', '--fleet', fleet]);
    expect(refused.error.message).toMatch(/gate routers refuses: front-door does not answer/);
    await haproxy.start();
  });
});

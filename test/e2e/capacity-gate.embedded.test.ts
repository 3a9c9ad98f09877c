import {appendFileSync, copyFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {ReadyDocument} from '../../src/lib/operate/ready.ts';
import type {PlanDocument} from '../../src/lib/plan/plan-document.ts';
import {LabSession} from './lab-session.ts';

/*
 * Three regions with loads of their own: us-east has 100 of everything, eu-west 20 and room for 100, ap 20 and room for 500. eu-west cannot take what us-east has.
 * `blind` is the same fleet with a source that is not there.
 */
const lab = new LabSession();
const HOUR = 3_600_000;
const LOADS: Readonly<Record<string, {readonly level: number; readonly limit: number}>> = {
  'us-east': {level: 100, limit: 200},
  'eu-west': {level: 20, limit: 100},
  ap: {level: 20, limit: 500},
};
let blind: string;

beforeAll(async () => {
  await lab.up('--regions', '3');
  const hour = Math.floor(Date.now() / HOUR) * HOUR;
  const rows = Array.from({length: 14 * 24}, (_, step) => hour - (step + 1) * HOUR).flatMap((at) =>
    Object.entries(LOADS).map(([region, {level}]) => `${new Date(at).toISOString()},${region},${level}`),
  );
  writeFileSync(join(lab.dir, 'loads.csv'), ['timestamp,region,value', ...rows, ''].join('\n'));
  blind = join(lab.dir, 'blind.yaml');
  copyFileSync(lab.fleetFile, blind);
  appendFileSync(lab.fleetFile, capacityWith('loads.csv'));
  appendFileSync(blind, capacityWith('nothing.csv'));
});
afterAll(() => lab.remove());

function capacityWith(file: string): string {
  const regions = Object.entries(LOADS).map(([region, {limit}]) => `${region}: {limit: ${limit}}`);
  return `
metrics: {loads: {kind: csv, file: ${file}}}
capacity: {series: {requests: {source: loads, for: throughput, unit: req/s, regions: {${regions.join(', ')}}}}}
`;
}

const capacityGate = ({gates}: PlanDocument) => gates.find(({id}) => id === 'survivors-capacity');
const inBlind = () => ({env: {REGIONCTL_FLEET: blind}});
const passed = ['--override', 'survivors-capacity', '--reason', 'it is Sunday'];

it('a switchover into a region that cannot carry the load is refused, and who passes that by name is on the record', async () => {
  const refused = await lab.json<PlanDocument>(77, ['switchover', 'plan', '--to', 'eu-west']);
  expect(capacityGate(refused)).toMatchObject({verdict: 'refuse', overridable: true});
  expect(capacityGate(refused)?.says).toMatch(
    /^requests of eu-west with 100 % of us-east goes above its limit of 100 req\/s at .*Z: 120 req\/s \(p90\)$/,
  );
  const plan = await lab.json<PlanDocument>(0, ['switchover', 'plan', '--to', 'eu-west', ...passed]);
  expect(capacityGate(plan)).toMatchObject({verdict: 'refuse', overridden: true});
  expect(plan.plan.overrides).toMatchObject([{gate: 'survivors-capacity', reason: 'it is Sunday'}]);
  expect(capacityGate(await lab.json<PlanDocument>(0, ['switchover', 'plan', '--to', 'ap']))).toMatchObject({verdict: 'pass'});
});

it('a planned move waits for what is not known, and readiness tells of it on a calm day', async () => {
  const plan = await lab.json<PlanDocument>(77, ['switchover', 'plan', '--to', 'ap'], inBlind());
  expect(capacityGate(plan)).toMatchObject({verdict: 'unknown', says: expect.stringContaining('nothing.csv')});
  const {pairs} = await lab.json<ReadyDocument>(1, ['failover', 'ready']);
  expect(pairs.map(({to, ready, reason}) => [to, ready, reason?.split(':')[0]])).toEqual([
    ['eu-west', false, 'survivors-capacity'],
    ['ap', true, undefined],
  ]);
});

it('nobody waits for metrics when the region is down, but a limit that breaks still refuses', async () => {
  await lab.lab('fault', 'kill', 'us-east');
  const refused = await lab.json<PlanDocument>(77, ['failover', 'plan', '--to', 'eu-west']);
  expect(refused.gates.filter(({verdict}) => verdict !== 'pass').map(({id}) => id)).toEqual(['survivors-capacity']);
  for (const more of [[], passed]) {
    const plan = await lab.json<PlanDocument>(0, ['failover', 'plan', '--to', 'eu-west', ...more], inBlind());
    expect(capacityGate(plan)).toBeUndefined();
    expect(plan.notes).toEqual([
      expect.stringMatching(/^whether the others can carry the load is not known, and nobody waits for it now: .*nothing\.csv/),
    ]);
  }
});

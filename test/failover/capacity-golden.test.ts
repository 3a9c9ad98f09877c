import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, it} from 'vitest';
import {planEvacuation} from '../../src/lib/failover/plan-evacuation.ts';
import {planFailback} from '../../src/lib/failover/plan-failback.ts';
import {planFailover} from '../../src/lib/failover/plan-failover.ts';
import {planReadmission} from '../../src/lib/failover/plan-readmission.ts';
import {planSwitchover} from '../../src/lib/failover/plan-switchover.ts';
import type {Fleet} from '../../src/lib/fleet/fleet.ts';
import type {Override, Plan} from '../../src/lib/plan/plan.ts';
import {gateOpen, planDocument} from '../../src/lib/plan/plan-document.ts';
import {readPlan} from '../../src/lib/plan/read-plan.ts';
import {capacityOf, type LevelsByRegion, type SevenOptions, sevenRegions, sevenSnapshot} from './seven-regions.ts';

/*
 * Each folder: `given.json` says what differs from the fleet of examples/seven-regions.yaml being well, at 12:00 UTC, with the catalog's primary in jp-tokyo
 * and these loads; `plan.txt` what the plan says of capacity: the gate, what it measured, and notes. Its p90 is a tenth above the mean.
 */
const CASES = join(import.meta.dirname, 'golden/capacity');
const LEVELS: Readonly<Record<string, LevelsByRegion>> = {
  ingest: {
    ...{'eu-frankfurt': {base: 2000}, 'us-virginia': {base: 2400}, 'sa-saopaulo': {base: 300}},
    ...{'jp-tokyo': {base: 700, peak: 1200}, 'ap-singapore': {base: 500}},
  },
  cpu: {
    'eu-frankfurt': {base: 35},
    'jp-tokyo': {base: 20},
    'ap-singapore': {base: 25},
    'us-virginia': {base: 35},
    'sa-saopaulo': {base: 30},
  },
  'ingest-india': {'in-mumbai': {base: 600}},
  'ingest-china': {'cn-beijing': {base: 900}},
};

type Given = SevenOptions & {
  readonly kind: 'failover' | 'switchover' | 'failback' | 'evacuation' | 'readmission';
  readonly from?: string;
  readonly to?: string;
  readonly loads?: Readonly<Record<string, LevelsByRegion>>;
  /** Series whose source does not answer. */
  readonly dead?: readonly string[];
  readonly overrides?: readonly string[];
};

let fleet: Fleet;
beforeAll(async () => {
  fleet = await sevenRegions();
});

function made({kind, from = 'jp-tokyo', to = 'ap-singapore', loads = {}, dead = [], overrides: gates = [], ...seen}: Given): Plan {
  const merged = Object.fromEntries(Object.entries(LEVELS).map(([name, levels]) => [name, {...levels, ...loads[name]}]));
  const capacity = capacityOf(fleet, merged, dead);
  const overrides = gates.map((gate): Override => ({gate, reason: 'a test', by: 'ops'}));
  const base = {id: 'run-1', fleet, snapshot: sevenSnapshot(fleet, seen), objectives: [], overrides, capacity};
  if (kind === 'failover') return planFailover({...base, from, to, loss: [], witness: false, guard: null, approve: false});
  if (kind === 'switchover') return planSwitchover({...base, from, to});
  if (kind === 'failback') return planFailback({...base, from, to});
  if (kind === 'readmission') return planReadmission({...base, to, sizes: {}, marks: {}});
  return planEvacuation({...base, from, outbound: {}, witness: false, approve: false});
}

function textOf(given: Given): string {
  const plan = made(given);
  const {gates, notes} = planDocument(plan);
  const own = gates.filter(({id}) => id === 'survivors-capacity');
  const measured = plan.gates.find(({id}) => id === 'survivors-capacity')?.measured ?? null;
  return [
    `${plan.kind} from ${plan.from} to ${plan.to}`,
    ...(own.length === 0 ? ['no gate of capacity'] : []),
    ...own.map((gate) => `gate ${gate.verdict}${gateOpen(gate) ? '' : ' (shut)'} ${gate.id}: ${gate.says}`),
    ...(measured === null ? [] : [`measured ${JSON.stringify(measured)}`]),
    ...plan.overrides.map(({gate}) => `passed by name: ${gate}`),
    ...notes.filter((note) => /carry|evenly/.test(note)).map((note) => `note ${note}`),
    '',
  ].join('\n');
}

describe('the gate survivors-capacity', () => {
  it.each(readdirSync(CASES))('%s', (name) => {
    const given = JSON.parse(readFileSync(join(CASES, name, 'given.json'), 'utf8')) as Given;
    expect(textOf(given)).toBe(readFileSync(join(CASES, name, 'plan.txt'), 'utf8'));
  });

  it('is part of the plan as it is saved and read again', () => {
    const plan = made({kind: 'failover', verdicts: {'jp-tokyo': 'unhealthy'}});
    expect(readPlan(JSON.stringify(plan), 'plan.json').gates).toEqual(plan.gates);
  });

  it('is no gate of plans that are not given loads', () => {
    const snapshot = sevenSnapshot(fleet);
    const plan = planSwitchover({id: 'run-1', fleet, snapshot, from: 'jp-tokyo', to: 'ap-singapore', objectives: [], overrides: []});
    expect(plan.gates.map(({id}) => id)).not.toContain('survivors-capacity');
  });
});

import {describe, expect, it} from 'vitest';
import type {PlanCapacity} from '../../src/lib/failover/capacity-gate.ts';
import {planReadmission} from '../../src/lib/failover/plan-readmission.ts';
import {prepareReviewed} from '../../src/lib/operate/reviewed.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {refuseShutGates} from '../../src/lib/run/judge-gates.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import {HOUR, load, loads, rule} from '../capacity/survive/world.ts';
import {REGIONS, sampleFleet, sampleSnapshot} from '../failover/three-regions.ts';

const fleet = sampleFleet({quorum: 0});
const PEER = {role: 'peer' as const, writable: true, upstream: null};
const AWAY = {'us-east': 0, 'eu-west': 100, ap: 100};

type World = {readonly silent?: string | null; readonly weights?: typeof AWAY; readonly limit?: number | null};

/** `limit` = of us-east, which is to have 100; null = nothing of capacity is known. */
function readmission({silent = null, weights = AWAY, limit = null}: World = {}): Plan {
  const members = Object.fromEntries(REGIONS.map((name) => [name, name === silent ? null : PEER]));
  const seen = sampleSnapshot({verdicts: {}, members});
  const {orders} = seen.stores;
  if (orders === undefined) throw new Error('no store');
  const snapshot = {...seen, routers: {'front-door': known(weights, 0, 'here')}, stores: {orders: {...orders, peers: true as const}}};
  const overrides = silent === null ? [] : [{gate: 'members', reason: 'a test', by: 'ops'}];
  const given = {
    id: 'readmission-1',
    fleet,
    snapshot,
    to: 'us-east',
    objectives: [],
    overrides,
    marks: {},
    capacity: limit === null ? undefined : capacityOf(limit),
  };
  return planReadmission({...given, sizes: {orders: {tables: 1, rows: 1, bytes: '1 B'}}});
}

function capacityOf(limit: number): PlanCapacity {
  const series = REGIONS.map((region) => load({name: 'requests', region, limit: region === 'us-east' ? limit : 1e6}));
  const facts = {...fleet, loads: [rule('requests', REGIONS)], windowMs: 4 * HOUR, headroom: 10};
  return {facts, loads: loads(series)};
}

const open = {
  fleet: {...fleet, digest: readmission().snapshot.fleetDigest},
  state: async () => ({plan: () => null}),
} as unknown as OpenFleet;
const reviewed = (saved: Plan, fresh: Plan) => {
  const options = {overrides: [], signal: new AbortController().signal};
  const file = {text: JSON.stringify(saved), file: 'plan.json', kind: 'failback' as const};
  return prepareReviewed(open, file, options, async () => ({plan: fresh, marks: []}));
};

describe('a saved readmission', () => {
  it('is run where nothing has changed', async () => {
    expect((await reviewed(readmission(), readmission())).plan.steps.map(({id}) => id)).toContain('audit');
  });

  it('is judged by the capacity of now: a limit that breaks since it was saved refuses it', async () => {
    const gateOf = ({gates}: Plan) => gates.find(({id}) => id === 'survivors-capacity');
    const saved = readmission({limit: 1e6});
    expect(gateOf(saved)?.verdict).toBe('pass');
    const {plan} = await reviewed(saved, readmission({limit: 50}));
    expect(gateOf(plan)).toMatchObject({verdict: 'refuse', says: expect.stringContaining('goes above its limit of 50 req/s')});
    const alone = {...plan, gates: plan.gates.filter(({id}) => id === 'survivors-capacity')};
    expect(() => refuseShutGates(alone)).toThrow(/gate survivors-capacity refuses/);
  });

  it('says what is said now, and no longer what was said when it was saved', async () => {
    const [saved, fresh] = [
      {...readmission(), remarks: ['as it was']},
      {...readmission(), remarks: ['as it is']},
    ];
    expect((await reviewed(saved, fresh)).plan.remarks).toEqual(['as it is']);
  });

  it('is refused where a member answers that it would neither wait for nor compare', async () => {
    const refusal = reviewed(readmission({silent: 'ap'}), readmission());
    await expect(refusal).rejects.toMatchObject({exit: 77, message: expect.stringContaining('with another caught-up, audit')});
  });

  it('is refused where a route sends something else since', async () => {
    const refusal = reviewed(readmission(), readmission({weights: {...AWAY, ap: 0}}));
    await expect(refusal).rejects.toMatchObject({
      exit: 77,
      message: expect.stringContaining(
        'front-door {"us-east":0,"eu-west":100,"ap":100}, and now it is front-door {"us-east":0,"eu-west":100,"ap":0}',
      ),
    });
  });
});

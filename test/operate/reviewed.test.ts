import {describe, expect, it} from 'vitest';
import {planReadmission} from '../../src/lib/failover/plan-readmission.ts';
import {prepareReviewed} from '../../src/lib/operate/reviewed.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import {REGIONS, sampleFleet, sampleSnapshot} from '../failover/three-regions.ts';

const fleet = sampleFleet({quorum: 0});
const PEER = {role: 'peer' as const, writable: true, upstream: null};
const AWAY = {'us-east': 0, 'eu-west': 100, ap: 100};

function readmission({silent = null, weights = AWAY}: {silent?: string | null; weights?: typeof AWAY} = {}): Plan {
  const members = Object.fromEntries(REGIONS.map((name) => [name, name === silent ? null : PEER]));
  const seen = sampleSnapshot({verdicts: {}, members});
  const {orders} = seen.stores;
  if (orders === undefined) throw new Error('no store');
  const snapshot = {...seen, routers: {'front-door': known(weights, 0, 'here')}, stores: {orders: {...orders, peers: true as const}}};
  const overrides = silent === null ? [] : [{gate: 'members', reason: 'a test', by: 'ops'}];
  const given = {id: 'readmission-1', fleet, snapshot, to: 'us-east', objectives: [], overrides, marks: {}};
  return planReadmission({...given, sizes: {orders: {tables: 1, rows: 1, bytes: '1 B'}}});
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

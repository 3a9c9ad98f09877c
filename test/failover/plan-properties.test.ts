import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {isRegionctlError} from '../../src/lib/errors.ts';
import {expectedLoss} from '../../src/lib/failover/expected-loss.ts';
import {chooseDestination, chooseSource, planFailover} from '../../src/lib/failover/plan-failover.ts';
import {REGIONS, sampleFleet, sampleSnapshot} from './three-regions.ts';

const verdict = fc.constantFrom('healthy', 'degraded', 'unhealthy', 'recovering', null);
const member = fc.option(
  fc.record({
    role: fc.constantFrom('primary', 'standby'),
    writable: fc.boolean(),
    epoch: fc.integer({min: 1, max: 3}),
    offset: fc.nat().map(String),
  }),
  {nil: null},
);
const world = fc.record({
  verdicts: fc.record(Object.fromEntries(REGIONS.map((name) => [name, verdict]))),
  members: fc.record(Object.fromEntries(REGIONS.map((name) => [name, member]))),
  quorum: fc.integer({min: 0, max: 2}),
  rpoMs: fc.constantFrom(0, 300_000),
  router: fc.boolean(),
  cold: fc.constantFrom(undefined, ...REGIONS),
  allowed: fc.constantFrom(null, ['US', 'EU'], ['US']),
});

type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

function planOf(sample: World) {
  const {cold, ...rest} = sample;
  const fleet = sampleFleet({...rest, ...(cold === undefined ? {} : {cold})});
  const snapshot = sampleSnapshot(rest as Parameters<typeof sampleSnapshot>[0]);
  const from = chooseSource(fleet, snapshot, undefined);
  const to = chooseDestination(fleet, snapshot, from, undefined);
  const loss = fleet.stores.map((spec) => expectedLoss(fleet, spec, snapshot, to));
  return {
    snapshot,
    plan: planFailover({
      id: 'r',
      fleet,
      snapshot,
      from,
      to,
      loss,
      objectives: [],
      overrides: [],
      witness: true,
      guard: null,
      approve: true,
    }),
  };
}

describe('any failover plan of any world', () => {
  it('refuses with a sentence, or seals, proves, catches up and only then promotes, on a member that answers as a standby', () => {
    fc.assert(
      fc.property(world, (sample) => {
        let made: ReturnType<typeof planOf>;
        try {
          made = planOf(sample);
        } catch (error) {
          expect(isRegionctlError(error) && error.message.length > 10).toBe(true);
          return;
        }
        const {plan, snapshot} = made;
        const order = plan.steps.map(({do: {action}}) => action);
        const at = (action: string) => order.indexOf(action);
        expect(at('store.claim')).toBeLessThan(at('store.seal'));
        expect(at('store.seal')).toBeLessThan(at('store.fence'));
        expect(at('store.fence')).toBeLessThan(at('store.catch-up'));
        expect(at('store.catch-up')).toBeLessThan(at('store.promote'));
        expect(at('store.durability')).toBeLessThan(at('store.promote'));
        const cell = snapshot.stores.orders?.members[plan.to ?? ''];
        expect(cell?.known === true && cell.value.role === 'standby').toBe(true);
        expect(plan.steps.filter(({pivot}) => pivot)).toHaveLength(1);
      }),
      {numRuns: 2000},
    );
  });

  it('passes all of its gates only for an unhealthy region, a fit target, and a loss within the RPO', () => {
    fc.assert(
      fc.property(world, (sample) => {
        let made: ReturnType<typeof planOf>;
        try {
          made = planOf(sample);
        } catch {
          return;
        }
        const {plan} = made;
        // Gates that ask the world are still open: they cannot pass here.
        if (!plan.gates.every(({verdict: judged, asks}) => judged === 'pass' || asks.length > 0)) return;
        expect(sample.verdicts[plan.from ?? '']).toBe('unhealthy');
        expect(['healthy', 'degraded', 'recovering']).toContain(sample.verdicts[plan.to ?? '']);
        expect(sample.router).toBe(true);
        expect(plan.to).not.toBe(sample.cold);
        for (const loss of plan.expected.loss) {
          expect(loss.certainty).not.toBe('unknown');
          if (sample.rpoMs === 0) expect(loss.certainty).not.toBe('estimate');
        }
      }),
      {numRuns: 5000},
    );
  });
});

import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type Contribution, worstCases} from '../../src/lib/failover/worst-case.ts';
import {worstCaseFinding} from '../../src/lib/failover/worst-case-says.ts';
import type {Fleet, ServiceSpec} from '../../src/lib/fleet/fleet.ts';
import {sampleFleet} from './three-regions.ts';

/*
 * Each folder: `given.json` says what differs from one store `orders` with its primary in us-east and one critical service with an RTO of 15 min;
 * `findings.txt` what `doctor` says. Contributions come on top and concern every failover unless they say otherwise.
 */
const CASES = join(import.meta.dirname, 'golden/worst-case');

type Part = Omit<Contribution, 'ms' | 'together' | 'concerns'> & {
  readonly ms: number | 'unlimited' | null;
  readonly together?: string;
  readonly concerns?: Contribution['concerns'];
};
type Given = {
  /** Stores with the regions of their members. */
  readonly stores?: Readonly<Record<string, readonly string[]>>;
  readonly services?: readonly ServiceSpec[];
  readonly primaries?: Readonly<Record<string, string | null>>;
  readonly contributions: readonly Part[];
  readonly peopleMs?: number;
};

const contribution = ({ms, together = undefined, concerns = {}, ...part}: Part): Contribution => ({
  ...part,
  ms: ms === 'unlimited' ? Number.POSITIVE_INFINITY : ms,
  together: together ?? null,
  concerns,
});

function fleetOf({stores, services}: Pick<Given, 'stores' | 'services'>): Fleet {
  const fleet = sampleFleet();
  const [orders] = fleet.stores;
  if (orders === undefined) throw new Error('the sample fleet has no store');
  const specs = Object.entries(stores ?? {}).map(([name, regions]) => ({
    ...orders,
    name,
    members: regions.map((region) => ({name: `${name}-${region}`, region, site: null, config: {}, host: null})),
  }));
  return {...fleet, stores: stores === undefined ? fleet.stores : specs, services: services ?? fleet.services};
}

describe('what doctor says of the worst case', () => {
  it.each(readdirSync(CASES))('%s', (name) => {
    const given = JSON.parse(readFileSync(join(CASES, name, 'given.json'), 'utf8')) as Given;
    const contributions = given.contributions.map(contribution);
    const worst = worstCases({fleet: fleetOf(given), primaries: given.primaries ?? {orders: 'us-east'}, contributions});
    const findings = worst.map((each) => worstCaseFinding(each, given.peopleMs ?? null));
    const text = findings.map(
      ({check, verdict, says, fix}) => `${verdict} | ${check}\n  ${says}\n${fix === null ? '' : `  Fix: ${fix}\n`}`,
    );
    expect(text.join('')).toBe(readFileSync(join(CASES, name, 'findings.txt'), 'utf8'));
  });
});

const parts = fc.array(
  fc.record({
    stage: fc.constantFrom('detect' as const, 'cut-over' as const),
    what: fc.constant('a part'),
    ms: fc.oneof(fc.integer({min: 0, max: 1_000_000}), fc.constant(null), fc.constant(Number.POSITIVE_INFINITY)),
    why: fc.constant('a reason'),
    fix: fc.constant(null),
    together: fc.constantFrom(null, 'a', 'b'),
    concerns: fc.constantFrom({}, {store: 'orders'}, {route: 'front-door'}, {region: 'ap'}),
  }),
  {maxLength: 12},
);
const judge = (contributions: readonly Contribution[], rtoMs = 900_000) => {
  const services = [{name: 'checkout', class: 'critical', rtoMs, stores: ['orders'], routes: ['front-door']}];
  const [worst] = worstCases({fleet: fleetOf({services}), primaries: {orders: 'us-east'}, contributions});
  if (worst === undefined) throw new Error('no service class');
  return worst;
};

describe('whatever contributes', () => {
  it('the whole is at least its longest part, and at most the sum of all', () => {
    fc.assert(
      fc.property(parts, (contributions) => {
        const {totalMs} = judge(contributions);
        const known = contributions.map(({ms}) => ms ?? 0);
        expect(totalMs).toBeGreaterThanOrEqual(Math.max(0, ...known));
        expect(totalMs).toBeLessThanOrEqual(known.reduce((sum, ms) => sum + ms, 0));
      }),
    );
  });

  it('one more part never makes it shorter, and never makes an objective met', () => {
    const rank = {false: 0, null: 1, true: 2} as const;
    fc.assert(
      fc.property(parts, parts, fc.integer({min: 1, max: 2_000_000}), (some, more, rtoMs) => {
        const [fewer, all] = [judge(some, rtoMs), judge([...some, ...more], rtoMs)];
        expect(all.totalMs).toBeGreaterThanOrEqual(fewer.totalMs);
        expect(rank[`${all.met}`]).toBeLessThanOrEqual(rank[`${fewer.met}`]);
      }),
    );
  });

  it('is the same in any order', () => {
    fc.assert(
      fc.property(parts, (contributions) => {
        const [one, other] = [judge(contributions), judge(contributions.toReversed())];
        expect([other.totalMs, other.met, other.unknown.length]).toEqual([one.totalMs, one.met, one.unknown.length]);
      }),
    );
  });

  it('is never called met while something is not known, or beyond the objective', () => {
    fc.assert(
      fc.property(parts, fc.integer({min: 1, max: 2_000_000}), (contributions, rtoMs) => {
        const {met, totalMs, unknown} = judge(contributions, rtoMs);
        expect(met).toBe(totalMs > rtoMs ? false : unknown.length > 0 ? null : true);
        expect(unknown.length).toBe(contributions.filter(({ms}) => ms === null).length);
      }),
    );
  });
});

import {describe, expect, it} from 'vitest';
import type {SeriesSpec} from '../../src/lib/fleet/fleet.ts';
import {fleetNow} from '../../src/lib/operate/fleet-now.ts';
import {judgeSurvival} from '../../src/lib/operate/survive.ts';
import {surviveSchema} from '../../src/lib/output/schemas/survive.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {NOW, openMetrics, readingsIn, seriesSpec, sourceOf, steady} from './open-metrics.ts';

const {signal} = new AbortController();
const ROUTE = {name: 'front-door', weights: {us: 50, eu: 50, ap: 50}};
const REGIONS = ['us', 'eu', 'ap'];
const requests = seriesSpec({regions: REGIONS.map((region) => ({region, limit: 100, query: null, size: 1}))});

type World = {
  readonly read?: () => Promise<Readonly<Record<string, number>>>;
  /** What is remembered of regions; null = there is no state. */
  readonly remembered?: Readonly<Record<string, Json>> | null;
  readonly series?: SeriesSpec;
  readonly source?: typeof steady;
};

function world({read = async () => ROUTE.weights, remembered = {}, series = requests, source = steady}: World = {}): OpenFleet {
  const {open} = openMetrics({series: [series], sources: {prom: source}});
  const fleet = {...open.fleet, routes: [{...ROUTE, kind: 'lab'}]};
  const state = async () => {
    if (remembered === null) throw new Error('the disk is full');
    return {recall: (key: string) => remembered[key], notes: () => []};
  };
  return {...open, fleet, routers: {'front-door': {read}}, stores: {}, probes: [], uplinks: [], state} as unknown as OpenFleet;
}

const remembered = (state: string, more: Readonly<Record<string, Json>> = {}): Json => ({
  ...{state, since: NOW - 3_600_000, rises: 0, falls: 9, unseenSince: null, lookedAt: NOW - 60_000},
  ...more,
});
const allUp = Object.fromEntries(REGIONS.map((region) => [`health/lab/${region}`, remembered('healthy')]));

describe('capacity survive', () => {
  it('assumes nothing where routers and checks answer', async () => {
    const {document, exit} = await judgeSurvival(world({remembered: allUp}), {lose: ['us'], depth: 1, signal});
    expect(surviveSchema.parse(document)).toEqual(document);
    expect([exit, document.verdict, document.assumed]).toEqual([0, 'survives', []]);
    expect(document.combinations[0]?.rows.map(({region}) => region)).toEqual(['eu', 'ap']);
    expect(document.now).toEqual({
      routes: [{route: 'front-door', weights: ROUTE.weights, reason: ''}],
      regions: REGIONS.map((region) => ({region, verdict: 'healthy', at: new Date(NOW - 60_000).toISOString()})),
    });
  });

  it('what routers send now counts, and not the fleet file', async () => {
    const open = world({remembered: allUp, read: async () => ({us: 50, eu: 0, ap: 50})});
    const {document} = await judgeSurvival(open, {lose: ['us'], depth: 1, signal});
    expect(document.combinations[0]?.rows.map(({region}) => region)).toEqual(['ap']);
    expect(document.assumed).toEqual(['eu takes nothing: front-door sends it nothing now, and 50 by the fleet file']);
  });

  it('a region that the last check found down takes nothing; where nobody else is left, that is critical', async () => {
    const one = {...allUp, 'health/lab/eu': remembered('unhealthy')};
    const {document, exit} = await judgeSurvival(world({remembered: one}), {lose: ['us'], depth: 1, signal});
    expect(document.combinations[0]?.rows.map(({region, takes}) => [region, takes.map(({from}) => from)])).toEqual([['ap', ['us', 'eu']]]);
    expect(exit).toBe(0);
    const two = {...one, 'health/lab/ap': remembered('unhealthy', {unseenSince: NOW})};
    expect((await judgeSurvival(world({remembered: two}), {lose: ['us'], depth: 1, signal})).exit).toBe(2);
  });

  it('says what it does not know: no router, no check, no state', async () => {
    const read = () => Promise.reject(new Error('connection refused'));
    const {document, exit} = await judgeSurvival(world({read, remembered: null}), {lose: ['us'], depth: 1, signal});
    expect(document.assumed).toEqual([
      'what front-door sends now is not known, and taken to be what the fleet file says: route front-door could not be read: connection refused',
      'taken to be up, and not known to be: us, eu, ap (never checked); regionctl health check asks them',
    ]);
    expect(exit).toBe(0);
  });

  it('loads below zero are left out, and that is said', async () => {
    const source = sourceOf((_, range) => ({
      sets: [{labels: {}, readings: readingsIn(range, (at) => (at > NOW - 30 * 3_600_000 && at <= NOW - 20 * 3_600_000 ? -1e6 : 5))}],
      remarks: [],
    }));
    const {document} = await judgeSurvival(world({source, remembered: allUp}), {lose: ['us'], depth: 1, signal});
    expect(document.combinations[0]?.rows[0]?.mean).toBeCloseTo(7.5, 1);
    expect(document.combinations[0]?.notes.join()).toMatch(
      /requests of eu: 1\d values are below zero, the newest at 2026-03-29 0\d:00Z: no load is/,
    );
  });
});

it('a router that hangs is not waited for after an interruption', async () => {
  const stop = new AbortController();
  const reading = fleetNow(world({read: () => new Promise(() => undefined)}), stop.signal);
  stop.abort(new Error('interrupted'));
  await expect(reading).rejects.toThrow('interrupted');
});

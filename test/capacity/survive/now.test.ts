import {describe, expect, it} from 'vitest';
import {type FleetNow, type LastVerdict, standingOf} from '../../../src/lib/capacity/survive/now.ts';
import {surviveNow} from '../../../src/lib/capacity/survive/survive.ts';
import {facts, HOUR, type LoadSample, load, loads, NOW, rule} from './world.ts';

const ALL = ['us', 'eu', 'ap'];
const NORMAL = {us: 50, eu: 30, ap: 20};
const verdict = (region: string, said: string | null = 'healthy', at: number | null = NOW - 60_000): LastVerdict => ({
  region,
  verdict: said,
  at,
});
const now = (weights: Readonly<Record<string, number>> | null = NORMAL, verdicts = ALL.map((region) => verdict(region))): FleetNow => ({
  ...{at: NOW, verdicts},
  routes: [{route: 'front-door', weights, reason: weights === null ? 'no answer within 5000 ms' : ''}],
});
const series = (each: Readonly<Record<string, Partial<LoadSample>>> = {}) =>
  loads(ALL.map((region) => load({name: 'requests', region, ...each[region]})));
function lost(lose: readonly string[], fleet: FleetNow, each = series(), world = facts()) {
  const standing = standingOf(world, fleet);
  const found = surviveNow(standing, each, {lose});
  const takers = Object.fromEntries(found.rows.map(({region, mean, takes}) => [region, {mean, from: takes.map(({from}) => from)}]));
  return {found, takers, assumed: standing.assumed};
}

describe('who takes what a region had, as the fleet stands now', () => {
  it('is as the fleet file says where all is well, and nothing has to be assumed', () => {
    const {takers, assumed} = lost(['us'], now());
    expect(takers).toEqual({eu: {mean: 160, from: ['us']}, ap: {mean: 140, from: ['us']}});
    expect(assumed).toEqual([]);
  });

  /* eu was drained six hours ago: us and ap have had its 100 since, 50 : 20. When us is lost, all 300 are with ap, at any hour. */
  it('a drained region takes nothing, and what it had is with those that have it', () => {
    const fleet = now({...NORMAL, eu: 0});
    const each = series({eu: {gone: 6, fill: 0}, us: {gone: 6, fill: 100 + 500 / 7}, ap: {gone: 6, fill: 100 + 200 / 7}});
    const {takers, assumed, found} = lost(['us'], fleet, each);
    expect(Object.keys(takers)).toEqual(['ap']);
    expect(takers.ap?.mean).toBeCloseTo(300, 9);
    expect(assumed).toEqual(['eu takes nothing: front-door sends it nothing now, and 30 by the fleet file']);
    expect(found.lose).toEqual(['us']);
  });

  it('is judged when the region that is lost was drained before: those that took it by what they have', () => {
    const each = series({eu: {gone: 6, fill: 0}, us: {gone: 6, fill: 100 + 500 / 7}, ap: {gone: 6, fill: 100 + 200 / 7}});
    const {takers} = lost(['eu'], now({...NORMAL, eu: 0}), each);
    expect(takers.us?.mean).toBeCloseTo(100 + 500 / 7, 9);
    expect(takers.ap?.mean).toBeCloseTo(100 + 200 / 7, 9);
  });

  /* eu is down, and its traffic is still sent there: with us it is lost. */
  it('a region that is down by its last check takes nothing, and what is sent there has to go elsewhere, too', () => {
    const {takers, assumed, found} = lost(['us'], now(NORMAL, [verdict('us'), verdict('eu', 'unhealthy'), verdict('ap')]));
    expect(takers).toEqual({ap: {mean: 300, from: ['us', 'eu']}});
    expect(assumed).toEqual(['eu takes nothing: it is down by the last check of 2026-11-28 11:59Z (regionctl health check --region eu)']);
    expect(found.lose).toEqual(['us']);
  });

  it('is nobody where the only other one is down: that breaks', () => {
    const world = facts({routes: [{name: 'front-door', weights: {us: 100, eu: 0, ap: 0}}]});
    const fleet = now({us: 100, eu: 0, ap: 0}, [verdict('us'), verdict('eu', 'unhealthy'), verdict('ap', 'unhealthy')]);
    const {found} = lost(['us'], fleet, series(), {...world, loads: [rule('requests', ['us'])]});
    expect(found).toMatchObject({verdict: 'breaks', rows: [], stranded: [{region: 'us', law: false}]});
    expect(found.says).toContain('eu is lost too');
  });

  it('a standby that never has a weight is one that takes; one that a route was drained of is not', () => {
    const world = facts({routes: [{name: 'front-door', weights: {us: 100, eu: 0, ap: 0}}]});
    expect(Object.keys(lost(['us'], now({us: 100, eu: 0, ap: 0}), series(), world).takers)).toEqual(['eu']);
    const both = facts({routes: [{name: 'front-door', weights: {us: 50, eu: 50, ap: 0}}]});
    expect(Object.keys(lost(['us'], now({us: 100, eu: 0, ap: 0}), series(), both).takers)).toEqual(['ap']);
  });

  it('a part that was moved before is counted in that part', () => {
    // us went from 50 to 10 of 100 six hours ago: it has 10/60, a third of what it had; two thirds went to eu and ap.
    const moved = 200 / 3;
    const each = series({us: {gone: 6, fill: 100 - moved}, eu: {gone: 6, fill: 100 + moved * 0.6}, ap: {gone: 6, fill: 100 + moved * 0.4}});
    const {takers, found} = lost(['eu'], now({us: 10, eu: 30, ap: 20}), each);
    // eu's 140 go 1 : 2 to us and ap, at any hour.
    expect(takers.us?.mean).toBeCloseTo(100 - moved + 140 / 3, 6);
    expect(takers.ap?.mean).toBeCloseTo(100 + moved * 0.4 + 280 / 3, 6);
    expect(found.notes).toEqual(['66.7 % of what us normally has of requests goes elsewhere now, since 2026-11-28 06:00Z']);
  });
});

describe('a part that is in an outage hides nothing of what goes on', () => {
  it('a region that takes and idles by its own metrics is judged by what it had before, and that is said', () => {
    const {takers, found} = lost(['us'], now(), series({eu: {gone: 9, fill: 2}}));
    expect(takers.eu?.mean).toBe(160);
    expect(found.notes).toEqual([
      'requests of eu has been 2 req/s since 2026-11-28 03:00Z, where 100 req/s are usual at least: that is taken for an outage, and left out',
    ]);
  });

  it.each([
    ['idles', 2],
    ['is at zero', 0],
    ['lost its metrics', Number.NaN],
  ])('where the region that is lost %s, those above their limit now break it', (_, fill) => {
    const {found} = lost(['us'], now(), series({us: {gone: 30, fill}, eu: {gone: 30, fill: 1200}}));
    expect(found).toMatchObject({verdict: 'breaks', first: {region: 'eu', mean: 1200, breaksAt: NOW}});
    expect(found.rows.find(({region}) => region === 'ap')?.mean).toBe(140);
  });

  it('also where its series has no steps any more', () => {
    const {found} = lost(['us'], now(), {
      ...loads([]),
      series: series({eu: {gone: 30, fill: 1200}}).series.map((each) =>
        each.region === 'us' ? {...each, starts: each.starts.slice(0, 66), values: each.values.slice(0, 66)} : each,
      ),
    });
    expect(found).toMatchObject({verdict: 'breaks', first: {region: 'eu', mean: 1200}});
  });
});

describe('what is assumed is said', () => {
  it('of a route that sends nothing to anybody: what it normally sends is what has to go somewhere', () => {
    const {takers, assumed} = lost(['us'], now({us: 0, eu: 0, ap: 0}));
    expect(takers).toEqual({eu: {mean: 160, from: ['us']}, ap: {mean: 140, from: ['us']}});
    expect(assumed).toEqual(['front-door sends nothing to anybody now: it is judged by what the fleet file says']);
  });

  it('of a router that does not answer, and of regions that nobody looked at lately', () => {
    const verdicts = [verdict('us', null, null), verdict('eu', 'healthy', NOW - 5 * HOUR), verdict('ap', 'unknown')];
    expect(lost(['us'], now(null, verdicts)).assumed).toEqual([
      'what front-door sends now is not known, and taken to be what the fleet file says: no answer within 5000 ms',
      'taken to be up, and not known to be: us (never checked); eu (last checked 2026-11-28 07:00Z); ap (could not be judged at 2026-11-28 11:59Z); regionctl health check asks them',
    ]);
    expect(lost(['us'], now(NORMAL, [])).assumed[0]).toContain('us, eu, ap (never checked)');
  });

  it('values below zero are no load, and are said', async () => {
    const {withoutNegatives} = await import('../../../src/lib/capacity/survive/negative.ts');
    const wrong = series({eu: {at: (hour) => (hour === 3 ? -500 : 100)}});
    const each = {...wrong, series: wrong.series.map(withoutNegatives)};
    const {takers, found} = lost(['us'], now(), each);
    expect(takers.eu?.mean).toBe(160);
    expect(found.notes).toEqual([
      'requests of eu: 4 values are below zero, the newest at 2026-11-28 03:00Z: no load is, so they are left out',
    ]);
  });
});

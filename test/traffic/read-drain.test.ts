import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type DrainInput, decideDrain, drainedRoutes, keptServing, lagOfRegions} from '../../src/lib/traffic/read-drain.ts';
import {storeSpec} from '../operate/open-stores.ts';
import {drainingStore, drainLink, lagOf, route, SINCE} from './drain-samples.ts';

const ROUTE = route({us: 40, eu: 30, ap: 30});
const STORES = {stores: [drainingStore(['us', 'eu', 'ap'])]};
const isUs = (_: string, member: string): boolean => member === 'us';

describe('how late a region is', () => {
  it('goes by the breakers of the links to its members, and a primary is behind nobody', () => {
    const lag = lagOfRegions(STORES, ROUTE, [drainLink('us', 'eu'), drainLink('us', 'ap', 'open')], isUs);
    expect(lag).toEqual({
      us: {state: 'well', isFine: true, lagMs: 0, says: 'us is the primary of orders'},
      eu: {state: 'well', isFine: true, lagMs: 0, says: 'orders us → eu can be relied on'},
      ap: {state: 'open', isFine: false, lagMs: 75_000, says: 'the breaker of orders us → ap is open: 75 s behind'},
    });
    const closing = drainLink('us', 'ap', 'open', {seconds: 2});
    expect(lagOfRegions(STORES, ROUTE, [closing], isUs).ap, 'it is fine, and waits for readmit').toMatchObject({
      state: 'open',
      isFine: true,
    });
  });

  it('is not known by links that were not seen, or not lately, nor for a member without any that is no primary', () => {
    const old = drainLink('us', 'eu', 'closed', {isFresh: false});
    const unread = drainLink('us', 'ap', 'closed', {state: 'unknown'});
    expect(lagOfRegions(STORES, ROUTE, [old, unread], () => null)).toMatchObject({
      us: {state: 'unknown'},
      eu: {state: 'unknown'},
      ap: {state: 'unknown'},
    });
    const gone = drainLink('us', 'ap', 'open', {state: 'unknown', isFresh: false});
    expect(lagOfRegions(STORES, ROUTE, [gone], isUs).ap, 'what was open may be over').toMatchObject({state: 'unknown', isFine: false});
  });

  it('is not well by a link that is closed because it is new, or is late, broken, or without a figure right now', () => {
    const all = [
      drainLink('us', 'ap', 'warn'),
      drainLink('us', 'ap', 'closed', {state: 'broken', seconds: 0}),
      drainLink('us', 'ap', 'closed', {state: 'stalled', seconds: 0}),
      drainLink('us', 'ap', 'closed', {state: 'catching-up', seconds: 3600}),
      drainLink('us', 'ap', 'closed', {seconds: null}),
    ];
    for (const each of all) expect(lagOfRegions(STORES, ROUTE, [each], isUs).ap).toMatchObject({state: 'unknown', isFine: false});
    const oneOfTwo = [drainLink('us', 'ap'), drainLink('eu', 'ap', 'closed', {state: 'broken', seconds: null})];
    expect(lagOfRegions(STORES, ROUTE, oneOfTwo, isUs).ap).toMatchObject({state: 'unknown', isFine: false});
  });

  it('warns are no reason yet, and one good copy in the region is enough', () => {
    const spec = drainingStore(['us', 'ap', 'ap-2']);
    const two = {stores: [{...spec, members: spec.members.map((each) => (each.name === 'ap-2' ? {...each, region: 'ap'} : each))}]};
    const late = drainLink('us', 'ap', 'open');
    expect(lagOfRegions(two, ROUTE, [late, drainLink('us', 'ap-2')], isUs).ap?.state).toBe('well');
    expect(lagOfRegions(two, ROUTE, [late, drainLink('us', 'ap-2', 'warn')], isUs).ap?.state).toBe('unknown');
    expect(lagOfRegions(two, ROUTE, [late, drainLink('us', 'ap-2', 'closed', {state: 'unknown'})], isUs).ap?.state).toBe('unknown');
    expect(lagOfRegions(two, ROUTE, [late, drainLink('us', 'ap-2', 'open', {seconds: 90})], isUs).ap).toMatchObject({
      state: 'open',
      lagMs: 75_000,
    });
  });

  it('is late where one of several stores is, and where one of several peers is', () => {
    const both = {stores: [drainingStore(['us', 'eu']), drainingStore(['us', 'eu'], 2, 'carts')]};
    const links = [drainLink('us', 'eu'), drainLink('us', 'eu', 'open', {store: 'carts'})];
    expect(lagOfRegions(both, ROUTE, links, isUs).eu).toMatchObject({state: 'open', says: expect.stringContaining('carts us → eu')});
    expect(keptServing(both, 'reads'), 'the most that any of them wants').toBe(2);
    const mesh = [drainLink('us', 'eu'), drainLink('ap', 'eu', 'open')];
    expect(lagOfRegions(STORES, ROUTE, mesh, () => false).eu?.state).toBe('open');
  });

  it('concerns only stores that name the route, and regions that have members of them', () => {
    const other = {stores: [storeSpec('orders', ['us', 'eu'])], routes: [ROUTE]};
    expect(drainedRoutes(other)).toEqual([]);
    expect(lagOfRegions({stores: [drainingStore(['us', 'eu'])]}, ROUTE, [], isUs).ap).toEqual({
      state: 'well',
      isFine: true,
      lagMs: null,
      says: 'no store is read there',
    });
  });
});

const input = (more: Partial<DrainInput>): DrainInput => ({
  weights: {us: 40, eu: 30, ap: 30},
  held: {},
  left: [],
  lag: {us: lagOf('well'), eu: lagOf('well'), ap: lagOf('well')},
  isReady: () => true,
  isFit: () => true,
  fitness: (region) => `${region} is down`,
  keep: 1,
  ...more,
});
const held = (weight: number) => ({weight, since: SINCE, run: 'shift-1', says: 'it was late', fineSince: null, seenAt: SINCE});

describe('what a breaker does to a route', () => {
  it('holds the late region off, and gives it back what it had', () => {
    const late = decideDrain(input({lag: {us: lagOf('well'), eu: lagOf('well'), ap: lagOf('open')}}));
    expect(late).toEqual({next: {us: 40, eu: 30, ap: 0}, hold: [{region: 'ap', weight: 30, says: 'it is open'}], giveBack: [], stays: []});
    const well = decideDrain(input({weights: late.next, held: {ap: held(30)}}));
    expect(well).toEqual({
      next: {us: 40, eu: 30, ap: 30},
      hold: [],
      giveBack: [{region: 'ap', weight: 30, says: 'it is well'}],
      stays: [],
    });
  });

  it('leaves what is not known as it is, and what another hand has moved', () => {
    const lag = {us: lagOf('well'), eu: lagOf('unknown'), ap: lagOf('open')};
    const weights = {us: 40, eu: 0, ap: 30};
    expect(decideDrain(input({weights, held: {eu: held(30)}, left: ['ap'], lag}))).toEqual({
      ...{next: weights, hold: [], giveBack: []},
      stays: [{region: 'ap', says: 'it is open; it is left alone until its links have closed once'}],
    });
  });

  it('gives nothing back that was not fine for long enough, or is seen to be down', () => {
    const weights = {us: 40, eu: 30, ap: 0};
    for (const more of [{isReady: () => false}, {isFit: (region: string) => region !== 'ap'}])
      expect(decideDrain(input({weights, held: {ap: held(30)}, ...more})).giveBack).toEqual([]);
    expect(decideDrain(input({weights, held: {ap: held(30)}, isFit: (region) => (region === 'ap' ? null : true)})).giveBack).toHaveLength(
      1,
    );
  });

  it('never holds the last one off: the latest goes first, and the least late stays', () => {
    const lag = {us: lagOf('open', 61_000), eu: lagOf('open', 90_000), ap: lagOf('open', null)};
    const all = decideDrain(input({lag}));
    expect(all.next).toEqual({us: 40, eu: 0, ap: 0});
    expect(
      all.hold.map(({region}) => region),
      'what is not known may be the latest',
    ).toEqual(['ap', 'eu']);
    expect(all.stays).toEqual([{region: 'us', says: 'it is open; it goes on serving: no other region is seen to be fit, and 1 must'}]);
    const bare = decideDrain(input({lag: {...lag, us: lagOf('well')}, isFit: () => null, fitness: () => 'it has no endpoints'}));
    expect(bare.stays[0]?.says).toContain(
      'no other region is seen to be fit (us: it has no endpoints) (eu: it has no endpoints), and 1 must',
    );
    expect(decideDrain(input({lag, keep: 2})).hold.map(({region}) => region)).toEqual(['ap']);
    expect(decideDrain(input({lag, keep: 2})).stays.at(-1)?.says).toBe('it is open; it goes on serving: only eu would serve, and 2 must');
  });

  it('counts on no region that is down, or that is not known', () => {
    const lag = {us: lagOf('well'), eu: lagOf('well'), ap: lagOf('open')};
    for (const fitness of [false, null])
      expect(decideDrain(input({lag, isFit: (region) => (region === 'ap' ? true : fitness)}))).toMatchObject({
        next: {ap: 30},
        stays: [{region: 'ap'}],
      });
  });

  it('gives the least late one back when nobody who could serve is left: late reads are better than none', () => {
    const weights = {us: 40, eu: 0, ap: 0};
    const lag = {us: lagOf('well'), eu: lagOf('open', 90_000), ap: lagOf('open', 70_000)};
    const both = {eu: held(30), ap: held(20)};
    const down = decideDrain(input({weights, lag, held: both, isFit: (region) => region !== 'us'}));
    expect(down.next).toEqual({us: 40, eu: 0, ap: 20});
    expect(down.giveBack).toEqual([{region: 'ap', weight: 20, says: 'too few other regions can serve: it is open', isSpared: true}]);
    const blind = decideDrain(input({weights, lag, held: both, isFit: () => null}));
    expect(blind.giveBack, 'who sees nobody concludes nothing').toEqual([]);
  });

  it('keeps to its rules whatever is seen', () => {
    const regions = ['us', 'eu', 'ap', 'sa'];
    const lag = fc.record({
      state: fc.constantFrom('open', 'well', 'unknown'),
      lagMs: fc.option(fc.nat(100_000)),
      says: fc.constant('so'),
      isFine: fc.boolean(),
    });
    const each = <T>(of: fc.Arbitrary<T>) =>
      fc.tuple(of, of, of, of).map((all) => Object.fromEntries(regions.map((name, index) => [name, all[index] as T])));
    const any = fc.record({
      weights: each(fc.constantFrom(0, 0, 10, 50, 100)),
      isHeld: each(fc.boolean()),
      left: fc.subarray(regions),
      ready: each(fc.boolean()),
      lag: each(lag as fc.Arbitrary<ReturnType<typeof lagOf>>),
      fit: each(fc.option(fc.boolean())),
      keep: fc.integer({min: 1, max: 3}),
    });
    type Any = typeof any extends fc.Arbitrary<infer T> ? T : never;
    const decided = ({weights, isHeld, left, lag: lags, fit, ready, keep}: Any) => {
      const off = regions.filter((region) => isHeld[region] && !left.includes(region));
      const now = {...weights, ...Object.fromEntries(off.map((region) => [region, 0]))};
      const isFit = (region: string) => fit[region] ?? null;
      const all = decideDrain(
        input({
          weights: now,
          held: Object.fromEntries(off.map((region) => [region, held(30)])),
          left,
          lag: lags,
          isFit,
          isReady: (region) => ready[region] === true,
          keep,
        }),
      );
      const serving = (able: (fitness: boolean | null) => boolean) =>
        regions.filter((region) => (all.next[region] ?? 0) > 0 && able(isFit(region)));
      return {...all, off, now, serving};
    };
    const holds = (given: Any): void => {
      const {next, hold, giveBack, off, now, serving} = decided(given);
      const changed = regions.filter((region) => next[region] !== now[region]);
      expect(changed.toSorted(), 'what changes is told, and nothing else').toEqual(
        [...hold, ...giveBack].map(({region}) => region).toSorted(),
      );
      for (const {region, weight} of hold) {
        expect(given.lag[region]?.state).toBe('open');
        expect([weight, next[region], given.left.includes(region), off.includes(region)]).toEqual([now[region], 0, false, false]);
      }
      if (hold.length > 0)
        expect(serving((fitness) => fitness === true).length, 'enough that are fit go on').toBeGreaterThanOrEqual(given.keep);
    };
    const givesBack = (given: Any): void => {
      const {next, giveBack, stays, off, now, serving} = decided(given);
      for (const {region} of giveBack) expect(off).toContain(region);
      for (const {region} of stays) expect(next[region]).toBe(now[region]);
      const well = off.filter((region) => given.lag[region]?.state === 'well' && given.ready[region] && given.fit[region] !== false);
      expect(
        well.map((region) => next[region]),
        'what is well is back',
      ).toEqual(well.map(() => 30));
      const waiting = off.filter((region) => next[region] === 0 && given.fit[region] === true);
      if (serving((fitness) => fitness !== false).length < given.keep) expect(waiting, 'nobody who could serve waits').toEqual([]);
    };
    fc.assert(fc.property(any, holds));
    fc.assert(fc.property(any, givesBack));
  });
});

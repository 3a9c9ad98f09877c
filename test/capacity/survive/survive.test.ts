import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {Series} from '../../../src/lib/capacity/series.ts';
import {changeFlows, combinationsOf, type Flow} from '../../../src/lib/capacity/survive/flows.ts';
import {survive, surviveFlows, type TrafficChange} from '../../../src/lib/capacity/survive/survive.ts';
import {facts, HOUR, type LoadSample, load, loads, NOW, rule} from './world.ts';

const three = (us: Partial<LoadSample> = {}, eu: Partial<LoadSample> = {}, ap: Partial<LoadSample> = {}) => [
  load({name: 'requests', region: 'us', ...us}),
  load({name: 'requests', region: 'eu', ...eu}),
  load({name: 'requests', region: 'ap', ...ap}),
];
const rowOf = (made: ReturnType<typeof survive>, region: string) => made.rows.find((row) => row.region === region);
/** The mean of ap when this changes. */
function meanOfAp(change: TrafficChange, series: readonly Series[], world = facts()): number | null | undefined {
  return rowOf(surviveFlows(world, loads(series), change), 'ap')?.mean;
}

describe('survive', () => {
  /* us is lost: eu and ap have weights 30 and 20, so eu takes 3/5 of its 100 and ap 2/5: 160 and 140; p90 is a tenth more: 176 and 154. */
  it('shares what a region had in proportion to the weights that are left', () => {
    const made = survive(facts(), loads(three()), {lose: ['us']});
    expect(made).toMatchObject({lose: ['us'], verdict: 'survives', stranded: [], notes: []});
    expect(rowOf(made, 'eu')).toMatchObject({takes: [{from: 'us', share: 0.6, factor: 1}], mean: 160, limit: 1000, breaksAt: null});
    expect(rowOf(made, 'eu')?.p90).toBeCloseTo(176, 9);
    expect(rowOf(made, 'ap')?.p90).toBeCloseTo(154, 9);
    expect(made.says).toBe('requests of eu with 60 % of us reaches 176 req/s (p90) of 1,000 req/s at 2026-11-28 12:00Z: 82.4 % is left');
  });

  /* us peaks at 14:00 with 1000, eu is at 500 all day: from 14:00 eu has 500 + 600 = 1100, p90 1210, and its limit is 1000. */
  it('names the limit that breaks first, and when', () => {
    const made = survive(facts(), loads(three({at: (hour) => (hour === 14 ? 1000 : 100)}, {at: () => 500})), {lose: ['us']});
    expect(made.verdict).toBe('breaks');
    expect(made.first).toMatchObject({series: 'requests', region: 'eu', breaksAt: NOW + 2 * HOUR, peakAt: NOW + 2 * HOUR});
    expect(made.first?.headroom).toBeCloseTo(-21, 9);
    expect(made.says).toContain('goes above its limit of 1,000 req/s at 2026-11-28 14:00Z: 1,210 req/s (p90)');
  });

  it('looks at the window only: a peak after it breaks nothing', () => {
    const peak = {at: (hour: number) => (hour === 17 ? 1000 : 100)};
    expect(survive(facts(), loads(three(peak, {at: () => 500})), {lose: ['us']}).verdict).toBe('survives');
    expect(survive(facts({windowMs: 6 * HOUR}), loads(three(peak, {at: () => 500})), {lose: ['us']}).verdict).toBe('breaks');
  });

  /* Peaks of 800 that come together make 800 + 0.6 * 800 = 1280; peaks twelve hours apart 800 + 0.6 * 100. */
  it('counts whether the peaks come together, since it forecasts the sum', () => {
    const day = (from: number) => ({at: (hour: number) => (hour >= from && hour < from + 12 ? 800 : 100)});
    expect(rowOf(survive(facts(), loads(three(day(6), day(6))), {lose: ['us']}), 'eu')?.mean).toBeCloseTo(1280, 9);
    expect(
      rowOf(survive(facts({windowMs: HOUR}), loads(three({at: (hour) => (hour < 6 ? 800 : 100)}, day(6))), {lose: ['us']}), 'eu')?.mean,
    ).toBeCloseTo(860, 9);
  });

  /* A sum of a part of it is the least that it can be: above the limit it breaks, below it nothing is known. */
  it('a load that its source knows only in part is not known, unless the part breaks the limit', () => {
    const partial = [{name: 'requests', region: 'us', reason: 'store 1 is away'}];
    const made = survive(facts(), {...loads(three({}, {}, {limit: 120})), partial}, {lose: ['us']});
    expect(rowOf(made, 'eu')).toMatchObject({verdict: 'unknown', p90: null});
    expect(rowOf(made, 'eu')?.says).toBe('requests of eu is not known: it may be more, since store 1 is away');
    expect(rowOf(made, 'ap')?.verdict).toBe('breaks');
    expect(survive(facts(), {...loads(three()), partial}, {lose: ['eu']}).verdict).toBe('unknown');
    expect(survive(facts(), {...loads(three()), partial: [{name: 'cpu', region: 'us', reason: ''}]}, {lose: ['eu']}).verdict).toBe(
      'survives',
    );
  });

  it('traffic on a route that no load is said to be of is not known', () => {
    const routes = [...facts().routes, {name: 'admin', weights: {us: 100, eu: 0}}];
    const named = [rule('requests', ['us', 'eu', 'ap'], {routes: ['front-door']})];
    const made = survive(facts({routes, loads: named}), loads(three()), {lose: ['us']});
    expect([made.verdict, made.says]).toEqual(['unknown', 'no series measures the traffic of us on admin']);
    expect(survive(facts({routes, loads: named}), loads(three()), {lose: ['eu']}).verdict).toBe('survives');
    const both = [...named, rule('cpu', ['us', 'eu', 'ap'])];
    const cpu = ['us', 'eu', 'ap'].map((region) => load({name: 'cpu', region, unit: '%'}));
    expect(survive(facts({routes, loads: both}), loads([...three(), ...cpu]), {lose: ['us']}).verdict).toBe('survives');
  });

  /*
   * us has been away for six hours; the others have its 100 as well since then, and give it half of what they have. Before, us and half of both were
   * 100 + 50 + 50 = 200; what comes home is the 100 that us had.
   */
  it('a region that comes home to its normal share has what it had, and not that and a part of the others', () => {
    const away = three({gone: 6, fill: 0, limit: 180});
    const flows = ['eu', 'ap'].map((from) => ({route: 'front-door', from, share: 0.5, takers: {us: 1}}));
    const homed = {route: null, from: 'eu', share: 1, takers: {us: 1}};
    const coming = (all: readonly Flow[], home: readonly string[] = ['us'], series = away) =>
      rowOf(surviveFlows(facts(), loads(series), {lose: [], flows: all, home}), 'us');
    expect(coming([...flows, homed])).toMatchObject({verdict: 'survives', mean: 100});
    expect(coming(flows)?.says).toBe(
      'requests of us, as before its outage, reaches 110 req/s (p90) of 180 req/s at 2026-11-28 12:00Z: 38.9 % is left',
    );
    expect(coming([homed])?.mean).toBe(200);
    // Not to its normal share; never seen with traffic; not away, as far as is measured.
    expect(coming(flows, [])?.mean).toBe(200);
    expect(coming(flows, ['us'], three({at: () => 0}))?.mean).toBe(100);
    expect(coming(flows, ['us'], three())?.mean).toBe(200);
  });

  /*
   * us has been gone for six hours: eu has had 100 + 60 since then, ap 100 + 40. When eu is lost as well ap has all 300, at any hour: those before us was
   * gone lack what eu and ap have had of it since. In size it is the same: ap is half as large as us and eu, so that 100 % of them are 200 % there.
   */
  it('what is with others already is counted in the hours from before, too', () => {
    const weights = {us: 50, eu: 30, ap: 20};
    const [now, after] = [
      {...weights, us: 0},
      {us: 0, eu: 0, ap: 50},
    ];
    const change = {lose: [], flows: changeFlows('front-door', now, after), already: changeFlows('front-door', weights, now)};
    const gone = three({gone: 6, fill: 0}, {gone: 6, fill: 160}, {gone: 6, fill: 140});
    expect(meanOfAp(change, gone)).toBeCloseTo(300, 9);
    expect(meanOfAp(change, three())).toBeCloseTo(300, 9);
    expect(meanOfAp({...change, already: []}, gone)).toBeCloseTo(200, 9);
    // Of 50 of 100 it has 10 of 60: two thirds of its 100 are elsewhere, wherever that cannot be seen in its history.
    expect(meanOfAp({...change, already: changeFlows('front-door', weights, {...weights, us: 10})}, gone)).toBeCloseTo(200 + 200 / 3, 9);
    const sized = facts({loads: [rule('requests', ['us', 'eu', 'ap'], {sizes: {us: 2, eu: 2, ap: 1}})]});
    const percent = gone.map((series) => ({...series, unit: '%', limit: 1000}));
    // Of ap 100 + 40 % of the 200 that us is there, and of eu 200 + 60 % of 200.
    expect(meanOfAp(change, percent, sized)).toBeCloseTo(100 + 80 + 200 + 120, 9);
    expect(meanOfAp(change, gone.slice(1))).toBeNull();
  });

  it('is tight when less than the headroom is left', () => {
    const made = survive(facts(), loads(three({}, {limit: 190})), {lose: ['us']});
    expect(made.first).toMatchObject({verdict: 'tight', region: 'eu'});
    expect(made.first?.headroom).toBeCloseTo((14 / 190) * 100, 9);
    expect(made.verdict).toBe('tight');
  });

  /* With us and eu lost, ap has it all: 100 + 100 + 100. */
  it('loses several regions at once, and every combination of them', () => {
    const made = survive(facts(), loads(three()), {lose: ['us', 'eu']});
    expect(rowOf(made, 'ap')).toMatchObject({
      mean: 300,
      takes: [
        {from: 'us', share: 1},
        {from: 'eu', share: 1},
      ],
    });
    expect(combinationsOf(facts(), 1).map((lose) => lose.join('+'))).toEqual(['us', 'eu', 'ap']);
    expect(combinationsOf(facts(), 2).map((lose) => lose.join('+'))).toEqual(['us', 'eu', 'ap', 'us+eu', 'us+ap', 'eu+ap']);
  });

  it('goes by the failover order where no other region has a weight, past regions that are cold', () => {
    const alone = facts({routes: [{name: 'front-door', weights: {us: 100, eu: 0, ap: 0}}]});
    expect(survive(alone, loads(three()), {lose: ['us']}).rows).toMatchObject([{region: 'eu', takes: [{from: 'us', share: 1}]}]);
    // What no route leads to is homed there.
    expect(survive(facts({routes: []}), loads(three()), {lose: ['eu']}).rows).toMatchObject([
      {region: 'us', takes: [{from: 'eu', share: 1}]},
    ]);
  });

  it.each(['%', '% of cpu', 'CPU %', 'percent', 'percentage of memory', 'pct', 'ratio'])('"%s" is a share of a region', (unit) => {
    const sized = facts({loads: [rule('requests', ['us', 'eu', 'ap'], {sizes: {us: 2, eu: 1, ap: 1}})]});
    const made = survive(sized, loads(three({unit}, {unit}, {unit})), {lose: ['us']});
    expect(rowOf(made, 'eu')?.mean).toBeCloseTo(100 + 2 * 60, 9);
  });

  it('converts percent by the sizes of regions, and nothing else', () => {
    const sizes = {us: 4, eu: 2};
    const percent = three({unit: '%', at: () => 30, limit: 80}, {unit: '%', at: () => 20, limit: 80}, {unit: '%', at: () => 10, limit: 80});
    const made = survive(facts({loads: [rule('requests', ['us', 'eu', 'ap'], {sizes})]}), loads(percent), {lose: ['us']});
    // 60 % of 30 % of a region of size 4 are 36 % of one of size 2; 40 % of it are 48 % of one of size 1.
    expect(rowOf(made, 'eu')).toMatchObject({mean: 56, takes: [{factor: 2}]});
    expect(rowOf(made, 'ap')).toMatchObject({mean: 58, takes: [{factor: 4}]});
    expect(rowOf(made, 'eu')?.says).toContain('60 % of us (times 2 for size)');
    const requests = survive(facts({loads: [rule('requests', ['us', 'eu', 'ap'], {sizes})]}), loads(three()), {lose: ['us']});
    expect(rowOf(requests, 'eu')).toMatchObject({mean: 160, takes: [{factor: 1}]});
  });

  it('splits a region that several routes lead to evenly, and says so; a named route is told apart', () => {
    const routes = [
      {name: 'web', weights: {us: 50, eu: 50, ap: 0}},
      {name: 'api', weights: {us: 50, eu: 0, ap: 50}},
    ];
    const made = survive(facts({routes}), loads(three()), {lose: ['us']});
    expect(made.rows).toMatchObject([
      {region: 'eu', mean: 150},
      {region: 'ap', mean: 150},
    ]);
    expect(made.notes).toEqual(['requests of us is split evenly over web, api: name its route in capacity.failover.routes']);
    const named = survive(facts({routes, loads: [rule('requests', ['us', 'eu', 'ap'], {routes: ['api']})]}), loads(three()), {
      lose: ['us'],
    });
    expect(named).toMatchObject({rows: [{region: 'ap', mean: 200}], notes: []});
  });

  it('leaves what does not move out', () => {
    const stays = rule('disk', ['us', 'eu', 'ap'], {moves: false});
    const made = survive(facts({loads: [stays, rule('requests', ['us', 'eu', 'ap'])]}), loads(three()), {lose: ['us']});
    expect(made.rows.map(({series}) => series)).toEqual(['requests', 'requests']);
  });
});

describe('residency', () => {
  it('gives a class to those that may have it only', () => {
    const made = survive(facts({loads: [rule('requests', ['us', 'eu', 'ap'], {dataClass: 'not-in-sg'})]}), loads(three()), {lose: ['us']});
    expect(made).toMatchObject({rows: [{region: 'eu', takes: [{share: 1}]}], stranded: []});
  });

  it('takes the failover order where none of the route may have it', () => {
    const routes = [{name: 'front-door', weights: {us: 50, ap: 50}}];
    const made = survive(facts({routes, loads: [rule('requests', ['us', 'eu', 'ap'], {dataClass: 'not-in-sg'})]}), loads(three()), {
      lose: ['us'],
    });
    expect(made).toMatchObject({rows: [{region: 'eu', takes: [{share: 1}]}], stranded: []});
  });

  it('does not count as moved what may go nowhere, and lists it', () => {
    const made = survive(facts({loads: [rule('requests', ['us', 'eu', 'ap'], {dataClass: 'eu-only'})]}), loads(three()), {lose: ['eu']});
    expect(made).toMatchObject({verdict: 'survives', rows: [], stranded: [{series: 'requests', region: 'eu', share: 1, law: true}]});
    expect(made.says).toBe('nothing moves: eu-only may be in no other region');
  });

  it('a load that nobody is there to take is not survived', () => {
    const made = survive(facts(), loads(three()), {lose: ['us', 'eu', 'ap']});
    expect(made).toMatchObject({verdict: 'breaks', rows: [], stranded: [{law: false}, {law: false}, {law: false}]});
    expect(made.says).toBe('nobody takes requests of us: cold is cold; eu is lost too; ap is lost too');
  });
});

describe('what is not known', () => {
  const verdictWith = (series: ReturnType<typeof three>, missing: Parameters<typeof loads>[1] = []) =>
    survive(facts(), loads(series, missing), {lose: ['us']});
  it.each([
    ['a survivor without a limit', three({}, {limit: null}), 'it has no limit in the fleet file'],
    ['a short history', three({length: 40}), 'its history is too short: 40 hourly values are known, 48 are needed'],
    ['a history with holes', three({gone: 60}), 'its history is too short: 36 hourly values'],
  ])('%s is unknown, never good', (_, series, reason) => {
    const made = verdictWith(series);
    expect(made.verdict).toBe('unknown');
    expect(made.says).toContain(reason);
  });

  it('says why a series could not be had', () => {
    const [, eu, ap] = three();
    const dead = {name: 'requests', region: 'us', reason: 'prom did not answer within 5 s'};
    const made = verdictWith([eu!, ap!], [dead]);
    expect(made).toMatchObject({verdict: 'unknown', rows: [{verdict: 'unknown'}, {verdict: 'unknown'}]});
    expect(made.says).toBe('requests of eu is not known: nothing is known of what it takes from us: prom did not answer within 5 s');
    const without = survive(facts({loads: [rule('requests', ['us', 'eu'])]}), loads([three()[0]!, eu!]), {lose: ['us']});
    expect(rowOf(without, 'ap')?.says).toBe('requests of ap is not known: the fleet file gives requests no series in ap');
  });

  it('a limit that breaks is certain, whatever else is not known', () => {
    expect(verdictWith(three({}, {limit: 100}, {limit: null}))).toMatchObject({verdict: 'breaks', first: {region: 'eu'}});
  });

  it('a fleet without series that move is unknown', () => {
    expect(survive(facts({loads: []}), loads([]), {lose: ['us']})).toMatchObject({verdict: 'unknown', first: null});
  });

  it('a history that ended long ago is', () => {
    const old = three().map((series) => ({...series, starts: series.starts.map((start) => start - 8 * 24 * HOUR)}));
    expect(verdictWith(old).says).toContain('its history ends at 2026-11-20 12:00Z');
  });

  /* us died three hours ago; what it had before that is what the others have to carry. */
  it('what a dead region serves since is not its load', () => {
    const made = verdictWith(three({gone: 3, fill: 0}));
    expect(rowOf(made, 'eu')).toMatchObject({mean: 160});
  });

  /* cpu of a dead region idles at 2 % where 40 % by day and 10 % at night are usual: for three hours, half a day, two days. */
  it.each([3, 12, 48])('what a dead region idles at for %i hours is not its load, and that is said', (gone) => {
    const day = (hour: number) => (hour < 6 ? 10 : 40);
    const idle = load({name: 'requests', region: 'us', unit: '%', at: day, gone, fill: 2, length: 96 + gone});
    const rest = ['eu', 'ap'].map((region) => load({name: 'requests', region, unit: '%', at: day, length: 96 + gone}));
    const made = verdictWith([idle, ...rest]);
    expect(rowOf(made, 'eu')?.mean).toBeCloseTo(40 + 0.6 * 40, 9);
    expect(made.notes).toEqual([
      expect.stringMatching(
        /^requests of us has been 2 % since 2026-11-2\d \d\d:00Z, where .* % are usual at least: that is taken for an outage/,
      ),
    ]);
  });

  it('a low that comes every day or week, or is half of what is usual, is no outage', () => {
    const night = verdictWith(three({at: (hour) => (hour >= 8 && hour < 12 ? 2 : 100), length: 96}));
    expect([rowOf(night, 'eu')?.mean, night.notes]).toEqual([160, []]);
    const half = verdictWith(three({gone: 3, fill: 50}));
    expect(half.notes).toEqual([]);
  });

  it('a region that has been empty for more than a week has no load', () => {
    const made = verdictWith(three({length: 300, gone: 200, fill: 0}, {length: 300}, {length: 300}));
    expect(rowOf(made, 'eu')).toMatchObject({mean: 100, verdict: 'survives'});
  });

  it('traffic that nothing measures is unknown', () => {
    const made = survive(facts({loads: [rule('requests', ['eu'], {dataClass: 'eu-only'})]}), loads([three()[1]!]), {lose: ['us']});
    expect(made).toMatchObject({verdict: 'unknown', first: null, rows: []});
    expect(made.says).toBe('no series measures the traffic of us on front-door');
  });
});

describe('changes of traffic', () => {
  it('a failover to one region takes everybody else along', () => {
    const flows = changeFlows('front-door', {us: 50, eu: 30, ap: 20}, {us: 0, eu: 100, ap: 0});
    const made = surviveFlows(facts(), loads(three()), {lose: ['us'], flows});
    expect(made.rows).toMatchObject([
      {
        region: 'eu',
        mean: 300,
        takes: [
          {from: 'us', share: 1},
          {from: 'ap', share: 1},
        ],
      },
    ]);
  });

  /* us goes from 50 to 30 of 100: it gives 2/5 of its 100 away. */
  it('a stage moves the part of the load that its weight loses', () => {
    const flows = changeFlows('front-door', {us: 50, eu: 50}, {us: 30, eu: 70});
    expect(surviveFlows(facts(), loads(three()), {lose: [], flows}).rows).toMatchObject([
      {region: 'eu', takes: [{from: 'us', share: 0.4}], mean: 140},
    ]);
  });

  it('no change and no traffic are no flows that move', () => {
    expect(changeFlows('r', {us: 1, eu: 1}, {us: 50, eu: 50}).every(({share}) => share === 0)).toBe(true);
    expect(changeFlows('r', {us: 0}, {us: 100})).toEqual([]);
    expect(changeFlows('r', {us: 10}, {us: 0})).toEqual([{route: 'r', from: 'us', share: 0, takers: {}}]);
  });
});

it('nothing of a load is made or lost: what is taken, kept and stranded is what there was', () => {
  const weight = fc.integer({min: 0, max: 100});
  fc.assert(
    fc.property(
      fc.tuple(weight, weight, weight),
      fc.tuple(weight, weight, weight),
      fc.subarray(['us', 'eu', 'ap']),
      fc.constantFrom(null, 'eu-only', 'not-in-sg'),
      (weights, other, lose, dataClass) => {
        const named = ([us, eu, ap]: readonly [number, number, number]) => ({us, eu, ap});
        const routes = [
          {name: 'a', weights: named(weights)},
          {name: 'b', weights: named(other)},
        ];
        const made = survive(facts({routes, loads: [rule('requests', ['us', 'eu', 'ap'], {dataClass})]}), loads(three()), {lose});
        for (const region of lose) {
          const moved = made.rows.flatMap(({takes}) => takes).filter(({from}) => from === region);
          const down = made.stranded.filter((each) => each.region === region);
          expect([...moved, ...down].reduce((sum, {share}) => sum + share, 0)).toBeCloseTo(1, 9);
        }
        for (const row of made.rows) {
          expect(lose).not.toContain(row.region);
          if (dataClass === 'eu-only') expect(row.region).toBe('eu');
          if (dataClass === 'not-in-sg') expect(row.region).not.toBe('ap');
        }
      },
    ),
  );
});

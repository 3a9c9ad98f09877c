import {describe, expect, it} from 'vitest';
import {COST_DEFAULTS, type CostInput, costReport, type ScaledLoad} from '../../../src/lib/capacity/cost/cost.ts';
import {costDocument} from '../../../src/lib/capacity/cost/document.ts';
import {type Prices, pricesOf, pricesSchema, priceWarnings, transferPrice} from '../../../src/lib/capacity/cost/prices.ts';
import {transferCost} from '../../../src/lib/capacity/cost/transfer.ts';
import type {Schedule} from '../../../src/lib/capacity/scaling/schedule.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-11-28T12:00:00Z');
const hourly = (perHour: number, asOf = '2026-11-01') => ({perHour, source: 'https://prices.example.com', asOf});

function prices(more: object = {}): Prices {
  const eu = {onDemand: hourly(1), reserved: hourly(0.6), spot: hourly(0.3)};
  const transfer = [
    {from: 'us', to: 'eu', perGb: 0.02, source: 'https://prices.example.com', asOf: '2026-11-01'},
    {from: '*', to: '*', perGb: 0.09, source: 'https://prices.example.com', asOf: '2026-11-01'},
  ];
  return pricesOf(pricesSchema.parse({version: 1, currency: 'USD', instances: {eu, '*': {onDemand: hourly(2)}}, transfer, ...more}));
}

/* The day of mix.test.ts: 4 instances for 10 hours, 8 for 8, 10 for 6. */
const SCHEDULE: Schedule = {
  needs: [],
  stretches: [
    {from: 0, to: 10 * HOUR, replicas: 8},
    {from: 10 * HOUR, to: 18 * HOUR, replicas: 16},
    {from: 18 * HOUR, to: DAY, replicas: 20},
  ],
  ...{min: 8, max: 40, short: []},
};
const LOAD: ScaledLoad = {series: 'requests', region: 'eu', tier: 'warm', schedule: SCHEDULE, perInstance: 2, units: 1_000_000};
const NONE = {perMonth: null, savings: null, unit: null};

function input(more: Partial<CostInput> = {}, rules: Partial<CostInput['rules']> = {}): CostInput {
  return {
    ...{loads: [LOAD], prices: prices(), weights: {}, planned: null},
    rules: {...COST_DEFAULTS, transfer: [], objectives: NONE, ...rules},
    ...more,
  };
}

describe('costReport', () => {
  /* A day costs 92, fixed capacity 240, all on demand 164 (mix.test.ts); a month has 730 / 24 = 30.4167 days. Saved: 1 - 92 / 240 = 61.67 %. */
  it('prices a schedule, and brings it to a month', () => {
    const {rows, perMonth, saved, objectives} = costReport(input());
    expect(rows).toMatchObject([{region: 'eu', instances: 10, reserved: 4, breakEven: 60, replicas: {min: 8, max: 40, hours: 328}}]);
    expect(rows[0]?.perMonth).toBeCloseTo(92 * (730 / 24), 6);
    expect(rows[0]?.onDemandPerMonth).toBeCloseTo(164 * (730 / 24), 6);
    expect(rows[0]?.fixedPerMonth).toBeCloseTo(240 * (730 / 24), 6);
    expect(rows[0]?.shares.spot).toBeCloseTo((48 / 164) * 100, 9);
    expect(perMonth).toBeCloseTo(2798.33, 2);
    expect(saved).toBeCloseTo(61.67, 2);
    expect(objectives).toEqual([]);
  });

  it('compares tiers: hot three times, warm twice, cold a tenth of the bare capacity', () => {
    const [row] = costReport(input()).rows;
    expect(row?.tiers.hot).toBeCloseTo(3 * 2798.3333, 3);
    expect(row?.tiers.warm).toBeCloseTo(2 * 2798.3333, 3);
    expect(row?.tiers.cold).toBeCloseTo(279.83333, 3);
  });

  /* 1,000,000 requests a day are 30,416,667 a month: 2798.33 / 30,416.667 thousands = 0.092 for 1000. */
  it('judges the budget, the unit cost and the savings', () => {
    const unit = {series: 'requests', per: 1000, most: 0.01};
    const {objectives, unitCost} = costReport(input({}, {objectives: {perMonth: 3000, savings: 20, unit}}));
    expect(unitCost?.cost).toBeCloseTo(0.092, 6);
    expect(objectives).toMatchObject([
      {kind: 'per-month', met: true},
      {kind: 'unit-cost', target: 0.01, met: false},
      {kind: 'savings', target: 20, met: true},
    ]);
    const unmeasured = costReport(input({loads: [{...LOAD, units: null}]}, {objectives: {...NONE, unit}}));
    expect(unmeasured.objectives).toEqual([{kind: 'unit-cost', target: 0.01, measured: null, met: null}]);
  });

  it('a region without prices leaves no sum, and is named', () => {
    const few = prices({instances: {us: {onDemand: hourly(1)}}});
    const report = costReport(input({prices: few}, {objectives: {...NONE, perMonth: 1}}));
    expect(report).toMatchObject({rows: [], perMonth: null, saved: null, objectives: [{measured: null, met: null}]});
    expect(report.notes).toEqual(['the price file has no instances in eu: requests there is not priced']);
    expect(costReport(input({loads: [{...LOAD, region: 'elsewhere'}]})).rows[0]?.onDemandPerMonth).toBeCloseTo(2 * 164 * (730 / 24), 6);
  });

  it('a load that could not be had leaves no sum, and meets no objective; a budget that the others have used up is missed', () => {
    const objectives = {perMonth: 3000, savings: 20, unit: {series: 'requests', per: 1000, most: 1}};
    const report = costReport(input({missing: 1}, {objectives}));
    expect(report).toMatchObject({perMonth: null, saved: null, unitCost: null});
    expect(report.objectives.map(({measured, met}) => [measured, met])).toEqual([
      [null, null],
      [null, null],
      [null, null],
    ]);
    expect(costReport(input({missing: 1}, {objectives: {...NONE, perMonth: 2798}})).objectives).toMatchObject([{met: false}]);
  });

  /*
   * Writes of 1000 GB, 60 : 40 in us and eu, go to us, eu and ap: us -> eu 600 * 0.02 = 12, us -> ap 600 * 0.09 = 54, eu -> us 400 * 0.09 = 36,
   * eu -> ap 36: 138. With all of it in us: 1000 * 0.02 + 1000 * 0.09 = 110.
   */
  it('adds the transfer of today, and shows that of a planned split', () => {
    const writes = {name: 'writes', route: 'front-door', gbPerMonth: 1000, way: {to: ['us', 'eu', 'ap']}};
    const weights = {'front-door': {us: 60, eu: 40, ap: 0}};
    const report = costReport(input({weights, planned: {'front-door': {us: 100, eu: 0}}}, {transfer: [writes]}));
    expect(report.transfer.perMonth).toBeCloseTo(138, 9);
    expect(report.planned?.perMonth).toBeCloseTo(110, 9);
    expect(report.perMonth).toBeCloseTo(2798.3333 + 138, 3);
    expect(costReport(input({weights, times: 2}, {transfer: [writes]})).perMonth).toBeCloseTo(2798.3333 + 2 * 138, 3);
  });
});

describe('costDocument', () => {
  const around = {fleet: 'f', from: NOW, to: NOW + DAY, spotShare: 40, missing: [], warnings: [], growth: null};
  const documentOf = (given: CostInput, more: Partial<Parameters<typeof costDocument>[2]> = {}) =>
    costDocument(costReport(given), given.loads, {...around, ...more});
  const missing = [{name: 'requests', region: 'us', reason: 'no answer'}];

  it('is met, missed or unknown; what is missed is certain', () => {
    expect(documentOf(input()).verdict).toBe('met');
    expect(documentOf(input({}, {objectives: {...NONE, perMonth: 2798}})).verdict).toBe('missed');
    expect(documentOf(input({}, {objectives: {...NONE, perMonth: 2799}})).verdict).toBe('met');
    expect(documentOf(input(), {missing}).verdict).toBe('unknown');
    expect(documentOf(input({}, {objectives: {...NONE, perMonth: 1}}), {missing}).verdict).toBe('missed');
    expect(
      documentOf(input({loads: [{...LOAD, units: null}]}, {objectives: {...NONE, unit: {series: 'requests', per: 1, most: 1}}})).verdict,
    ).toBe('unknown');
  });

  it('too few replicas allowed is missed, with the steps', () => {
    const short = [{at: NOW, load: 5, replicas: 50}];
    const document = documentOf(input({loads: [{...LOAD, schedule: {...SCHEDULE, short}}]}));
    expect(document).toMatchObject({
      verdict: 'missed',
      rows: [{short: [{at: '2026-11-28T12:00:00.000Z', replicas: 50}], runs: [{replicas: 8}, {replicas: 16}, {replicas: 20}]}],
    });
  });
});

describe('transferCost', () => {
  it('reads from home cost where home is not', () => {
    const reads = {name: 'reads', route: 'r', gbPerMonth: 100, way: {from: 'us'}};
    expect(transferCost([reads], {r: {us: 50, eu: 50}}, prices())).toEqual({
      rows: [{name: 'reads', from: 'us', to: 'eu', gb: 50, cost: 1}],
      perMonth: 1,
    });
    expect(transferCost([reads], {r: {us: 0, eu: 0}}, prices())).toEqual({rows: [], perMonth: 0});
    expect(transferCost([reads], {r: {eu: 1}}, prices({transfer: []})).perMonth).toBeNull();
  });
});

describe('prices', () => {
  it('are found by region, the first transfer that fits', () => {
    expect(transferPrice(prices(), 'us', 'eu')?.amount).toBe(0.02);
    expect(transferPrice(prices(), 'eu', 'us')?.amount).toBe(0.09);
    expect(transferPrice(prices({transfer: []}), 'eu', 'us')).toBeNull();
  });

  it('that are old are named, once for each source and day', () => {
    expect(priceWarnings(prices(), NOW)).toEqual([]);
    const old = {eu: {onDemand: hourly(1, '2026-01-01'), spot: hourly(0.3, '2026-01-01')}, us: {onDemand: hourly(1, '2026-12-01')}};
    expect(priceWarnings(prices({instances: old}), NOW)).toEqual([
      'the prices of onDemand in eu and 1 more are 331 days old (2026-01-01, https://prices.example.com)',
      'the price of onDemand in us is of 2026-12-01, a day that is still to come',
    ]);
  });

  it.each([
    ['a day that is none', {onDemand: hourly(1, '2026-02-30')}],
    ['no source', {onDemand: {perHour: 1, asOf: '2026-11-01'}}],
    ['a negative price', {onDemand: hourly(-1)}],
    ['no price', {}],
    ['an unknown key', {onDemand: hourly(1), onDemnad: hourly(1)}],
  ])('%s is refused', (_, eu) => {
    expect(pricesSchema.safeParse({version: 1, currency: 'USD', instances: {eu}}).success).toBe(false);
  });
});

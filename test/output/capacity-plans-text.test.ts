import {describe, expect, it} from 'vitest';
import {parseAllDocuments} from 'yaml';
import type {CostDocument} from '../../src/lib/capacity/cost/document.ts';
import {hpaOf} from '../../src/lib/capacity/scaling/hpa.ts';
import {SCALING_DEFAULTS} from '../../src/lib/capacity/scaling/schedule.ts';
import type {SurviveDocument} from '../../src/lib/capacity/survive/document.ts';
import {costText} from '../../src/lib/output/cost-text.ts';
import {hpaText} from '../../src/lib/output/hpa-text.ts';
import {plainPaint} from '../../src/lib/output/paint.ts';
import {surviveText} from '../../src/lib/output/survive-text.ts';
import {costSample, surviveSample} from './sample-capacity-plans.ts';

const layout = (columns: number) => ({columns, paint: plainPaint(), now: 0});
const widest = (text: string) => Math.max(...text.split('\n').map((line) => [...line].length));

const [one] = surviveSample.combinations;
const also = (lose: string[], verdict: 'survives' | 'breaks' | 'tight') => ({
  ...one!,
  lose,
  verdict,
  reason: `${lose.join(' and ')}: ${verdict}`,
  notes: [],
});
const many: SurviveDocument = {
  ...surviveSample,
  combinations: [
    one!,
    also(['eu-frankfurt'], 'survives'),
    also(['eu-frankfurt', 'jp-tokyo'], 'breaks'),
    also(['eu-frankfurt', 'us-virginia'], 'tight'),
  ],
};

describe('capacity survive for people', () => {
  it('shows one combination with all that it moves', () => {
    expect(surviveText(surviveSample, layout(120))).toMatchInlineSnapshot(`
      "capacity survive at 2026-11-28 12:00:00Z: the next 4 h, p90 of the forecast sums against the limits
      without jp-tokyo: ingest of ap-singapore with 100 % of jp-tokyo goes above its limit of 1,600 k/s at 2026-11-28 14:00Z:
      1,870 k/s (p90)
      series  region        takes                    p90      limit     left      at  verdict
      ingest  ap-singapore  100 % of jp-tokyo      1,870  1,600 k/s  -16.9 %  14:00Z  breaks
      cpu     ap-singapore  100 % of jp-tokyo × 2      –       80 %        –       –  unknown
      - cpu of ap-singapore is not known: federation: no answer within 5 s
      - stays down: ingest-japan of jp-tokyo, since japan may be in no other region
      - ingest of jp-tokyo is split evenly over web, api: name its route in capacity.failover.routes
      - cpu could not be read: federation: no answer within 5 s
      - eu-frankfurt takes nothing: api sends it nothing now, and 50 by the fleet file
        cpu is in %: what moves is converted by the sizes of the regions (jp-tokyo 32, ap-singapore 16)"
    `);
  });

  it('shows many as a table, and of two regions only what is news', () => {
    expect(surviveText(many, layout(100))).toMatchInlineSnapshot(`
      "capacity survive at 2026-11-28 12:00:00Z: the next 4 h, p90 of the forecast sums against the limits
      lost                        verdict   series  region          p90      limit     left      at
      jp-tokyo                    breaks    ingest  ap-singapore  1,870  1,600 k/s  -16.9 %  14:00Z
      eu-frankfurt                survives  ingest  ap-singapore  1,870  1,600 k/s  -16.9 %  14:00Z
      eu-frankfurt + jp-tokyo     breaks    ingest  ap-singapore  1,870  1,600 k/s  -16.9 %  14:00Z
      eu-frankfurt + us-virginia  tight     ingest  ap-singapore  1,870  1,600 k/s  -16.9 %  14:00Z
      - without jp-tokyo: ingest of ap-singapore with 100 % of jp-tokyo goes above its limit of 1,600 k/s
        at 2026-11-28 14:00Z: 1,870 k/s (p90)
      - stays down: ingest-japan of jp-tokyo, since japan may be in no other region
      - stays down: ingest-japan of jp-tokyo, since japan may be in no other region
      - without eu-frankfurt and us-virginia: eu-frankfurt and us-virginia: tight
      - ingest of jp-tokyo is split evenly over web, api: name its route in capacity.failover.routes
      - cpu could not be read: federation: no answer within 5 s
      - eu-frankfurt takes nothing: api sends it nothing now, and 50 by the fleet file
        cpu is in %: what moves is converted by the sizes of the regions (jp-tokyo 32, ap-singapore 16)"
    `);
  });

  it('says of two regions that nobody is left to take it, also where one of them breaks a limit by itself', () => {
    const nobody = {...also(['eu-frankfurt', 'jp-tokyo'], 'breaks'), first: null, reason: 'nobody takes ingest of jp-tokyo'};
    const text = surviveText({...surviveSample, combinations: [one!, also(['eu-frankfurt'], 'survives'), nobody]}, layout(100));
    expect(text).toContain('- without eu-frankfurt and jp-tokyo: nobody takes ingest of jp-tokyo');
  });

  it('says that nothing moves', () => {
    const still = {
      ...surviveSample,
      combinations: [{...one!, rows: [], first: null, stranded: [], notes: [], reason: 'nothing that is measured moves'}],
    };
    expect(surviveText(still, layout(80))).toContain('without jp-tokyo: nothing that is measured moves');
  });
});

describe('capacity cost for people', () => {
  it('shows loads, what runs, transfer, tiers and objectives', () => {
    expect(costText(costSample, layout(120))).toMatchInlineSnapshot(`
      "capacity cost from 2026-11-28 12:00:00Z to 2026-11-28 14:00:00Z, by the p90 of the forecasts, times 2 as on 2027-05-28
      at a growth of 2x over 6mo; USD per month of 730 h
      load       region    replicas  instances  reserved  on demand  spot  a month  if fixed   saved
      ingest     jp-tokyo    48-249         32        14     5.99 %  31 %    1,872     4,672  59.9 %
      instances                                                              1,872     4,672  59.9 %
      transfer                                                              640.00
      together                                                               2,512
      what runs for ingest of jp-tokyo
      from          replicas
      11-28 12:00Z       101
      11-28 12:57Z       120
      transfer          data         from         to                GB  a month
      today             replication  us-virginia  eu-frankfurt  32,000   640.00
      today together                                            32,000   640.00
      planned           replication  us-virginia  mars          20,000        –
      planned together                                          20,000        –
      in tier  region    now    hot   warm    cold
      ingest   jp-tokyo  hot  5,616  3,744  187.21
      budget of a month: 2,512 USD, at most 2,000 USD: missed
      unit cost for 1,000 of ingest: 0.0012 USD, at most 0.01 USD: met
      saved against fixed capacity: –, at least 20 %: could not be measured
      - ingest of jp-tokyo needs more replicas than it may have in 1 step, first at 11-28 13:00Z: up to 250
      - connections of jp-tokyo is not planned: its history is too short: 12 hourly values are known, 48 are needed
      - the price file has no transfer from us-virginia to mars
      - the price of onDemand in * is 331 days old (2026-01-01, https://prices.example.com)"
    `);
  });

  it('of several loads not what runs', () => {
    const document: CostDocument = {...costSample, rows: [...costSample.rows, {...costSample.rows[0]!, region: 'us-virginia', short: []}]};
    expect(costText(document, layout(120))).not.toContain('what runs');
  });
});

it.each([40, 60, 80, 120, 200])('nothing is wider than %i columns', (columns) => {
  for (const text of [
    surviveText(surviveSample, layout(columns)),
    surviveText(many, layout(columns)),
    costText(costSample, layout(columns)),
  ])
    expect(widest(text)).toBeLessThanOrEqual(columns);
});

it('autoscalers are one YAML document for each region', () => {
  const hpa = hpaOf({min: 2, max: 9}, {...SCALING_DEFAULTS, perReplica: 5}, {deployment: 'web', namespace: null, metric: 'cpu'});
  const documents = parseAllDocuments(
    hpaText([
      {region: 'us', hpa},
      {region: 'eu', hpa},
    ]),
  );
  expect(documents).toHaveLength(2);
  expect('toJS' in documents[0]! && documents[0].toJS()).toEqual(hpa);
  expect(hpaText([{region: 'us', hpa}])).toMatch(/^---\n# us\napiVersion/);
});

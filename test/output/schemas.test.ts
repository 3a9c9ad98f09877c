import {Ajv2020} from 'ajv/dist/2020.js';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import type {z} from 'zod';
import type {LabStatus} from '../../src/lab/lab-status.ts';
import type {CostDocument} from '../../src/lib/capacity/cost/document.ts';
import type {SurviveDocument} from '../../src/lib/capacity/survive/document.ts';
import type {DrillDocument} from '../../src/lib/drill/report.ts';
import type {HealthDocument} from '../../src/lib/health/document.ts';
import type {StatusDocument} from '../../src/lib/observe/status-document.ts';
import type {AnomaliesDocument} from '../../src/lib/operate/anomalies.ts';
import type {AuditDocument} from '../../src/lib/operate/audit.ts';
import type {AuditPlanDocument} from '../../src/lib/operate/audit-explain.ts';
import type {CapacityBacktestDocument} from '../../src/lib/operate/capacity-backtest.ts';
import type {CleanDocument} from '../../src/lib/operate/clean.ts';
import type {CollectDocument} from '../../src/lib/operate/collect.ts';
import type {DueDocument} from '../../src/lib/operate/drill-due.ts';
import type {DrillListDocument} from '../../src/lib/operate/drill-list.ts';
import type {DrillValidation} from '../../src/lib/operate/drill-validate.ts';
import type {ExplainDocument} from '../../src/lib/operate/explain-key.ts';
import type {ForecastDocument} from '../../src/lib/operate/forecast.ts';
import type {RepairPlanDocument} from '../../src/lib/operate/repair-plan.ts';
import {DOCUMENT_SCHEMAS, documentJsonSchemas} from '../../src/lib/output/schemas.ts';
import type {PlanDocument} from '../../src/lib/plan/plan-document.ts';
import type {SlotsDocument} from '../../src/lib/replication/slots.ts';
import type {TopologyDocument} from '../../src/lib/replication/topology-model.ts';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {messageLag, sampleDocuments} from './sample-documents.ts';

const published = documentJsonSchemas();
const validators = Object.fromEntries(
  Object.entries(published).map(([name, schema]) => [name, new Ajv2020({validateFormats: false}).compile(schema)]),
);

it('there is a sample of every document', () => {
  expect(Object.keys(sampleDocuments).sort()).toEqual(Object.keys(DOCUMENT_SCHEMAS).sort());
});

it.each(Object.entries(sampleDocuments))('%s: the sample holds, by zod and by the published schema', (name, sample) => {
  const schema = DOCUMENT_SCHEMAS[name as keyof typeof DOCUMENT_SCHEMAS];
  expect(schema.parse(sample)).toEqual(sample);
  const valid = validators[name];
  expect(valid?.(sample), JSON.stringify(valid?.errors)).toBe(true);
});

it.each(Object.entries(sampleDocuments))('%s: more fields may be added, none may be missing', (name, sample) => {
  const valid = validators[name];
  fc.assert(
    fc.property(fc.string(), (extra) => {
      expect(valid?.({[`x-${extra}`]: 1, ...sample})).toBe(true);
    }),
    {numRuns: 10},
  );
  for (const field of Object.keys(sample)) {
    const {[field]: _gone, ...rest} = sample as Record<string, unknown>;
    const required = (published[name] as {required: string[]}).required.includes(field);
    expect(valid?.(rest), field).toBe(!required);
  }
});

it('a link of messages fits the same document as one of bytes', () => {
  expect(DOCUMENT_SCHEMAS['replication-lag'].parse(messageLag)).toEqual(messageLag);
  expect(validators['replication-lag']?.(messageLag), JSON.stringify(validators['replication-lag']?.errors)).toBe(true);
});

it('publishes draft 2020-12 with a title', () => {
  for (const [name, schema] of Object.entries(published)) {
    expect(schema).toMatchObject({$schema: 'https://json-schema.org/draft/2020-12/schema', title: `regionctl ${name}`, type: 'object'});
  }
});

/** Holds at compile time: what the program builds is what its schema describes. */
type Described<Built, Name extends keyof typeof DOCUMENT_SCHEMAS> =
  DeepReadonly<Built> extends DeepReadonly<Known<z.infer<(typeof DOCUMENT_SCHEMAS)[Name]>>> ? true : never;
type DeepReadonly<T> = T extends object ? {readonly [K in keyof T]: DeepReadonly<T[K]>} : T;
/** Without the index signature that stands for further fields. */
type Known<T> = T extends readonly (infer E)[]
  ? readonly Known<E>[]
  : T extends object
    ? {[K in keyof T as string extends K ? never : K]: Known<T[K]>}
    : T;

it('the types of the built documents fit their schemas', () => {
  const fits: [
    Described<HealthDocument, 'health-check'>,
    Described<StatusDocument, 'status'>,
    Described<LabStatus, 'lab-status'>,
    Described<RunDocument, 'run'>,
    Described<PlanDocument, 'failover-plan'>,
    Described<DrillDocument, 'drill-run'>,
    Described<CleanDocument, 'drill-clean'>,
    Described<TopologyDocument, 'replication-topology'>,
    Described<SlotsDocument, 'replication-slots'>,
    Described<DueDocument, 'drill-due'>,
    Described<DrillListDocument, 'drill-list'>,
    Described<DrillValidation, 'drill-validate'>,
    Described<AuditDocument, 'consistency-audit'>,
    Described<AuditPlanDocument, 'consistency-audit-explain'>,
    Described<ExplainDocument, 'consistency-explain'>,
    Described<RepairPlanDocument, 'consistency-repair-plan'>,
    Described<AnomaliesDocument, 'capacity-anomalies'>,
    Described<CollectDocument, 'capacity-collect'>,
    Described<SurviveDocument, 'capacity-survive'>,
    Described<CostDocument, 'capacity-cost'>,
    Described<ForecastDocument, 'capacity-forecast'>,
    Described<CapacityBacktestDocument, 'capacity-backtest'>,
  ] = [true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true];
  expect(fits).toHaveLength(22);
});

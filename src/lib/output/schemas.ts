import {z} from 'zod';
import {anomaliesSchema} from './schemas/anomalies.ts';
import {capacityBacktestSchema, forecastSchema} from './schemas/capacity.ts';
import {cleanSchema} from './schemas/clean.ts';
import {collectSchema} from './schemas/collect.ts';
import {auditPlanSchema, auditSchema, explainSchema, repairPlanSchema} from './schemas/consistency.ts';
import {costSchema} from './schemas/cost.ts';
import {drillDueSchema, drillListSchema, drillValidateSchema} from './schemas/drill.ts';
import {doctorSchema, healthSchema, historySchema, matrixSchema, statusSchema} from './schemas/health.ts';
import {labDownSchema, labFaultSchema, labHealSchema, labLoadSchema, labStatusSchema} from './schemas/lab.ts';
import {initSchema, pluginSchema, pluginsManifestSchema, versionSchema} from './schemas/program.ts';
import {lagSchema, lossSchema} from './schemas/replication.ts';
import {drillSchema, errorSchema, planSchema, readySchema, runSchema, runsListSchema, voteSchema} from './schemas/run.ts';
import {slotsSchema} from './schemas/slots.ts';
import {surviveSchema} from './schemas/survive.ts';
import {topologySchema} from './schemas/topology.ts';

/** The schema of every `--json` document, by the name of its file in schemas/. All allow more fields: fields are only ever added. */
export const DOCUMENT_SCHEMAS = {
  'health-check': healthSchema,
  'health-matrix': matrixSchema,
  'health-history': historySchema,
  'replication-lag': lagSchema,
  'replication-loss': lossSchema,
  'replication-topology': topologySchema,
  'replication-slots': slotsSchema,
  'consistency-audit': auditSchema,
  'consistency-audit-explain': auditPlanSchema,
  'consistency-explain': explainSchema,
  'consistency-repair-plan': repairPlanSchema,
  'capacity-forecast': forecastSchema,
  'capacity-backtest': capacityBacktestSchema,
  'capacity-collect': collectSchema,
  'capacity-anomalies': anomaliesSchema,
  'capacity-survive': surviveSchema,
  'capacity-cost': costSchema,
  'lab-status': labStatusSchema,
  'lab-down': labDownSchema,
  'lab-fault': labFaultSchema,
  'lab-heal': labHealSchema,
  'lab-load': labLoadSchema,
  'failover-plan': planSchema,
  'failover-ready': readySchema,
  'runs-vote': voteSchema,
  run: runSchema,
  'runs-list': runsListSchema,
  'drill-run': drillSchema,
  'drill-validate': drillValidateSchema,
  'drill-clean': cleanSchema,
  'drill-list': drillListSchema,
  'drill-due': drillDueSchema,
  status: statusSchema,
  doctor: doctorSchema,
  init: initSchema,
  version: versionSchema,
  plugin: pluginSchema,
  'plugins-manifest': pluginsManifestSchema,
  error: errorSchema,
} as const;

/** The published JSON Schemas (draft 2020-12), by the same names. */
export function documentJsonSchemas(): Record<string, object> {
  const entries = Object.entries(DOCUMENT_SCHEMAS) as [string, z.ZodType][];
  return Object.fromEntries(
    entries.map(([name, schema]) => [name, {title: `regionctl ${name}`, ...z.toJSONSchema(schema, {io: 'output'})}]),
  );
}

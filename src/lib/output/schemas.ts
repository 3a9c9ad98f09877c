import {z} from 'zod';
import {doctorSchema, healthSchema, statusSchema} from './schemas/health.ts';
import {labStatusSchema} from './schemas/lab.ts';
import {lagSchema, lossSchema} from './schemas/replication.ts';
import {drillSchema, errorSchema, runSchema} from './schemas/run.ts';

/** The schema of every `--json` document, by the name of its file in schemas/. All allow more fields: fields are only ever added. */
export const DOCUMENT_SCHEMAS = {
  'health-check': healthSchema,
  'replication-lag': lagSchema,
  'replication-loss': lossSchema,
  'lab-status': labStatusSchema,
  run: runSchema,
  'drill-run': drillSchema,
  status: statusSchema,
  doctor: doctorSchema,
  error: errorSchema,
} as const;

/** The published JSON Schemas (draft 2020-12), by the same names. */
export function documentJsonSchemas(): Record<string, object> {
  const entries = Object.entries(DOCUMENT_SCHEMAS) as [string, z.ZodType][];
  return Object.fromEntries(
    entries.map(([name, schema]) => [name, {title: `regionctl ${name}`, ...z.toJSONSchema(schema, {io: 'output'})}]),
  );
}

import {z} from 'zod';
import {ms, time} from './fields.ts';

/** `role` null = its database does not run. `direct` leads past every fault. */
const region = z.looseObject({
  region: z.string(),
  role: z.enum(['primary', 'standby', 'peer']).nullable(),
  http: z.string(),
  postgres: z.string(),
  direct: z.looseObject({http: z.string(), postgres: z.string()}),
  pids: z.array(z.int()),
});

/** `lab status --json`. */
export const labStatusSchema = z.looseObject({
  dir: z.string(),
  profile: z.string(),
  regions: z.array(region),
  frontDoor: z.string().nullable(),
  fleetFile: z.string(),
});

const fault = z.looseObject({region: z.string(), kind: z.string(), injectedAt: time, leaseMs: ms, endsAt: time});

/** `lab fault --json`. */
export const labFaultSchema = z.looseObject({fault});

/** `lab heal --json`: the faults that are still active elsewhere. */
export const labHealSchema = z.looseObject({faults: z.array(fault)});

/** `lab down --json`. `forced` = its supervisor did not answer and was ended. */
export const labDownSchema = z.looseObject({dir: z.string(), outcome: z.enum(['stopped', 'forced', 'nothing'])});

const count = z.int().min(0);

/** `lab load --json`. `unknown`: whether the order was written could not be told. */
export const labLoadSchema = z.looseObject({
  sent: count,
  acknowledged: count,
  failed: count,
  unknown: count,
  elapsedMs: ms,
  latencyMs: z.looseObject({p50: ms.nullable(), p95: ms.nullable(), p99: ms.nullable()}),
});

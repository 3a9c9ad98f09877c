import {z} from 'zod';
import {LAB_FAULT_KINDS, type LabFaultKind} from '../lib/providers/lab/lab-fault-kinds.ts';
import {LONGEST_LEASE_MS, labFaultTrouble} from '../lib/providers/lab/lab-fault-order.ts';
import type {ActiveFault, FaultArgs} from './faults.ts';

/** How long a fault lasts when nothing is said: ten minutes. At most a day. */
export const DEFAULT_LEASE_MS = 600_000;

const REQUEST = z.strictObject({
  region: z.string(),
  kind: z.enum(Object.keys(LAB_FAULT_KINDS) as [LabFaultKind, ...LabFaultKind[]]),
  args: z.record(z.string(), z.json()).nullish(),
  leaseMs: z.number().int().min(1).max(LONGEST_LEASE_MS).default(DEFAULT_LEASE_MS),
});

/** What a fault request asks for. Throws Error with one sentence naming the field and the value. */
export function parseFault(body: unknown, regions: readonly string[], now: number): ActiveFault {
  const {region, kind, leaseMs, args} = checked(body);
  const order = {region, kind, args: args ?? {}, leaseMs};
  // What takes the place of another is one fault with a new lease.
  const trouble = labFaultTrouble(order, [], regions);
  if (trouble !== null) throw new Error(trouble.says);
  return {region, kind, args: order.args as FaultArgs, injectedAt: iso(now), leaseMs, endsAt: iso(now + leaseMs)};
}

function checked(value: unknown): z.output<typeof REQUEST> {
  const parsed = REQUEST.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = (issue?.path ?? []).join('.');
  throw new Error(`${field || 'the request'}: ${issue?.message ?? 'not a fault'}`);
}

const iso = (ms: number) => new Date(ms).toISOString();

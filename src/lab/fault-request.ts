import {z} from 'zod';
import {LAB_FAULT_KINDS, type LabFaultKind} from '../lib/providers/lab/lab-fault-kinds.ts';
import {type ActiveFault, DIRECTIONS, type FaultArgs, FRONT_DOOR} from './faults.ts';

/** How long a fault lasts when nothing is said: ten minutes. At most a day. */
export const DEFAULT_LEASE_MS = 600_000;
const DAY_MS = 86_400_000;

const between = {from: z.string().optional()};
const delay = z.number().min(0).max(60_000);

/** The arguments of each kind. */
const ARGS = {
  lose: {},
  kill: {},
  database: {},
  service: {},
  freeze: {},
  partition: {...between, direction: z.enum(DIRECTIONS).optional()},
  latency: {...between, ms: delay, jitterMs: delay.optional()},
  bandwidth: {...between, bytesPerSecond: z.number().int().min(1)},
  errors: {share: z.number().min(0).max(1)},
  'disk-full': {what: z.literal('wal').optional()},
  skew: {ms: z.number().int().min(-DAY_MS).max(DAY_MS)},
  router: {silent: z.boolean().optional()},
} satisfies Record<LabFaultKind, z.ZodRawShape>;

/** What an argument that cannot be left out says. */
const NEEDED: Partial<Record<LabFaultKind, string>> = {
  latency: 'latency needs args.ms, the delay of one way in milliseconds',
  bandwidth: 'bandwidth needs args.bytesPerSecond',
  errors: 'errors needs args.share, the share of requests from 0 to 1',
  skew: 'skew needs args.ms, how far the clock is ahead in milliseconds, or behind when it is negative',
};

const REQUEST = z.strictObject({
  region: z.string(),
  kind: z.enum(Object.keys(LAB_FAULT_KINDS) as [LabFaultKind, ...LabFaultKind[]]),
  args: z.record(z.string(), z.unknown()).nullish(),
  leaseMs: z.number().int().min(1).max(DAY_MS).default(DEFAULT_LEASE_MS),
});

/** What a fault request asks for. Throws Error with one sentence naming the field and the value. */
export function parseFault(body: unknown, regions: readonly string[], now: number): ActiveFault {
  const {region, kind, leaseMs, args: given} = checked(REQUEST, body, '');
  checkPlace(region, kind, regions);
  const args = argsOf(kind, given ?? {});
  if (args.from !== undefined && (!regions.includes(args.from) || args.from === region)) {
    throw new Error(`args.from must be another region of the lab, not "${args.from}"`);
  }
  return {region, kind, args, injectedAt: iso(now), leaseMs, endsAt: iso(now + leaseMs)};
}

function checkPlace(region: string, kind: LabFaultKind, regions: readonly string[]): void {
  if (region === FRONT_DOOR && kind === 'router') return;
  if (region === FRONT_DOOR) throw new Error(`${FRONT_DOOR} is a router: the only fault that it can have is router, not ${kind}`);
  if (!regions.includes(region)) throw new Error(`unknown region "${region}"; the lab has ${[...regions, FRONT_DOOR].join(', ')}`);
  if (kind === 'router') throw new Error(`router is possible at ${FRONT_DOOR} only, not at "${region}"`);
}

function argsOf(kind: LabFaultKind, given: Readonly<Record<string, unknown>>): FaultArgs {
  const shape: z.ZodRawShape = ARGS[kind];
  const names = Object.keys(shape);
  const strange = Object.keys(given).find((name) => !names.includes(name));
  if (strange !== undefined) {
    throw new Error(`${kind} takes no arguments${names.length === 0 ? '' : ` but ${names.join(', ')}`}, so not args.${strange}`);
  }
  const needed = NEEDED[kind];
  const absent = names.some((name) => given[name] === undefined && !z.safeParse(shape[name] as z.ZodType, undefined).success);
  if (needed !== undefined && absent) throw new Error(needed);
  return checked(z.strictObject(shape), given, 'args') as FaultArgs;
}

function checked<T>(schema: z.ZodType<T>, value: unknown, prefix: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = [prefix, ...(issue?.path ?? [])].filter((part) => part !== '').join('.');
  throw new Error(`${field || 'the request'}: ${issue?.message ?? 'not a fault'}`);
}

const iso = (ms: number) => new Date(ms).toISOString();

import {z} from 'zod';
import {usageError} from '../errors.ts';
import type {Action} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';

/** One fact of the steady state. `lagBelowMs` speaks of the largest replay lag of any link. */
export const steadyCheck = z.union([
  z.strictObject({health: z.literal('healthy')}),
  z.strictObject({writable: z.literal(true)}),
  z.strictObject({lagBelowMs: z.number().min(0)}),
]);
export type SteadyCheck = z.infer<typeof steadyCheck>;

const ms = z.number().min(0);
const verdict = z.enum(['healthy', 'degraded', 'unhealthy', 'recovering']);

/** The arguments of the drill's actions, version 1. Durations in ms. */
export const drillArguments = {
  'witness.start': z.strictObject({
    url: z.string(),
    everyMs: z.number().min(1),
    deadlineMs: z.number().min(1),
    ready: z.boolean().default(false),
    /** Stores that are written to by themselves, too. */
    stores: z.array(z.string()).default([]),
  }),
  'witness.stop': z.strictObject({coolDownMs: ms}),
  'fault.inject': z.strictObject({kind: z.string(), args: z.json() as z.ZodType<Json>, leaseMs: z.number().min(1)}),
  'fault.heal': z.strictObject({}),
  /** `fall`: how many samples in a row must say so. */
  'health.await': z.strictObject({verdict, everyMs: z.number().min(1), fall: z.number().int().min(1), withinMs: ms}),
  /** `must` true: what does not hold stops the run. False: it is recorded and judged by the report. Asked again until it holds or `withinMs` are over. */
  'drill.steady': z.strictObject({checks: z.array(steadyCheck), except: z.array(z.string()), withinMs: ms, must: z.boolean()}),
} as const;

export type DrillAction = keyof typeof drillArguments;
export type DrillArguments = {readonly [A in DrillAction]: z.infer<(typeof drillArguments)[A]>};

/** Reads the arguments of an action. Throws a usage error (exit 64) that names the field. */
export function parseArguments<A extends DrillAction>(action: A, args: Json): DrillArguments[A] {
  const result = drillArguments[action].safeParse(args);
  if (result.success) return result.data as DrillArguments[A];
  const [issue] = result.error.issues;
  throw usageError(
    `the arguments of ${action} are wrong: ${issue?.path.join('.') || 'all of them'}: ${issue?.message ?? 'not what was expected'}`,
  );
}

/** What every action of a drill has in common. */
export function named<A extends DrillAction>(name: A, effect: Action['effect']) {
  return {name, v: 1, effect, parse: (args: Json) => parseArguments(name, args)};
}

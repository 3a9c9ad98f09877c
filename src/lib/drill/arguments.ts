import {z} from 'zod';
import {usageError} from '../errors.ts';
import type {Action} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import {loadArguments} from './load-arguments.ts';

const ms = z.number().min(0);
const verdict = z.enum(['healthy', 'degraded', 'unhealthy', 'recovering']);
const store = z.string().nullable();

const region = z.string().nullable();

/**
 * One fact about the fleet. `lagBelowMs` speaks of the largest replay lag of any link, `skewBelowMs` of the clock that is furthest from ours; `primary` is a
 * region; `store` null = every store, `region` null = every region.
 */
export const steadyCheck = z.union([
  z.strictObject({health: z.literal('healthy')}),
  z.strictObject({writable: z.boolean()}),
  z.strictObject({lagBelowMs: ms}),
  z.strictObject({lagAboveMs: ms}),
  z.strictObject({skewBelowMs: ms, region, store}),
  z.strictObject({skewAboveMs: ms, region, store}),
  z.strictObject({region: z.string(), verdict: z.array(verdict).min(1)}),
  z.strictObject({link: z.array(z.string()).min(1), region: z.string(), store}),
  z.strictObject({breaker: z.enum(['open', 'closed']), region: z.string(), store}),
  z.strictObject({primary: z.string(), store}),
  z.strictObject({noAckForMs: ms}),
  z.strictObject({ackWithinMs: ms}),
  z.strictObject({
    load: z.union([
      z.strictObject({errorRateBelow: z.number()}),
      z.strictObject({errorRateAbove: z.number()}),
      z.strictObject({p95BelowMs: ms}),
      z.strictObject({p95AboveMs: ms}),
    ]),
  }),
  z.strictObject({exec: z.array(z.string()).min(1), timeoutMs: ms}),
]);
export type SteadyCheck = z.infer<typeof steadyCheck>;

const override = z.strictObject({gate: z.string(), reason: z.string(), by: z.string()});

/** The arguments of the drill's actions, version 1. Durations in ms. */
export const drillArguments = {
  'witness.start': z.strictObject({
    url: z.string(),
    everyMs: z.number().min(1),
    deadlineMs: z.number().min(1),
    ready: z.boolean().default(false),
    /** Written to directly as well. */
    stores: z.array(z.string()).default([]),
  }),
  'witness.stop': z.strictObject({coolDownMs: ms}),
  /** `beside`: the kinds that this drill has active there already. */
  'fault.inject': z.strictObject({
    kind: z.string(),
    args: z.json() as z.ZodType<Json>,
    leaseMs: z.number().min(1),
    beside: z.array(z.string()).default([]),
  }),
  'fault.heal': z.strictObject({}),
  /** `fall`: how many samples in a row must say so. */
  'health.await': z.strictObject({verdict, everyMs: z.number().min(1), fall: z.number().int().min(1), withinMs: ms}),
  /** `must` true: what does not hold stops the run. False: it is recorded and judged by the report. Asked again until it holds or `withinMs` are over. */
  'drill.steady': z.strictObject({checks: z.array(steadyCheck), except: z.array(z.string()), withinMs: ms, must: z.boolean()}),
  /** Waits until every check holds; what does not within `withinMs` fails the step. */
  'drill.await': z.strictObject({checks: z.array(steadyCheck).min(1), everyMs: z.number().min(1), withinMs: ms, what: z.string()}),
  'drill.wait': z.strictObject({forMs: ms}),
  /** Of each of the stores one member may take writes; `home`: the regions where they must be, null = wherever. `close`: one that was passed by is closed. */
  'drill.primaries': z.strictObject({
    stores: z.array(z.string()).min(1),
    home: z.record(z.string(), z.string()).nullable(),
    close: z.boolean(),
    /** With `close`: who was the primary of each store. Nobody waits for others that are silent. Null = all are waited for. */
    former: z.record(z.string(), z.string()).nullable().default(null),
    withinMs: ms,
  }),
  /** The faults of the drill that must be there still, by place. */
  'fault.still': z.strictObject({faults: z.array(z.strictObject({region: z.string(), kinds: z.array(z.string())}))}),
  /** People are told what to do, and awaited. */
  'reaction.person': z.strictObject({prompts: z.array(z.string()), until: z.array(steadyCheck).min(1), withinMs: ms}),
  'reaction.exec': z.strictObject({run: z.array(z.string()).min(1), withinMs: ms}),
  /** A failover by a process of its own; `killAt` null = it is left alone, else it is killed (-9) when its journal has come to that step or phase, and resumed. */
  'reaction.command': z.strictObject({
    to: z.string().nullable(),
    killAt: z.string().nullable(),
    overrides: z.array(override),
    withinMs: ms,
  }),
  /** A failover is planned and must be refused; by these gates, if any are named. */
  'reaction.refused': z.strictObject({to: z.string().nullable(), gates: z.array(z.string()), withinMs: ms}),
  ...loadArguments,
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

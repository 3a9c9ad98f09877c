import {z} from 'zod';
import {durationMs} from '../fleet/fields.ts';
import type {SteadyCheck} from './arguments.ts';

/** Links are said to be in one of these states, as `replication lag` shows them. */
export const LINK_STATES = ['streaming', 'catching-up', 'idle', 'stalled', 'broken', 'unknown'] as const;
export const REGION_VERDICTS = ['healthy', 'degraded', 'unhealthy', 'recovering'] as const;

const oneOrMore = <T extends readonly [string, ...string[]]>(values: T) => {
  const one = z.enum(values);
  return z.union([one, z.array(one).min(1)]).transform((value) => (Array.isArray(value) ? value : [value]));
};
const positive = durationMs.refine((ms) => ms > 0, 'expected a duration longer than 0s');
const share = z.number().min(0).max(1);

const fields = {
  health: z.literal('healthy').optional().describe('Every region is healthy.'),
  writable: z.boolean().optional().describe('Whether a write through the front door is accepted.'),
  lagBelow: durationMs.optional().describe('The largest replay lag of any standby is below this.'),
  lagAbove: durationMs.optional().describe('It is above this.'),
  verdict: oneOrMore(REGION_VERDICTS).optional().describe('The region has this verdict, or one of these. Needs "region".'),
  link: oneOrMore(LINK_STATES)
    .optional()
    .describe('The link to the standby in the region is in this state, or one of these. Needs "region".'),
  breaker: z.enum(['open', 'closed']).optional().describe('The breaker of the link to the standby in the region. Needs "region".'),
  primary: z.string().min(1).optional().describe('Region that holds the primary; "unmoved" = the one that held it at the start.'),
  skewBelow: positive
    .optional()
    .describe('The clock of every member of a store is less than this ahead of or behind this machine\'s. With "region": of those there.'),
  skewAbove: positive.optional().describe('That of one of them is more than this.'),
  noAckFor: positive.optional().describe('The witness has had no acknowledgement for this long.'),
  ackWithin: positive.optional().describe('The witness has had one within this time.'),
  errorRateBelow: share.optional().describe('Share of failed requests of the load in the last 5 s, 0 to 1.'),
  errorRateAbove: share.optional(),
  p95Below: positive.optional().describe('95th percentile of the latency of the load in the last 5 s.'),
  p95Above: positive.optional(),
  exec: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('Program and arguments; no shell sees them. Exit code 0 = it holds, 1 = it does not, else unknown.'),
} as const;

/** What a check asks; each has exactly one. */
export const SUBJECTS = Object.keys(fields) as (keyof typeof fields)[];
const WITH_REGION: readonly string[] = ['verdict', 'link', 'breaker'];
/** Without it they speak of every region. */
const MAY_HAVE_REGION: readonly string[] = ['skewBelow', 'skewAbove'];
const WITH_STORE: readonly string[] = ['link', 'breaker', 'primary', 'skewBelow', 'skewAbove'];

/** One check of a drill file: a fact about the fleet. */
export const checkSchema = z
  .strictObject({
    ...fields,
    region: z.string().min(1).optional().describe('"primary" or the name of a region.'),
    store: z.string().min(1).optional().describe('Only this store. Default: every store.'),
    timeout: positive.optional().describe('Deadline of exec. Default 10s.'),
  })
  .superRefine((check, ctx) => {
    const asked = SUBJECTS.filter((key) => check[key] !== undefined);
    const problem = (message: string) => ctx.addIssue({code: 'custom', message});
    const [subject, ...more] = asked;
    if (subject === undefined) return problem(`a check asks for one of ${SUBJECTS.join(', ')}`);
    if (more.length > 0) return problem(`a check asks for one thing, not for ${asked.join(' and ')}: write them as items of their own`);
    if (WITH_REGION.includes(subject) && check.region === undefined) return problem(`"${subject}" needs "region"`);
    const takesRegion = [...WITH_REGION, ...MAY_HAVE_REGION];
    if (!takesRegion.includes(subject) && check.region !== undefined)
      return problem(`"region" goes with ${takesRegion.join(', ')}, not with ${subject}`);
    if (!WITH_STORE.includes(subject) && check.store !== undefined)
      return problem(`"store" goes with ${WITH_STORE.join(', ')}, not with ${subject}`);
    if (subject !== 'exec' && check.timeout !== undefined) return problem('"timeout" goes with exec');
  });

/** A check as the file has it. */
export type FileCheck = z.output<typeof checkSchema>;

const EXEC_MS = 10_000;

/** A check as plans carry it. */
export function compileCheck(check: FileCheck): SteadyCheck {
  const {region = '', store = null} = check;
  if (check.health !== undefined) return {health: check.health};
  if (check.writable !== undefined) return {writable: check.writable};
  if (check.lagBelow !== undefined) return {lagBelowMs: check.lagBelow};
  if (check.lagAbove !== undefined) return {lagAboveMs: check.lagAbove};
  if (check.skewBelow !== undefined) return {skewBelowMs: check.skewBelow, region: check.region ?? null, store};
  if (check.skewAbove !== undefined) return {skewAboveMs: check.skewAbove, region: check.region ?? null, store};
  if (check.verdict !== undefined) return {region, verdict: check.verdict};
  if (check.link !== undefined) return {link: check.link, region, store};
  if (check.breaker !== undefined) return {breaker: check.breaker, region, store};
  if (check.primary !== undefined) return {primary: check.primary, store};
  if (check.noAckFor !== undefined) return {noAckForMs: check.noAckFor};
  if (check.ackWithin !== undefined) return {ackWithinMs: check.ackWithin};
  if (check.exec !== undefined) return {exec: check.exec, timeoutMs: check.timeout ?? EXEC_MS};
  return {load: loadOf(check)};
}

function loadOf({errorRateBelow, errorRateAbove, p95Below, p95Above}: FileCheck): Extract<SteadyCheck, {load: unknown}>['load'] {
  if (errorRateBelow !== undefined) return {errorRateBelow};
  if (errorRateAbove !== undefined) return {errorRateAbove};
  return p95Below === undefined ? {p95AboveMs: p95Above ?? 0} : {p95BelowMs: p95Below};
}

import {z} from 'zod';

/** Limits of the built-in load. It sends no more than this per second, and has no more than this many requests under way. */
export const MOST_PER_SECOND = 500;
export const MOST_UNDER_WAY = 2000;
export const LONGEST_DEADLINE_MS = 60_000;
export const LONGEST_BODY = 65_536;
const LONGEST_RUN_MS = 86_400_000;

const httpUrl = z
  .string()
  .refine((url) => /^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : ''), 'expected an http or https URL');

const builtIn = z
  .strictObject({
    kind: z.literal('built-in'),
    url: httpUrl,
    method: z.enum(['GET', 'POST']).default('GET'),
    /** `{n}` becomes the number of the request, `{run}` the id of the run. */
    body: z.string().max(LONGEST_BODY).nullable().default(null),
    rate: z.number().min(0.1).max(MOST_PER_SECOND).default(20),
    deadlineMs: z.number().min(1).max(LONGEST_DEADLINE_MS),
    /** Null = any 2xx or 3xx. */
    expectStatus: z.array(z.int().min(100).max(599)).min(1).nullable().default(null),
  })
  .refine(({method, body}) => method === 'POST' || body === null, {path: ['body'], message: 'a GET has no body'})
  .refine(({rate, deadlineMs}) => (rate * deadlineMs) / 1000 <= MOST_UNDER_WAY, {
    path: ['deadlineMs'],
    message: `rate times deadline is more than ${MOST_UNDER_WAY} requests under way at once`,
  });

const exec = z.strictObject({
  kind: z.literal('exec'),
  command: z.array(z.string()).min(1),
  /** It is ended after this time, whatever it does. */
  timeoutMs: z.number().min(1).max(LONGEST_RUN_MS),
  /** The name of the drill, for its environment; null = the variable is empty. */
  drill: z.string().nullable().default(null),
  /** Where it runs; null = in the folder of the fleet file. */
  cwd: z.string().nullable().default(null),
});

/** The arguments of the load's actions, version 1. Durations in ms, `rate` in requests per second (default 20). */
export const loadArguments = {
  'load.start': z.discriminatedUnion('kind', [builtIn, exec]),
  'load.phase': z.strictObject({phase: z.enum(['during', 'after'])}),
  'load.stop': z.strictObject({}),
} as const;

const share = z.number().min(0).max(1);
const ms = z.number().min(0);

/** What `load.rate` is asked: one bound on the last 5 s. */
export const loadWant = z.union([
  z.strictObject({errorRateBelow: share}),
  z.strictObject({errorRateAbove: share}),
  z.strictObject({p95BelowMs: ms}),
  z.strictObject({p95AboveMs: ms}),
]);
export type LoadWant = z.infer<typeof loadWant>;

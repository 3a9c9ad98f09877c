import {z} from 'zod';
import {durationMs, httpUrl, witnessEveryMs} from '../fleet/fields.ts';
import {checkSchema} from './check-schema.ts';
import {LONGEST_BODY, LONGEST_DEADLINE_MS, MOST_PER_SECOND, MOST_UNDER_WAY} from './load-arguments.ts';

const positive = durationMs.refine((ms) => ms > 0, 'expected a duration longer than 0s');
const share = z.number().min(0).max(1);
const program = z.array(z.string()).min(1);
const override = z.strictObject({gate: z.string().min(1), reason: z.string().min(1)});
const overrides = z.array(override).default([]).describe('Gates that the drill passes by name, each with a reason.');
const target = z.string().min(1).nullable().default(null);
const checks = z.array(checkSchema).default([{health: 'healthy'}, {writable: true}]);

const MOST_FAULTS = 32;

const faultSchema = z.strictObject({
  kind: z
    .string()
    .min(1)
    .describe("What is done there: one of the kinds of the fleet's injector, for the lab lose, kill, freeze, partition, latency, …"),
  region: z
    .string()
    .min(1)
    .default('primary')
    .describe('Where: "primary", the name of a region, or of a route for a fault of its router. Default primary.'),
  lease: positive.prefault('10m').describe('The fault ends by itself after this time, whatever becomes of regionctl. Default 10m.'),
  args: z
    .record(z.string(), z.json())
    .default({})
    .describe('Details for the fault injector. The name "primary" stands for the region that holds it.'),
});

const reactionSchema = z
  .strictObject({
    failover: z
      .strictObject({
        to: target.describe('Region to fail over to. Default: the failover order.'),
        overrides,
        expect: z.enum(['done', 'refused']).default('done').describe('Whether it must be carried out, or be refused.'),
        gates: z.array(z.string().min(1)).default([]).describe('With "refused": gates that must refuse it.'),
        by: z.enum(['drill', 'command']).default('drill').describe('"command" = a process of its own runs it, as an operator would.'),
        killAt: z
          .string()
          .min(1)
          .nullable()
          .default(null)
          .describe('With "command": that process is killed (-9) when it comes to this step or phase, and the run is resumed.'),
      })
      .optional()
      .describe('A failover by regionctl.'),
    switchover: z
      .strictObject({to: target.describe('Default: the failover order.'), overrides})
      .optional()
      .describe('A planned move, without loss.'),
    failback: z
      .strictObject({to: target.describe('Default: the home region.'), overrides})
      .optional()
      .describe('The way home after a failover.'),
    traffic: z
      .strictObject({
        from: z.string().min(1).default('primary').describe('Region that traffic leaves. Default primary.'),
        to: z.string().min(1).describe('Region that takes it.'),
        for: positive.prefault('10s').describe('How long it stays there. Default 10s.'),
      })
      .optional()
      .describe('Only traffic moves, data stays; it comes back at the end.'),
    person: z
      .strictObject({
        prompts: z.array(z.string().min(1)).min(1).describe('What the person is told, one line each.'),
        until: z
          .array(checkSchema)
          .min(1)
          .optional()
          .describe(
            'What must hold when it is done, and does not before. Default: a write is accepted; only where the fault is noticed by that none is.',
          ),
        within: positive.prefault('30m').describe('Default 30m.'),
      })
      .optional()
      .describe('A person does what has to be done, by whatever means.'),
    exec: z
      .strictObject({
        run: program.describe('Program and arguments; no shell sees them.'),
        within: positive.prefault('10m').describe('Default 10m.'),
      })
      .optional()
      .describe('A program of yours does it. Exit code 0 = done.'),
    none: z
      .strictObject({for: positive.prefault('5s').describe('How long the fault is left alone. Default 5s.')})
      .optional()
      .describe('Nothing may be done: nobody may be promoted.'),
  })
  .superRefine((value, ctx) => {
    const named = Object.keys(value);
    if (named.length > 1) ctx.addIssue({code: 'custom', message: `a drill expects one reaction, not ${named.join(' and ')}`});
    const {failover} = value;
    if (failover === undefined) return;
    const wrong = (path: string, message: string) => ctx.addIssue({code: 'custom', message, path: ['failover', path]});
    if (failover.killAt !== null && failover.by !== 'command') wrong('killAt', '"killAt" goes with by: command');
    if (failover.gates.length > 0 && failover.expect !== 'refused') wrong('gates', '"gates" goes with expect: refused');
    if (failover.by === 'command' && failover.expect === 'refused')
      wrong('by', 'a failover that must be refused is planned by the drill itself');
  });

const loadPart = z.strictObject({
  errorRate: share.optional().describe('At most this share of requests fails, 0 to 1.'),
  p95: positive.optional().describe('The 95th percentile is at most this.'),
});

const objectivesSchema = z.strictObject({
  rto: durationMs.nullable().default(null).describe('Longest time without an acknowledged write.'),
  rpo: durationMs.nullable().default(null).describe('How far back acknowledged writes may be lost.'),
  services: z.record(z.string(), durationMs).default({}).describe('RTO by service class.'),
  data: z.record(z.string(), durationMs).default({}).describe('RPO by data class.'),
  load: z
    .strictObject({before: loadPart.optional(), during: loadPart.optional(), after: loadPart.optional()})
    .default({})
    .describe('What clients may feel.'),
});

const loadSchema = z
  .strictObject({
    url: httpUrl.optional().describe("What is asked. Default: the URL of the fleet's first route."),
    path: z
      .string()
      .regex(/^\/(?![/\\])/, 'a path begins with one /')
      .optional()
      .describe('Path on that URL.'),
    method: z.enum(['GET', 'POST']).default('GET').describe('Default GET.'),
    body: z.string().max(LONGEST_BODY).nullable().default(null).describe('Body of POST; {n} and {run} make each request its own.'),
    rate: z.number().min(0.1).max(MOST_PER_SECOND).default(20).describe('Requests per second. Default 20.'),
    deadline: positive
      .refine((ms) => ms <= LONGEST_DEADLINE_MS, 'expected at most 60s')
      .prefault('2s')
      .describe('Deadline of one request, 60s at most. Default 2s.'),
    exec: program.optional().describe('A load generator of yours instead, which prints a line for each request (docs/load.md).'),
  })
  .superRefine((load, ctx) => {
    const wrong = (path: string[], message: string) => ctx.addIssue({code: 'custom', message, path});
    if (load.exec !== undefined && (load.url !== undefined || load.path !== undefined || load.body !== null))
      wrong([], 'with "exec" the program makes the requests: "url", "path" and "body" say nothing to it');
    else if (load.exec === undefined && load.method === 'GET' && load.body !== null)
      wrong(['body'], 'a GET has no body: write method: POST');
    const underWay = (load.rate * load.deadline) / 1000;
    if (load.exec === undefined && load.deadline <= LONGEST_DEADLINE_MS && underWay > MOST_UNDER_WAY)
      wrong([], `rate times deadline is more than ${MOST_UNDER_WAY} requests under way at once`);
  });

/** What can be kept as evidence. */
export const EVIDENCE = ['journal', 'witness', 'load', 'snapshots'] as const;

/** The shape of a drill file; also the source of its JSON Schema. */
export const drillSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'a name has letters, digits, ".", "-" and "_" only (at most 63)')
    .describe('Name of the drill, as reports and the calendar show it.'),
  description: z.string().default('').describe('What the drill shows, for people.'),
  scenario: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a scenario is written in small letters, digits and "-"')
    .nullable()
    .default(null)
    .describe('Kind of drill, for lists. Default: its name.'),
  fault: faultSchema.optional().describe('The fault. Without one, and without "faults", the drill is a planned move.'),
  faults: z.array(faultSchema).min(1).max(MOST_FAULTS).optional().describe('Several faults, injected one after the other; 32 at most.'),
  heal: z
    .enum(['end', 'after-reaction'])
    .default('end')
    .describe('When the faults are healed: at the end, or right after the reaction, so that what follows is measured too. Default end.'),
  watch: durationMs.prefault('0s').describe('How long to look on after the reaction and the heal, before the last look. Default 0s.'),
  steadyState: z
    .strictObject({
      before: checks.describe('Must hold, or the drill does not start.'),
      after: checks.describe('Must hold at the end, in the regions that were not lost.'),
      within: durationMs.prefault('15s').describe('How long the end may take to become steady. Default 15s.'),
    })
    .prefault({})
    .describe('What normal looks like.'),
  witness: z
    .strictObject({
      every: witnessEveryMs.prefault('20ms').describe('A numbered write this often, 5ms to 10s. Default 20ms.'),
      warmUp: durationMs.prefault('2s').describe('Writes before the fault. Default 2s.'),
      coolDown: durationMs.prefault('2s').describe('Writes after the recovery. Default 2s.'),
      stores: z.boolean().default(true).describe('Whether each store that allows it is written to directly as well. Default true.'),
    })
    .prefault({})
    .describe('The stream of writes that measures the gap and the loss.'),
  load: loadSchema.nullable().default(null).describe('Requests beside the witness, to see what clients feel. Default: none.'),
  reaction: reactionSchema.prefault({failover: {}}).describe('What is expected to happen. Default: a failover by regionctl.'),
  detect: z
    .strictObject({
      every: positive.prefault('250ms').describe('How often the region is probed. Default 250ms.'),
      fall: z.number().int().min(1).default(2).describe('Bad samples in a row before the region counts as unhealthy. Default 2.'),
      within: positive.prefault('30s').describe('The drill fails when the fault is not noticed in this time. Default 30s.'),
      until: z.array(checkSchema).min(1).optional().describe('What tells that the fault is noticed. Default: its region is unhealthy.'),
    })
    .prefault({})
    .describe('How the fault is noticed.'),
  objectives: objectivesSchema
    .prefault({})
    .describe('Targets of this drill. Default: those of the service and data classes of the fleet file.'),
  abortIf: z.array(checkSchema).default([]).describe('Watched all the time: as soon as one of these holds, the drill goes back and heals.'),
  setUp: z
    .strictObject({switchover: z.strictObject({to: z.string().min(1).describe('Region that holds the primary when the drill begins.')})})
    .nullable()
    .default(null)
    .describe('A run of its own before the drill, to get the fleet where the drill starts from.'),
  rollback: z
    .enum(['none', 'failback'])
    .default('none')
    .describe('What is done after the drill: nothing, or a failback, as a run of its own. Default none.'),
  evidence: z
    .array(z.enum(EVIDENCE))
    .default([...EVIDENCE])
    .describe('What is kept beside the report, with its digest. Default: everything.'),
});

/** A drill file as its schema reads it. */
export type DrillFileData = z.output<typeof drillSchema>;

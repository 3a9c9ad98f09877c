import {z} from 'zod';
import {breakerSchema} from './breaker-schema.ts';
import {capacitySchema, metricsSchema} from './capacity-schema.ts';
import {consistencySchema} from './consistency-schema.ts';
import {drillsSchema} from './drills-schema.ts';
import {durationMs, httpUrl, witnessEveryMs} from './fields.ts';
import {healthSchema, uplinkSchema, vantageSchema} from './health-schema.ts';
import {SERVICE_CLASSES} from './lookup.ts';
import {NAME} from './name-checks.ts';

/** Keys of the parts that belong to regionctl; all other keys of a part are for its provider. */
export const OWN_KEYS = {
  endpoint: ['probe', 'critical', 'timeout', 'slow', 'interval', 'vantages'],
  vantage: ['kind', 'region'],
  uplink: ['probe', 'timeout'],
  store: ['engine', 'dataClasses', 'quorum', 'fenceHook', 'breaker', 'consistency', 'members'],
  member: ['region', 'site', 'host'],
  route: ['router', 'weights', 'url', 'stages'],
  fault: ['kind'],
  host: ['kind'],
  notifier: ['kind', 'on', 'timeout'],
  handler: ['kind', 'timeout'],
  metrics: ['kind', 'timeout'],
} as const;

const name = z.string().regex(NAME, 'a name begins with a letter and has letters, digits, - and _ only (at most 63)');
const kind = z.string().min(1);
const namesOf = (what: string) => z.array(z.string()).default([]).describe(what);

const siteSchema = z
  .strictObject({failsOverTo: z.string().nullable().default(null).describe('Site of the same region that takes over first.')})
  .nullable()
  .describe('A site (zone, data centre) of the region.');

/** An endpoint: the generic keys; the rest belongs to the probe. */
export const endpointSchema = z
  .looseObject({
    probe: kind.describe('Kind of probe.'),
    critical: z
      .boolean()
      .default(false)
      .describe('Critical endpoints decide the verdict of the region; the others only degrade it. Default false.'),
    timeout: durationMs.prefault('1s').describe('Deadline of one probe. Default 1s.'),
    slow: durationMs.nullable().default(null).describe('Above this the endpoint is slow. Default: never.'),
    interval: durationMs
      .refine((ms) => ms >= 100, 'expected at least 100ms')
      .nullable()
      .default(null)
      .describe('How often a live view asks it. Default: the interval of health.'),
    vantages: z
      .array(z.string())
      .nullable()
      .default(null)
      .describe('Vantage points that look at it besides this machine. Default: all that can; [] = none.'),
  })
  .describe('Something that is probed to judge the region.');

const regionSchema = z
  .strictObject({
    jurisdiction: z.string().min(1).describe('Code of the jurisdiction, such as US, EU or SG; compared as written.'),
    tier: z
      .enum(['hot', 'warm', 'cold'])
      .default('hot')
      .describe('hot serves now, warm can after a switch, cold must be built first. Default hot.'),
    sites: z.record(name, siteSchema).default({}).describe('Sites (zones, data centres) of the region.'),
    failoverOrder: namesOf('Regions to fail over to, first choice first.'),
    endpoints: z.record(name, endpointSchema).default({}).describe('What is probed to judge the region.'),
    scaleUp: z.string().nullable().default(null).describe('Hook that makes a warm region ready to serve, before anything moves there.'),
  })
  .describe('A region.');

/** Control over the machine of a store member, or over faults: the provider's kind and its own keys. */
export const hostSchema = z.looseObject({kind: kind.describe('Kind of host.')}).describe('Control over the machine of the member.');
export const faultSchema = z
  .looseObject({kind: kind.describe('Kind of fault injector.')})
  .describe('How drills inject faults. Leave it out to allow none.');

/** A member of a store: the generic keys; the rest belongs to the engine. */
export const memberSchema = z
  .looseObject({
    region: z.string().describe('Region of the member.'),
    site: z.string().nullable().default(null).describe('Site of the member within its region.'),
    host: hostSchema.nullable().default(null),
  })
  .describe('A server of the store. Its role is found, never declared.');

/** A store: the generic keys; the rest belongs to the engine. */
export const storeSchema = z
  .looseObject({
    engine: kind.describe('Kind of store.'),
    dataClasses: namesOf('Data classes that are kept in this store.'),
    quorum: z
      .int()
      .min(0)
      .default(0)
      .describe('How many other members must hold a write before it is acknowledged; 0 = asynchronous. Default 0.'),
    fenceHook: z
      .string()
      .nullable()
      .default(null)
      .describe('Hook that fences the old primary where neither stopping nor closing it can be had. Its verify is the proof.'),
    breaker: breakerSchema,
    consistency: consistencySchema,
    members: z.record(name, memberSchema).describe('Servers of the store.'),
  })
  .describe('A replicated database.');

/** A route: the generic keys; the rest belongs to the router. */
export const routeSchema = z
  .looseObject({
    router: kind.describe('Kind of router.'),
    weights: z
      .record(z.string(), z.int().min(0).max(100))
      .describe('Share of new traffic per region in normal operation: weights from 0 to 100.'),
    url: httpUrl.nullable().default(null).describe('Where clients enter.'),
    stages: z
      .strictObject({
        shares: z
          .array(z.int().min(1).max(99))
          .min(1)
          .refine(
            (shares) => shares.every((share, index) => index === 0 || share > (shares[index - 1] ?? 0)),
            'must rise from stage to stage',
          )
          .describe('Percent of traffic that goes home at each stage before all of it does, such as [10, 50].'),
        hold: durationMs.prefault('1m').describe('How long home must stay well at a stage before the next one. Default 1m.'),
      })
      .nullable()
      .default(null)
      .describe(
        'Brings traffic home in stages after a failback; only where every region can serve without holding the primary. Default: at once.',
      ),
  })
  .describe('What sends clients to regions.');

const serviceSchema = z
  .strictObject({
    class: z.enum(SERVICE_CLASSES).describe('How urgent: critical first, then core, full, rebuild.'),
    rto: durationMs.describe('Recovery time objective: the longest outage that is acceptable.'),
    stores: namesOf('Stores that the service needs.'),
    routes: namesOf('Routes by which clients reach the service.'),
  })
  .describe('What users notice when it is gone.');

const dataClassSchema = z
  .strictObject({
    rpo: durationMs.describe('Recovery point objective: how much may be lost; 0s = no acknowledged write.'),
    allowed: z.array(z.string()).min(1).nullable().default(null).describe('Jurisdictions where the data may be. Default: anywhere.'),
  })
  .describe('Data with one rule for loss and one for place.');

const witnessSchema = z
  .strictObject({
    allowed: z.boolean().describe('Whether regionctl may write test records.'),
    url: httpUrl.describe('Where the witness writes.'),
    every: witnessEveryMs.prefault('20ms').describe('Time between two writes, 5ms to 10s. Default 20ms.'),
    deadline: durationMs.prefault('2s').describe('Deadline of one write. Default 2s.'),
    stores: namesOf('Stores that drills also write to by themselves, in a table or under keys of their own. Default: none.'),
  })
  .describe('Writes during drills and failovers, to measure gaps and losses.');

const hookSchema = z
  .strictObject({
    run: z.array(z.string()).min(1).describe('Program and arguments. No shell sees them.'),
    verify: z
      .array(z.string())
      .min(1)
      .nullable()
      .default(null)
      .describe('Program and arguments that prove the effect: exit code 0 = it holds. Asked again until the deadline.'),
    timeout: durationMs.prefault('30s').describe('Deadline. Default 30s.'),
  })
  .describe('A command that a plan may run.');

const approvalSchema = z
  .strictObject({
    before: z
      .array(z.enum(['fence', 'promote', 'reroute', 'converge']))
      .min(1)
      .default(['fence'])
      .describe('Phases before which a run waits for approval. Default: fence, before anything that clients notice.'),
    approvers: z.int().min(1).max(5).default(1).describe('How many people must approve. From 2 on, who started the run does not count.'),
    expires: durationMs.prefault('30m').describe('How long a run waits; then it goes back. Default 30m.'),
  })
  .describe('Approval that runs wait for.');

/** Something that is told of runs: the generic keys; the rest belongs to the notifier. */
export const notifierSchema = z
  .looseObject({
    kind: kind.describe('Kind of notifier.'),
    on: z
      .array(z.enum(['start', 'gate', 'approval', 'guard', 'result']))
      .min(1)
      .default(['start', 'gate', 'approval', 'guard', 'result'])
      .describe('What it is told. Default: everything.'),
    timeout: durationMs.prefault('5s').describe('Deadline of one delivery. Default 5s.'),
  })
  .describe('Who is told what runs do.');

/** What decides between versions of a row: the generic keys; the rest belongs to the handler. */
export const handlerSchema = z
  .looseObject({
    kind: kind.describe('Kind of handler, of a plugin.'),
    timeout: durationMs.prefault('5s').describe('Deadline of one decision. Default 5s.'),
  })
  .describe('What decides between versions of a row, for the policy handler.');

const readingSchema = z
  .union([
    z.strictObject({value: z.union([z.number(), z.string()]).describe('A fixed value.')}),
    z.strictObject({
      store: z.string().describe('Store whose primary is asked.'),
      sql: z.string().min(1).describe('One read-only query; the first column of its first row counts.'),
    }),
    z.strictObject({
      http: httpUrl.describe('URL that is asked with GET.'),
      json: z
        .string()
        .regex(/^\//, 'a JSON pointer begins with /')
        .nullable()
        .default(null)
        .describe('JSON pointer into the answer. Default: the whole body as text.'),
    }),
  ])
  .describe('Where a value comes from.');

const checkSchema = z
  .union([
    z.strictObject({
      http: httpUrl.describe('URL that is asked with GET, through the front door.'),
      status: z.int().min(100).max(599).default(200).describe('Status that it must answer. Default 200.'),
      contains: z.string().nullable().default(null).describe('Text that the answer must contain.'),
    }),
    z.strictObject({
      equal: z.tuple([readingSchema, readingSchema]).describe('Two values that must be equal.'),
      tolerance: z.number().min(0).default(0).describe('How far two numbers may differ. Default 0.'),
    }),
  ])
  .describe('A check of function or of business that must hold after a failover.');

const stateSchema = z.strictObject({
  kind: z.literal('sqlite').default('sqlite').describe('Default sqlite.'),
  dir: z.string().min(1).nullable().default(null).describe("Folder, relative to this file. Default: regionctl's data folder."),
});

/** The whole fleet file, with the parts of providers still open. */
export const fileSchema = z
  .strictObject({
    version: z.literal(1).describe('Version of the format: 1.'),
    fleet: name.describe('Name of the fleet.'),
    labels: z.record(z.string(), z.json()).default({}).describe('Free values that reports show.'),
    regions: z.record(name, regionSchema).describe('Regions by name.'),
    stores: z.record(name, storeSchema).default({}).describe('Stores by name.'),
    routes: z.record(name, routeSchema).default({}).describe('Routes by name.'),
    services: z.record(name, serviceSchema).default({}).describe('Services by name.'),
    dataClasses: z.record(name, dataClassSchema).default({}).describe('Data classes by name.'),
    health: healthSchema.prefault({}),
    vantages: z.record(name, vantageSchema).default({}).describe('Vantage points besides this machine, by name.'),
    uplinks: z
      .record(name, uplinkSchema)
      .default({})
      .describe('What tells whether this machine itself is cut off, by name: it is when none of them answers.'),
    faults: faultSchema.nullable().default(null),
    witness: witnessSchema.nullable().default(null),
    hooks: z.record(name, hookSchema).default({}).describe('Commands by name.'),
    approval: approvalSchema.nullable().default(null),
    notify: z.record(name, notifierSchema).default({}).describe('Who is told, by name.'),
    handlers: z.record(name, handlerSchema).default({}).describe('What decides between versions of a row, by name.'),
    metrics: z.record(name, metricsSchema).default({}).describe('Where series come from, by name.'),
    capacity: capacitySchema,
    checks: z.record(name, checkSchema).default({}).describe('What must hold after a failover, by name.'),
    drills: drillsSchema,
    state: stateSchema.prefault({}).describe('Where runs, journals and history are kept.'),
  })
  .describe('The fleet file of regionctl.');

/** The fleet file as its schema reads it: defaults filled in, durations in ms. */
export type FleetFile = z.output<typeof fileSchema>;

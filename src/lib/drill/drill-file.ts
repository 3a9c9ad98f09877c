import {readFile} from 'node:fs/promises';
import {z} from 'zod';
import {messageOf, RegionctlError, usageError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import {durationMs} from '../fleet/fields.ts';
import type {Fleet} from '../fleet/fleet.ts';
import {nearest} from '../fleet/lookup.ts';
import {type Finding, ordered, type Path, type Problem, problemsError} from '../fleet/problem.ts';
import {parseSource} from '../fleet/source.ts';
import {check} from '../fleet/wording.ts';
import type {Json} from '../plan/json.ts';
import type {SteadyCheck} from './arguments.ts';

/** A drill as its file declares it. Durations in ms. `region` is `primary` (whichever region holds it) or a name of the fleet file. */
export type Drill = {
  readonly file: string;
  readonly name: string;
  readonly description: string;
  readonly scenario: 'region-lost';
  readonly fault: {readonly kind: string; readonly region: string; readonly leaseMs: number; readonly args: Json};
  readonly steadyState: {readonly before: readonly SteadyCheck[]; readonly after: readonly SteadyCheck[]};
  readonly witness: {readonly everyMs: number; readonly warmUpMs: number; readonly coolDownMs: number};
  readonly reaction: {readonly failover: {readonly to: string | null; readonly overrides: readonly {gate: string; reason: string}[]}};
  readonly detect: {readonly everyMs: number; readonly fall: number; readonly withinMs: number};
  /** Null = those of the fleet file. */
  readonly objectives: {readonly rtoMs: number | null; readonly rpoMs: number | null};
};

const positive = durationMs.refine((ms) => ms > 0, 'expected a duration longer than 0s');
const check1 = z.union([
  z.strictObject({health: z.literal('healthy')}),
  z.strictObject({writable: z.literal(true)}),
  z.strictObject({lagBelow: durationMs}),
]);
const checks = z.array(check1).default([{health: 'healthy'}, {writable: true}]);
const override = z.strictObject({gate: z.string().min(1), reason: z.string().min(1)});

/** The shape of a drill file; also the source of its JSON Schema. */
export const drillSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'a name has letters, digits, ".", "-" and "_" only (at most 63)')
    .describe('Name of the drill, as reports and the calendar show it.'),
  description: z.string().default('').describe('What the drill shows, for people.'),
  scenario: z.enum(['region-lost']).describe('Kind of drill.'),
  fault: z
    .strictObject({
      kind: z.enum(['lose', 'kill', 'freeze', 'partition', 'latency', 'bandwidth']).describe('What is done to the region.'),
      region: z.string().min(1).default('primary').describe('Where: "primary" or the name of a region. Default primary.'),
      lease: positive.prefault('10m').describe('The fault ends by itself after this time. Default 10m.'),
      args: z.record(z.string(), z.json()).default({}).describe('Details for the fault injector.'),
    })
    .describe('The fault.'),
  steadyState: z
    .strictObject({
      before: checks.describe('Must hold, or the drill does not start.'),
      after: checks.describe('Must hold in the other regions at the end.'),
    })
    .prefault({})
    .describe('What normal looks like.'),
  witness: z
    .strictObject({
      every: positive.prefault('20ms').describe('A numbered write this often. Default 20ms.'),
      warmUp: durationMs.prefault('2s').describe('Writes before the fault. Default 2s.'),
      coolDown: durationMs.prefault('2s').describe('Writes after the recovery. Default 2s.'),
    })
    .prefault({})
    .describe('The stream of writes that measures the gap and the loss.'),
  reaction: z
    .strictObject({
      failover: z
        .strictObject({
          to: z.string().nullable().default(null).describe('Region to fail over to. Default: the failover order.'),
          overrides: z.array(override).default([]),
        })
        .prefault({}),
    })
    .prefault({})
    .describe('What is expected to happen.'),
  detect: z
    .strictObject({
      every: positive.prefault('250ms').describe('How often the region is probed. Default 250ms.'),
      fall: z.number().int().min(1).default(2).describe('Bad samples in a row before the region counts as unhealthy. Default 2.'),
      within: positive.prefault('30s').describe('The drill fails when the fault is not noticed in this time. Default 30s.'),
    })
    .prefault({})
    .describe('How the fault is noticed.'),
  objectives: z
    .strictObject({rto: durationMs.nullable().default(null), rpo: durationMs.nullable().default(null)})
    .prefault({})
    .describe('Targets of this drill. Default: those of the service and data classes of the fleet file.'),
});

/** What reading a drill needs beside its text: `cwd` for messages, `fleet` to check names against. */
export type DrillContext = {readonly file: string; readonly cwd: string; readonly fleet?: Fleet};

/** Reads a drill file. A missing file is a usage error (64); a wrong one is `drill-invalid` (78) with file, line, column and field. */
export async function loadDrill(context: DrillContext): Promise<Drill> {
  const text = await readFile(context.file, 'utf8').catch((error: unknown) => {
    throw usageError(`the drill file ${context.file} cannot be read: ${messageOf(error)}`, {
      suggestions: ['examples/drills has drills to start from.'],
    });
  });
  return parseDrill(text, context);
}

/** The same from text. */
export function parseDrill(text: string, context: DrillContext): Drill {
  const {drill, problems} = readDrill(text, context);
  if (drill !== null) return drill;
  const {message, suggestions} = problemsError(context.file, problems, context.cwd);
  throw new RegionctlError('drill-invalid', EXIT.fleetInvalid, message, {suggestions: suggestions.slice(0, 1)});
}

/** Every problem of a drill file, in the order of the file; for `drill validate`. */
export function readDrill(
  text: string,
  {file, fleet}: DrillContext,
): {readonly drill: Drill | null; readonly problems: readonly Problem[]} {
  const {source, problems} = parseSource(text);
  if (source === null) return {drill: null, problems: problems.map(inDrillWords)};
  const {data, findings} = check(drillSchema, source.raw, {path: [], raw: source.raw});
  const all = [...references(source.raw), ...findings, ...(data === undefined || fleet === undefined ? [] : unknownRegions(data, fleet))];
  if (data === undefined || all.length > 0)
    return {drill: null, problems: ordered(all.map((finding) => inDrillWords(source.place(finding))))};
  return {drill: drillOf(file, data), problems: []};
}

function drillOf(file: string, data: z.infer<typeof drillSchema>): Drill {
  const {fault, steadyState, witness, detect, objectives, ...rest} = data;
  const {lease, ...faultRest} = fault;
  return {
    ...rest,
    file,
    fault: {...faultRest, leaseMs: lease},
    steadyState: {before: steadyState.before.map(inMs), after: steadyState.after.map(inMs)},
    witness: {everyMs: witness.every, warmUpMs: witness.warmUp, coolDownMs: witness.coolDown},
    detect: {everyMs: detect.every, fall: detect.fall, withinMs: detect.within},
    objectives: {rtoMs: objectives.rto, rpoMs: objectives.rpo},
  };
}

function inMs(one: z.infer<typeof check1>): SteadyCheck {
  return 'lagBelow' in one ? {lagBelowMs: one.lagBelow} : one;
}

/** A drill is read by people before it is run, and kept with its report: it says what it does, and needs no secrets. */
function references(value: unknown, path: Path = []): Finding[] {
  if (typeof value === 'string' && value.includes('${')) {
    return [
      {
        path,
        at: 'value',
        message: `references such as \${env:NAME} are not allowed in a drill`,
        suggestion: 'Write the value; secrets belong in the fleet file.',
      },
    ];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => references(child, [...path, Array.isArray(value) ? Number(key) : key]));
}

function unknownRegions({fault, reaction}: z.infer<typeof drillSchema>, fleet: Fleet): Finding[] {
  const known = fleet.regions.map(({name}) => name);
  const finding = (path: Path, name: string): Finding[] => {
    if (known.includes(name)) return [];
    const guess = nearest(name, known);
    const suggestion = guess === undefined ? `Known regions: ${known.join(', ')}.` : `Did you mean "${guess}"?`;
    return [{path, at: 'value', message: `the fleet ${fleet.name} has no region "${name}"`, suggestion}];
  };
  const {to} = reaction.failover;
  return [
    ...(fault.region === 'primary' ? [] : finding(['fault', 'region'], fault.region)),
    ...(to === null ? [] : finding(['reaction', 'failover', 'to'], to)),
  ];
}

/** The reader is that of the fleet file; a few of its sentences speak of one. */
function inDrillWords(problem: Problem): Problem {
  const message = problem.message.replace(
    'a mapping with "version", "fleet" and "regions"',
    'a mapping with "name", "scenario" and "fault"',
  );
  const ofFleet = /regionctl init|docs\/fleet-file|secrets are written/.test(problem.suggestion);
  return {...problem, message, suggestion: ofFleet ? 'examples/drills/region-lost.yaml shows every field.' : problem.suggestion};
}

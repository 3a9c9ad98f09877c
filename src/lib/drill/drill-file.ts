import {RegionctlError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import type {Fleet} from '../fleet/fleet.ts';
import {type Finding, ordered, type Path, type Problem, problemsError} from '../fleet/problem.ts';
import {parseSource} from '../fleet/source.ts';
import {check} from '../fleet/wording.ts';
import type {Json} from '../plan/json.ts';
import type {SteadyCheck} from './arguments.ts';
import {compileCheck} from './check-schema.ts';
import {fitsFleet} from './drill-fleet.ts';
import {type DrillFileData, drillSchema, type EVIDENCE} from './drill-schema.ts';
import {drillText} from './drill-text.ts';
import type {FaultJudge} from './fault-fit.ts';

/** One fault of a drill. `region` is `primary` (whichever region holds it), the name of a region, or of a route. */
export type DrillFault = {
  readonly kind: string;
  readonly region: string;
  readonly leaseMs: number;
  readonly args: Readonly<Record<string, Json>>;
};

type Gate = {readonly gate: string; readonly reason: string};

/** What is expected to happen. Durations in ms; `to` null = the failover order, or the home region. */
export type Reaction =
  | {readonly kind: 'failover'; readonly to: string | null; readonly overrides: readonly Gate[]}
  | {readonly kind: 'refused'; readonly to: string | null; readonly gates: readonly string[]}
  | {readonly kind: 'command'; readonly to: string | null; readonly overrides: readonly Gate[]; readonly killAt: string | null}
  | {readonly kind: 'switchover' | 'failback'; readonly to: string | null; readonly overrides: readonly Gate[]}
  | {readonly kind: 'traffic'; readonly from: string; readonly to: string; readonly forMs: number}
  | {readonly kind: 'person'; readonly prompts: readonly string[]; readonly until: readonly SteadyCheck[]; readonly withinMs: number}
  | {readonly kind: 'exec'; readonly run: readonly string[]; readonly withinMs: number}
  | {readonly kind: 'none'; readonly forMs: number};

/** The load beside the witness. `url` null = the first route's. */
export type DrillLoad =
  | {
      readonly kind: 'built-in';
      readonly url: string | null;
      readonly path: string | null;
      readonly method: 'GET' | 'POST';
      readonly body: string | null;
      readonly rate: number;
      readonly deadlineMs: number;
    }
  | {readonly kind: 'exec'; readonly command: readonly string[]};

/** A target of the load. */
export type LoadObjective = {readonly phase: 'before' | 'during' | 'after'; readonly kind: 'errorRate' | 'p95'; readonly target: number};

/** A drill as its file declares it. Durations in ms. */
export type Drill = {
  readonly file: string;
  readonly name: string;
  readonly description: string;
  readonly scenario: string;
  readonly faults: readonly DrillFault[];
  readonly heal: 'end' | 'after-reaction';
  readonly watchMs: number;
  readonly steadyState: {readonly before: readonly SteadyCheck[]; readonly after: readonly SteadyCheck[]; readonly withinMs: number};
  readonly witness: {readonly everyMs: number; readonly warmUpMs: number; readonly coolDownMs: number; readonly stores: boolean};
  readonly load: DrillLoad | null;
  readonly reaction: Reaction;
  /** `until` null = the region of the first fault is unhealthy. */
  readonly detect: {
    readonly everyMs: number;
    readonly fall: number;
    readonly withinMs: number;
    readonly until: readonly SteadyCheck[] | null;
  };
  /** Null and empty = those of the fleet file. */
  readonly objectives: {
    readonly rtoMs: number | null;
    readonly rpoMs: number | null;
    readonly services: Readonly<Record<string, number>>;
    readonly data: Readonly<Record<string, number>>;
    readonly load: readonly LoadObjective[];
  };
  readonly abortIf: readonly SteadyCheck[];
  readonly setUp: {readonly switchover: {readonly to: string}} | null;
  readonly rollback: 'none' | 'failback';
  readonly evidence: readonly (typeof EVIDENCE)[number][];
};

/** What reading a drill needs beside its text: `cwd` for messages, `fleet` to check names against. */
export type DrillContext = {
  readonly file: string;
  readonly cwd: string;
  readonly fleet?: Fleet;
  /** Its injector. Default: it is not asked. */
  readonly faults?: FaultJudge | null | undefined;
};

/** A drill that was read: null when there are problems, which are in the order of the file. */
export type DrillRead = {readonly drill: Drill | null; readonly problems: readonly Problem[]};

/** Reads a drill file. A missing file is a usage error (64); a wrong one is `drill-invalid` (78) with file, line, column and field. */
export async function loadDrill(context: DrillContext): Promise<Drill> {
  return drillIn(await readDrillFile(context), context);
}

/** The same from text. */
export function parseDrill(text: string, context: DrillContext): Drill {
  return drillIn(readDrill(text, context), context);
}

function drillIn({drill, problems}: DrillRead, {file, cwd}: DrillContext): Drill {
  if (drill !== null) return drill;
  const {message, suggestions} = problemsError(file, problems, cwd);
  const more = problems.length > 1 ? ['regionctl drill validate lists every problem.'] : [];
  throw new RegionctlError('drill-invalid', EXIT.fleetInvalid, message, {suggestions: [...suggestions.slice(0, 1), ...more]});
}

/** Every problem of a drill file; for `drill validate`. A missing file is a usage error (64). */
export async function readDrillFile(context: DrillContext): Promise<DrillRead> {
  const text = await drillText(context.file);
  return typeof text === 'string' ? readDrill(text, context) : {drill: null, problems: [text]};
}

/** The same from text. */
export function readDrill(text: string, {file, fleet, faults}: DrillContext): DrillRead {
  const {source, problems} = parseSource(text);
  if (source === null) return {drill: null, problems: problems.map(inDrillWords)};
  const {data, findings} = check(drillSchema, source.raw, {path: [], raw: source.raw});
  const more = data === undefined ? [] : [...contradictions(data), ...(fleet === undefined ? [] : fitsFleet(data, fleet, faults))];
  const all = [...references(source.raw), ...findings, ...more];
  if (data === undefined || all.length > 0)
    return {drill: null, problems: ordered(all.map((finding) => inDrillWords(source.place(finding))))};
  return {drill: drillOf(file, data), problems: []};
}

function drillOf(file: string, data: DrillFileData): Drill {
  const {steadyState, witness, detect, objectives} = data;
  const {name, description, scenario, heal, setUp, rollback, evidence} = data;
  return {
    ...{file, name, description, scenario: scenario ?? name, heal, setUp, rollback, evidence},
    watchMs: data.watch,
    faults: (data.faults ?? [data.fault]).flatMap((fault) => (fault === undefined ? [] : [faultOf(fault)])),
    steadyState: {before: steadyState.before.map(compileCheck), after: steadyState.after.map(compileCheck), withinMs: steadyState.within},
    witness: {everyMs: witness.every, warmUpMs: witness.warmUp, coolDownMs: witness.coolDown, stores: witness.stores},
    load: data.load === null ? null : loadOf(data.load),
    reaction: reactionOf(data.reaction),
    detect: {everyMs: detect.every, fall: detect.fall, withinMs: detect.within, until: detect.until?.map(compileCheck) ?? null},
    objectives: {
      ...{rtoMs: objectives.rto, rpoMs: objectives.rpo, services: objectives.services, data: objectives.data},
      load: loadObjectives(objectives.load),
    },
    abortIf: data.abortIf.map(compileCheck),
  };
}

function faultOf({kind, region, lease, args}: NonNullable<DrillFileData['fault']>): DrillFault {
  return {kind, region, leaseMs: lease, args: args as Record<string, Json>};
}

function loadOf(load: NonNullable<DrillFileData['load']>): DrillLoad {
  if (load.exec !== undefined) return {kind: 'exec', command: load.exec};
  const {method, body, rate, deadline} = load;
  return {kind: 'built-in', url: load.url ?? null, path: load.path ?? null, method, body, rate, deadlineMs: deadline};
}

function loadObjectives(load: DrillFileData['objectives']['load']): LoadObjective[] {
  return (['before', 'during', 'after'] as const).flatMap((phase) => {
    const {errorRate, p95} = load[phase] ?? {};
    const rate: LoadObjective[] = errorRate === undefined ? [] : [{phase, kind: 'errorRate', target: errorRate}];
    return p95 === undefined ? rate : [...rate, {phase, kind: 'p95', target: p95}];
  });
}

function reactionOf({failover, switchover, failback, traffic, person, exec, none}: DrillFileData['reaction']): Reaction {
  if (switchover !== undefined) return {kind: 'switchover', ...switchover};
  if (failback !== undefined) return {kind: 'failback', ...failback};
  if (traffic !== undefined) return {kind: 'traffic', from: traffic.from, to: traffic.to, forMs: traffic.for};
  if (person !== undefined) {
    const until = (person.until ?? [{writable: true}]).map(compileCheck);
    return {kind: 'person', prompts: person.prompts, until, withinMs: person.within};
  }
  if (exec !== undefined) return {kind: 'exec', run: exec.run, withinMs: exec.within};
  if (none !== undefined) return {kind: 'none', forMs: none.for};
  const {to = null, overrides = [], expect, gates = [], by, killAt = null} = failover ?? {};
  if (expect === 'refused') return {kind: 'refused', to, gates};
  return by === 'command' ? {kind: 'command', to, overrides, killAt} : {kind: 'failover', to, overrides};
}

/** What each key allows, and together makes no sense. */
function contradictions(data: DrillFileData): Finding[] {
  const faults = data.faults ?? (data.fault === undefined ? [] : [data.fault]);
  const finding = (path: Path, message: string, suggestion: string): Finding => ({path, at: 'key', message, suggestion});
  const planned = data.reaction.switchover ?? data.reaction.failback ?? data.reaction.traffic;
  return [
    ...(data.fault !== undefined && data.faults !== undefined
      ? [finding(['faults'], 'a drill has "fault" or "faults", not both', 'Write all of them under "faults".')]
      : []),
    ...(faults.length === 0 && planned === undefined
      ? [
          finding(
            ['reaction'],
            'without a fault there is nothing to react to',
            'Add "fault", or a reaction that is planned: switchover, failback or traffic.',
          ),
        ]
      : []),
    ...data.abortIf.flatMap(({primary}, index) => (primary === 'unmoved' || primary === 'primary' ? [abortsAtOnce(index)] : [])),
  ];
}

function abortsAtOnce(index: number): Finding {
  return {
    path: ['abortIf', index, 'primary'],
    at: 'value',
    message: 'the primary is there when the drill begins: it would be aborted at once',
    suggestion: 'To abort when the primary moves, name the regions that it must not come to: one check "primary: REGION" for each.',
  };
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

/** The reader is that of the fleet file; a few of its sentences speak of one. */
function inDrillWords(problem: Problem): Problem {
  const message = problem.message.replace('a mapping with "version", "fleet" and "regions"', 'a mapping with "name" and "fault"');
  const ofFleet = /regionctl init|docs\/fleet-file|secrets are written/.test(problem.suggestion);
  return {...problem, message, suggestion: ofFleet ? 'examples/drills/region-lost.yaml shows every field.' : problem.suggestion};
}

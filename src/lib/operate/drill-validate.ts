import type {Drill} from '../drill/drill-file.ts';
import {readDrillFile} from '../drill/drill-file.ts';
import {dotted} from '../fleet/problem.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type UnavailableFaults, unavailableFaults} from './fault-kinds.ts';

/** One thing that is wrong with a drill. `line` and `column` from 1; null = it is not in the text. */
export type DrillProblem = {
  readonly line: number | null;
  readonly column: number | null;
  readonly field: string;
  readonly message: string;
  readonly suggestion: string;
};

/** So many problems of a file are told, the first ones: nobody reads more, and a file of 1 MiB can have a hundred thousand. */
const MOST_PROBLEMS = 50;

/** A drill file, checked. `more`: how many problems it has beside the first 50. `unsure`: what could not be asked, one sentence each. */
export type DrillCheckRow = {
  readonly file: string;
  readonly name: string | null;
  readonly valid: boolean;
  readonly problems: readonly DrillProblem[];
  readonly more: number;
  readonly unsure: readonly string[];
};

/** The document of `drill validate`. */
export type DrillValidation = {readonly fleet: string; readonly valid: boolean; readonly drills: readonly DrillCheckRow[]};

/** Checks drill files against the fleet: their form, the names in them, what the fleet file permits, and whether its injector can have these faults here. Nothing is touched. */
export async function validateDrills(
  open: OpenFleet,
  files: readonly string[],
  {cwd, signal}: {cwd: string; signal: AbortSignal},
): Promise<DrillValidation> {
  const cannot = await unavailableFaults(open, signal);
  const drills = await Promise.all(files.map((file) => validateOne(open, file, cwd, cannot)));
  return {fleet: open.fleet.name, valid: drills.every(({valid}) => valid), drills};
}

async function validateOne(open: OpenFleet, file: string, cwd: string, cannot: UnavailableFaults): Promise<DrillCheckRow> {
  const {fleet, fault} = open;
  const faults = fault === null ? null : {kinds: fault.kinds, accepts: fault.accepts?.bind(fault), cannot: cannot.kinds};
  const {drill, problems} = await readDrillFile({file, cwd, fleet, faults});
  const inText = problems.map(({line, column, path, message, suggestion}) => ({line, column, field: dotted(path), message, suggestion}));
  const all = [...inText, ...(drill === null ? [] : notPermitted(drill, open))];
  const unsure = drill !== null && drill.faults.length > 0 && cannot.unsure !== null ? [cannot.unsure] : [];
  const more = Math.max(0, all.length - MOST_PROBLEMS);
  return {file, name: drill?.name ?? null, valid: all.length === 0, problems: all.slice(0, MOST_PROBLEMS), more, unsure};
}

/** What the file may say, and this fleet does not let it do. */
function notPermitted(drill: Drill, {fleet}: OpenFleet): DrillProblem[] {
  const problem = (field: string, message: string, suggestion: string): DrillProblem => ({
    line: null,
    column: null,
    field,
    message,
    suggestion,
  });
  return [
    ...(fleet.witness === null
      ? [problem('witness', `the fleet ${fleet.name} does not let regionctl write`, `Add "witness" with "allowed: true" to ${fleet.file}.`)]
      : []),
    ...(drill.faults.length > 0 && fleet.fault === null
      ? [problem('fault', `the fleet ${fleet.name} does not say how to inject a fault`, `Add "faults" to ${fleet.file}.`)]
      : []),
  ];
}

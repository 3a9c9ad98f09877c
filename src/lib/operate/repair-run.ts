import {chmodSync, copyFileSync, existsSync, renameSync, rmSync, utimesSync} from 'node:fs';
import {open as openFile} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import {timeoutAwake} from '../awake.ts';
import {changed, digestOf} from '../consistency/repair/rows-file.ts';
import {refused, usageError} from '../errors.ts';
import {missingGuards} from '../failover/check-guards.ts';
import type {Call, Override, Plan, Step, Target} from '../plan/plan.ts';
import {readPlan} from '../plan/read-plan.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {judgeGates} from '../run/judge-gates.ts';
import {makeStateDir} from '../state/files.ts';
import {stateTrouble} from '../state/trouble.ts';
import {rowsDir} from './repair-kit.ts';
import {pruneRows} from './repair-rows.ts';
import {refuseOutdated} from './reviewed.ts';
import type {World} from './world.ts';

export type RepairRunOptions = {
  /** The plan's file, and its text. */
  readonly file: string;
  readonly text: string;
  readonly overrides: readonly Override[];
  readonly signal: AbortSignal;
};

const GATES_MS = 15_000;

/**
 * Makes a saved plan of a repair ready to be run or rehearsed: its rows are those that it was made with, and its gates are judged now. Throws 64 for what
 * is no such plan, 77 when the fleet file or the rows file changed, or it was run already.
 */
export async function prepareRepair(open: OpenFleet, world: World, options: RepairRunOptions): Promise<Plan> {
  const {file, text, overrides, signal} = options;
  const plan = readPlan(text, file);
  if (plan.kind !== 'repair')
    throw usageError(`${file} is a ${plan.kind} plan`, {suggestions: [`regionctl ${plan.kind} run --plan ${file}`]});
  refuseOutdated(open, plan);
  const guards = [...missingGuards(plan), ...lostGuards(plan)];
  if (guards.length > 0)
    throw refused('plan-unsafe', `nothing was done: ${guards.join('; ')}`, {suggestions: ['make the plan anew, and review it again']});
  if ((await open.state()).plan(plan.id) !== null)
    throw refused('plan-used', `nothing was done: this plan was run already, as run ${plan.id}`, {
      suggestions: [`regionctl runs show ${plan.id}`],
    });
  const [rows] = plan.files;
  if (rows === undefined || basename(rows.name) !== rows.name) throw usageError(`${file} names no rows file beside it`);
  const path = join(dirname(file), rows.name);
  if ((await digestOf(path)) !== rows.sha256) throw changed(path);
  world.rowsElsewhere.set(rows.sha256, path);
  const ctx = {
    ...{runId: 'plan', token: 'none', signal: AbortSignal.any([signal, timeoutAwake(GATES_MS)]), now: () => open.clock.now()},
    deadline: open.clock.now() + GATES_MS,
  };
  return judgeGates({...plan, overrides: [...plan.overrides, ...overrides]}, world.checks, ctx);
}

/**
 * What a saved plan could have been edited to lose: every write asks whether the member takes writes, is verified, and is undone by the same lines at the
 * same place; keys are read again and tables audited; and nothing is left on the members.
 */
function lostGuards({steps, always, files}: Plan): readonly string[] {
  const writes = steps.filter(({do: {action}}) => action === 'consistency.write-rows');
  const missing = ['consistency.read-again', 'consistency.audit'].filter((action) => !steps.some((step) => step.do.action === action));
  const bare = writes.find(({do: {target}}) => !always.some(({do: call}) => isDropOf(call, target)));
  return [
    ...writes.flatMap((step) => lostBy(step, files[0]?.sha256)),
    ...missing.map((action) => `it no longer has a step that does ${action}`),
    ...(bare === undefined ? [] : [`it leaves the replication origin on ${bare.do.target.member ?? 'a member'}`]),
  ];
}

const isDropOf = ({action, target}: Call, {store, member}: Target): boolean =>
  action === 'consistency.drop-origin' && target.store === store && target.member === member;

function lostBy({id, requires, ensures, undo, do: call}: Step, file: string | undefined): readonly string[] {
  const {target, args} = call;
  const asks = requires.some((each) => each.check === 'consistency.takes-writes' && isDeepStrictEqual(each.target, target));
  const verifies = ensures.some(
    (each) => each.check === 'consistency.rows-written' && isDeepStrictEqual([each.target, each.want], [target, args]),
  );
  const isUndone = undo?.action === 'consistency.restore-rows' && isDeepStrictEqual([undo.target, undo.args], [target, args]);
  return [
    ...(asks ? [] : [`step "${id}" no longer asks for consistency.takes-writes`]),
    ...(verifies ? [] : [`step "${id}" is no longer verified by consistency.rows-written`]),
    ...(isUndone ? [] : [`step "${id}" is no longer undone by what it writes`]),
    ...((args as {file?: unknown}).file === file ? [] : [`step "${id}" writes rows of another file`]),
  ];
}

/**
 * Keeps the rows of a plan that is about to be run, on disk, so that whoever goes on with the run or undoes it has them; and removes rows that belong to no
 * run. Throws StateError (73), with nothing of its own left there.
 */
export async function keepRows(open: OpenFleet, world: World, {files}: Plan): Promise<void> {
  const [rows] = files;
  const path = rows === undefined ? undefined : world.rowsElsewhere.get(rows.sha256);
  if (rows === undefined || path === undefined) return;
  const dir = rowsDir(open.stateDir);
  const kept = join(dir, `${rows.sha256}.ndjson`);
  makeStateDir(dir);
  pruneRows(dir, await open.state(), open.clock.wall());
  if (existsSync(kept) && (await digestOf(kept)) === rows.sha256) {
    // Not to be taken for one that was forgotten, by whoever begins another repair now.
    const now = new Date(open.clock.wall());
    utimesSync(kept, now, now);
    return;
  }
  const draft = `${kept}.${process.pid}`;
  try {
    copyFileSync(path, draft);
    chmodSync(draft, 0o600);
    await sync(draft);
    if ((await digestOf(draft)) !== rows.sha256) throw changed(path);
    renameSync(draft, kept);
    await sync(dir);
  } catch (error) {
    rmSync(draft, {force: true});
    throw error instanceof Error && 'exit' in error ? error : stateTrouble(kept, error);
  }
}

async function sync(path: string): Promise<void> {
  const handle = await openFile(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

import {z} from 'zod';
import {refused, unavailable} from '../../errors.ts';
import {action} from '../../failover/store-actions.ts';
import type {Action, Ctx, Standing} from '../../plan/action.ts';
import type {Json} from '../../plan/json.ts';
import type {Target} from '../../plan/plan.ts';
import type {Repair, RowChange, RowStand} from '../../ports/repair.ts';
import type {Store} from '../../ports/store.ts';
import type {TableResult} from '../audit/model.ts';
import type {AuditVerdict} from '../audit/verdict.ts';
import {inOrder} from '../causality/stamp.ts';
import type {RowLine} from './model.ts';
import {readAgain} from './read-again.ts';
import {linesOf, readSlice} from './rows-file.ts';
import type {RepairWorld} from './world.ts';

/** Which lines of which file a step writes. */
export const sliceArguments = z.object({
  table: z.string(),
  file: z.string(),
  offset: z.int().min(0),
  bytes: z.int().min(0),
  lines: z.int().min(1),
  sha256: z.string(),
});
type SliceArguments = z.output<typeof sliceArguments>;

const members = z.array(z.object({member: z.string(), region: z.string()}));
const againArguments = z.object({file: z.string(), members, settleMs: z.number().min(0)});
const auditArguments = againArguments.extend({tables: z.array(z.string())});
const none = z.object({});

/** What repairs do. */
export function repairActions(world: RepairWorld): readonly Action[] {
  return [
    write(world),
    restore(world),
    dropOrigin(world),
    action({
      name: 'consistency.read-again',
      effect: 'none',
      schema: againArguments,
      describe: (_target, args) =>
        `read every key of the plan in ${args.members.map(({region}) => region).join(', ')}, once replication has caught up`,
      apply: (ctx, target, args) => readAgain(world, ctx, storeName(target), {...args, path: world.rows.find(args.file)}),
    }),
    action({
      name: 'consistency.audit',
      effect: 'none',
      schema: auditArguments,
      describe: (_target, {tables}) => `audit ${tables.join(', ')}`,
      apply: (ctx, target, args) => audited(world, ctx, storeName(target), args),
    }),
  ];
}

const write = (world: RepairWorld): Action =>
  action({
    name: 'consistency.write-rows',
    effect: 'reversible',
    schema: sliceArguments,
    describe: ({member}, {lines, table}) => `write ${lines} rows of ${table} on ${member} that are still as the plan saw them`,
    look: (ctx, target, args) => standing(world, ctx, target, args, 'from'),
    apply: async (ctx, target, args) => {
      const {repair, member} = placeOf(world, target);
      const lines = linesOfStep(world, target, args);
      const outdated = await outdatedIn(repair, args.table, lines, ctx.signal);
      const current = lines.filter((line) => !outdated.has(line));
      const changes = current.map(changeOf);
      const at = earliest(current.map(({toAt}) => toAt));
      const stands = changes.length === 0 ? [] : await repair.write(ctx, member, args.table, changes, at);
      return written(
        changes,
        stands,
        [...outdated].map(({key}) => key),
      );
    },
  });

/** Its way back is the same with both ends exchanged: what is not as the repair left it is somebody else's by now. */
const restore = (world: RepairWorld): Action =>
  action({
    name: 'consistency.restore-rows',
    effect: 'reversible',
    schema: sliceArguments,
    describe: ({member}, {lines, table}) => `write back ${lines} rows of ${table} on ${member} that are as the repair left them`,
    look: async (ctx, target, args) => ((await othersAreGone(world, ctx, target)) ? standing(world, ctx, target, args, 'to') : 'unknown'),
    apply: async (ctx, target, args) => {
      const {repair, member} = placeOf(world, target);
      const lines = linesOfStep(world, target, args);
      const changes = lines.map(({key, from, to}): RowChange => ({key, from: to, to: from}));
      return written(changes, await repair.write(ctx, member, args.table, changes, earliest(lines.map(({fromAt}) => fromAt))), []);
    },
  });

const dropOrigin = (world: RepairWorld): Action =>
  action({
    name: 'consistency.drop-origin',
    effect: 'reversible',
    schema: none,
    describe: ({member}) => `remove the replication origin of the repair from ${member}`,
    apply: async (ctx, target) => {
      const {repair, member} = placeOf(world, target);
      await repair.release(ctx, member);
      return null;
    },
  });

/** A killed process may have sent its last word, which the server has yet to carry out: what is seen before that is not what will be. */
async function othersAreGone(world: RepairWorld, ctx: Ctx, target: Target): Promise<boolean> {
  const {repair, member} = placeOf(world, target);
  const end = Math.min(ctx.deadline, ctx.now() + OTHERS_MS);
  while ((await repair.holder(member, ctx.signal)) !== null) {
    if (ctx.now() >= end) return false;
    await world.clock.sleep(POLL_MS, ctx.signal);
  }
  return true;
}

const OTHERS_MS = 5000;
const POLL_MS = 50;

/** The writes of a step. Throws `plan-unsafe` (77) for lines of another table or member: a plan that was edited would write them where nobody saw them. */
export function linesOfStep(world: RepairWorld, target: Target, args: SliceArguments): readonly RowLine[] {
  const lines = readSlice(world.rows.find(args.file), args);
  const foreign = lines.find(({table, member}) => table !== args.table || member !== target.member);
  if (foreign === undefined) return lines;
  const says = `nothing was done: rows of ${foreign.table} on ${foreign.member} were to be written to ${args.table} on ${target.member ?? ''}`;
  throw refused('plan-unsafe', says, {suggestions: ['make the plan anew, and review it again']});
}

/** One transaction has one time: by the earliest none of its rows looks newer than it is. */
const earliest = (times: readonly (string | undefined)[]): string | null => inOrder(times)[0] ?? null;

export const changeOf = ({key, from, to}: RowLine): RowChange => ({key, from, to});

/**
 * Lines whose version is another by now where it was to come from. A member that is written to may look untouched all the same: somebody has given the
 * row back the very values that the plan saw there.
 */
export async function outdatedIn(
  repair: Repair,
  table: string,
  lines: readonly RowLine[],
  signal: AbortSignal,
): Promise<ReadonlySet<RowLine>> {
  const members = [...new Set(lines.flatMap(({holders = []}) => holders))];
  const found = await Promise.all(
    members.map(async (member) => {
      const own = lines.filter(({holders = []}) => holders.includes(member));
      const stands = await repair.stand(member, table, own.map(changeOf), signal);
      return own.filter((_, index) => stands[index] !== 'to');
    }),
  );
  return new Set(found.flat());
}

/** Done when no row is at `open` any more. Those that somebody else has written since do not count: nothing is done to them. */
async function standing(world: RepairWorld, ctx: Ctx, target: Target, args: unknown, open: 'from' | 'to'): Promise<Standing> {
  const slice = sliceArguments.parse(args);
  const {repair, member} = placeOf(world, target);
  try {
    const lines = linesOfStep(world, target, slice);
    const stands = await repair.stand(member, slice.table, lines.map(changeOf), ctx.signal);
    const left = lines.filter((_, index) => stands[index] === open);
    const outdated = open === 'from' ? await outdatedIn(repair, slice.table, left, ctx.signal) : new Set();
    return left.length > outdated.size ? 'before' : 'done';
  } catch (error) {
    ctx.signal.throwIfAborted();
    if (error instanceof Error && 'exit' in error && error.exit === 77) throw error;
    return 'unknown';
  }
}

/** So many keys of rows that were left alone are named. */
const NAMED = 10;

/** `outdated`: keys that were not tried, since what they were to get is another by now. */
function written(changes: readonly RowChange[], stands: readonly RowStand[], outdated: readonly string[]): Json {
  const count = (stand: RowStand): number => stands.filter((each) => each === stand).length;
  const others = changes.flatMap(({key}, index) => (stands[index] === 'other' ? [key] : []));
  const named = (keys: readonly string[], why: string): readonly string[] =>
    keys.length === 0
      ? []
      : [`${keys.length} left alone, since ${why}: ${keys.slice(0, NAMED).join(', ')}${keys.length > NAMED ? ', …' : ''}`];
  const says = [
    `${count('from')} of ${changes.length + outdated.length} rows written`,
    ...(count('to') === 0 ? [] : [`${count('to')} were so already`]),
    ...named(others, 'somebody has written them'),
    ...named(outdated, 'the version that they were to get was written since'),
  ].join('; ');
  const left = [...others, ...outdated];
  return {written: count('from'), already: count('to'), left: left.length, leftKeys: left.slice(0, NAMED), says};
}

async function audited(world: RepairWorld, ctx: Ctx, store: string, args: z.output<typeof auditArguments>): Promise<Json> {
  const left = new Set<string>();
  for await (const line of linesOf(world.rows.find(args.file))) if ('left' in line) left.add(idOf(line.table, line.key));
  const done = await world.audit({
    store,
    tables: args.tables,
    members: args.members,
    settleMs: args.settleMs,
    limit: left.size + 1000,
    signal: ctx.signal,
  });
  const open = done.tables.flatMap(({table, divergent}) => divergent.filter(({key}) => !left.has(idOf(table, key))));
  const known = done.tables.reduce((sum, {divergent}) => sum + divergent.length, 0) - open.length;
  const verdict = verdictBut(done.verdict, done.tables, open.length);
  const says = saysOf(done, verdict, known, open.length);
  if (verdict !== 'equal') throw (verdict === 'unknown' ? unavailable : refused)(`audit-${verdict}`, says);
  return {audit: done.id, verdict: done.verdict, left: known, says};
}

const idOf = (table: string, key: string): string => JSON.stringify([table, key]);

/** Equal when nothing differs but what the plan has left. */
function verdictBut(verdict: AuditVerdict, tables: readonly TableResult[], open: number): AuditVerdict {
  if (verdict !== 'diverged' || open > 0) return verdict;
  return tables.every(({covered, code}) => covered === 1 && code === null) ? 'equal' : 'unknown';
}

function saysOf(
  done: {readonly id: string; readonly mode: string; readonly reason: string},
  verdict: AuditVerdict,
  known: number,
  open: number,
): string {
  const but = known === 0 ? '' : ` but for ${known} ${known === 1 ? 'key' : 'keys'} that the plan has left`;
  if (verdict === 'equal') return `the ${done.mode} audit ${done.id} finds the tables equal${but}`;
  return `the ${done.mode} audit ${done.id} finds them ${verdict}${open === 0 ? '' : `: ${open} keys that were not left differ`}${but === '' ? '' : ` (${known} more were left)`}. ${done.reason}`;
}

/** The ability and the member that a step writes with. */
export function placeOf(world: RepairWorld, target: Target): {readonly store: Store; readonly repair: Repair; readonly member: string} {
  const name = storeName(target);
  const store = world.stores[name];
  if (store === undefined) throw refused('unknown-store', `the fleet file has no store called "${name}" any more`);
  const {repair} = store.abilities;
  if (repair === undefined) throw refused('no-ability', `${name} (${store.engine}) cannot repair rows`);
  if (target.member === undefined) throw refused('no-member', 'the step does not name a member');
  return {store, repair, member: target.member};
}

export const storeName = ({store = ''}: Target): string => store;

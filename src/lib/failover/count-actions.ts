import {z} from 'zod';
import {type CountedTable, type CountJob, countsSay, countTable, isQuotedName, rowCount} from '../consistency/counts.ts';
import {messageOf, refused, unavailable} from '../errors.ts';
import type {Action, Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Target} from '../plan/plan.ts';
import type {Abilities, Store} from '../ports/store.ts';
import {comparePositions} from '../snapshot/position.ts';
import {action, until} from './store-actions.ts';
import {readMember, type StoreWorld, storeFor} from './store-world.ts';

const countArguments = z.object({members: z.array(z.string()), primary: z.string()});

/** One query may take this long; with less than that left, nothing more is begun. */
const EACH_MS = 6000;
/** How long a standby is waited for to replay what the primary holds. */
const REPLAY_MS = 5000;

/** Proofs that need a comparison of members: how many rows each of them has. */
export function countActions(world: StoreWorld): readonly Action[] {
  return [
    action({
      name: 'verify.counts',
      effect: 'none',
      schema: countArguments,
      describe: (target, {members, primary}) =>
        `count the rows of every table of ${target.store} on ${[primary, ...members.filter((name) => name !== primary)].join(', ')}`,
      apply: (ctx, target, args) => counts(world, ctx, target, args),
    }),
  ];
}

/** Throws `counts-differ` (77) when any table has another number of rows somewhere. What could not be counted is told, and proves nothing. */
async function counts(world: StoreWorld, ctx: Ctx, target: Target, {members, primary}: z.infer<typeof countArguments>): Promise<Json> {
  const {name} = storeFor(world, target);
  const store = await world.independent(name);
  const {scalar, digest} = store.abilities;
  if (scalar === undefined || digest === undefined)
    return {says: `${name} (${store.engine}) cannot count rows, so nothing was compared`, tables: []};
  const {standbys, leftOut} = await whoCounts(world, ctx, store, primary, members);
  const left = leftOut.length === 0 ? '' : `; left out: ${leftOut.join(', ')}`;
  if (standbys.length === 0) return {says: `there is no standby of ${name} to count${left}`, tables: []};
  const job: CountJob = {
    primary,
    standbys,
    count: async (member, table) => {
      if (ctx.now() + EACH_MS >= ctx.deadline) throw new Error('the time for it was over');
      return rowCount(await scalar.scalar(member, `select count(*) from only ${table}`, ctx.signal));
    },
    awaitReplay: async () => {
      await Promise.all(standbys.map((member) => replays(world, ctx, store, primary, member)));
    },
  };
  const tables = await countAll(await tablesOf(digest, primary, ctx), job, ctx);
  const says = `${countsSay(name, [primary, ...standbys], tables)}${left}`;
  if (tables.some(({verdict}) => verdict === 'differs')) throw refused('counts-differ', says);
  return {says, tables: tables.map(({table, verdict, rows, why}) => ({table, verdict, rows: {...rows}, why}))};
}

/** Standbys that answer and keep up; the others by name, each with why it is left out. */
async function whoCounts(
  world: StoreWorld,
  ctx: Ctx,
  store: Store,
  primary: string,
  members: readonly string[],
): Promise<{standbys: readonly string[]; leftOut: readonly string[]}> {
  const others = members.filter((member) => member !== primary);
  const cells = await store.observe(ctx.signal, [primary, ...others]);
  const seen = cells[primary];
  if (seen?.known !== true || seen.value.role !== 'primary') {
    const why = seen?.known === true ? `it is a ${seen.value.role}` : (seen?.reason ?? 'the fleet file has no such member');
    throw unavailable('no-primary', `${primary} cannot be counted as the primary: ${why}`);
  }
  const judged = await Promise.all(
    others.map(async (member) => {
      const cell = cells[member];
      if (cell?.known !== true) return {member, why: cell?.reason ?? 'it does not answer'};
      if (cell.value.role !== 'standby') return {member, why: `it is a ${cell.value.role}`};
      return replays(world, ctx, store, primary, member).then(
        () => ({member, why: null}),
        (error: unknown) => ({member, why: messageOf(error)}),
      );
    }),
  );
  ctx.signal.throwIfAborted();
  return {
    standbys: judged.filter(({why}) => why === null).map(({member}) => member),
    leftOut: judged.flatMap(({member, why}) => (why === null ? [] : [`${member} (${why.replace(/\.$/, '')})`])),
  };
}

/** With a primary key or without: a count needs none. */
async function tablesOf(digest: Abilities['digest'], primary: string, {signal}: Ctx): Promise<readonly string[]> {
  const keyed = await digest.tables(primary, signal);
  const others = (await digest.skipped?.(primary, signal)) ?? [];
  return [...new Set([...keyed, ...others])].toSorted();
}

async function countAll(tables: readonly string[], job: CountJob, ctx: Ctx): Promise<readonly CountedTable[]> {
  const counted: CountedTable[] = [];
  for (const table of tables) {
    const why = 'its name is not written as a server quotes it';
    counted.push(isQuotedName(table) ? await countTable(table, job) : {table, verdict: 'unknown', rows: {}, why});
    ctx.signal.throwIfAborted();
  }
  return counted;
}

/** Waits until a standby has replayed what the primary holds now. */
async function replays(world: StoreWorld, ctx: Ctx, store: Store, primary: string, member: string): Promise<void> {
  const goal = (await readMember(store, primary, ctx)).durable;
  const bounded = {...ctx, deadline: Math.min(ctx.deadline, ctx.now() + REPLAY_MS)};
  await until(world, bounded, `it did not replay what ${primary} held`, async () => {
    const {applied} = await readMember(store, member, ctx);
    return (comparePositions(applied, goal) ?? -1) >= 0;
  });
}

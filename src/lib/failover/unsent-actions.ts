import {z} from 'zod';
import {messageOf} from '../errors.ts';
import type {Action, Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Target} from '../plan/plan.ts';
import type {Abilities, Unsent} from '../ports/store.ts';
import type {PeerWorld} from './peer-actions.ts';
import {action} from './store-actions.ts';
import {abilityOf} from './store-world.ts';

const among = z.object({members: z.array(z.string()).min(1), others: z.array(z.string())});
const watching = among.extend({forMs: z.number().positive()});
const marked = z.object({snapshot: z.string(), streams: z.record(z.string(), z.string()).optional()});
const lateArguments = z.object({members: z.array(z.string()).min(1), marks: z.record(z.string(), marked)});

/** What a region wrote and the others do not have: counted when it is left, and again, as what came late, when it is back. */
export function unsentActions(world: PeerWorld): readonly Action[] {
  return [
    action({
      name: 'peers.count-unsent',
      effect: 'none',
      schema: among,
      describe: (target, {others}) =>
        `count the transactions of ${target.region} that ${others.join(' and ')} have not applied, and note what they have`,
      apply: (ctx, target, args) => countUnsent(world, ctx, target, args),
    }),
    action({
      name: 'peers.watch-direct',
      effect: 'none',
      schema: watching,
      describe: (target, {forMs}) => `count what ${target.region} writes in ${forMs} ms`,
      apply: (ctx, target, args) => watchDirect(world, ctx, target, args),
    }),
    action({
      name: 'peers.count-late',
      effect: 'none',
      schema: lateArguments,
      describe: (target) => `count the transactions that came from ${target.region} since it was left`,
      apply: (ctx, target, args) => countLate(world, ctx, target, args),
    }),
  ];
}

type Among = z.infer<typeof among>;

/** Never throws for what cannot be told: an evacuation is not held up by a figure. The marks are what the count of what comes late begins at. */
async function countUnsent(world: PeerWorld, ctx: Ctx, target: Target, {members, others}: Among): Promise<Json> {
  const outbound = abilityOf(world, target, 'outbound');
  const marks = Object.fromEntries(
    (await Promise.all(others.map(async (at) => [at, await outbound.mark(at, ctx.signal).catch(() => null)] as const))).filter(
      ([, mark]) => mark !== null,
    ),
  );
  const region = target.region ?? '';
  try {
    const told = await Promise.all(members.map((member) => outbound.unsent(member, ctx.signal)));
    return {...tally(region, told, others), marks};
  } catch (error) {
    ctx.signal.throwIfAborted();
    const says = `what ${region} has not sent cannot be counted now: ${messageOf(error).replace(/\.$/, '')}`;
    return {transactions: null, lostWrites: null, certainty: 'unknown', by: {}, says, marks};
  }
}

type Told = Readonly<Record<string, Unsent>>;

/** `lostWrites`: what no other region has (lost, unless the region comes back), which is what the best informed of them lacks. `transactions`: what the worst informed lacks. */
function tally(region: string, told: readonly Told[], others: readonly string[]) {
  const by = Object.fromEntries(
    others.map((at) => {
      const all = told.flatMap((each) => (each[at] === undefined ? [] : [each[at]]));
      const counts = all.map(({transactions}) => transactions);
      // A member that no stream leads from to there has written what nobody can count.
      const isPart = all.length < told.length;
      const transactions = isPart || counts.includes(null) ? null : counts.reduce<number>((sum, each) => sum + (each ?? 0), 0);
      const why = all.find((each) => each.why !== null)?.why ?? null;
      return [at, {transactions, exact: all.every(({exact}) => exact), bytes: all.reduce((sum, {bytes}) => sum + (bytes ?? 0), 0), why}];
    }),
  );
  const known = Object.values(by).map(({transactions}) => transactions);
  const counted = known.filter((each) => each !== null);
  const isWhole = counted.length === known.length && known.length > 0;
  const certainty = !isWhole ? 'unknown' : Object.values(by).every(({exact}) => exact) ? 'exact' : 'bound';
  const most = isWhole ? Math.max(...counted) : null;
  // One that lacks nothing has everything, whatever is known of the others.
  const nowhere = counted.includes(0) ? 0 : isWhole ? Math.min(...counted) : null;
  return {transactions: most, lostWrites: nowhere, certainty, by, says: tallySays(region, by, nowhere, certainty)};
}

type By = Readonly<Record<string, {readonly transactions: number | null; readonly bytes: number; readonly why: string | null}>>;

function tallySays(region: string, by: By, nowhere: number | null, certainty: string): string {
  const each = Object.entries(by).map(([at, {transactions, bytes, why}]) =>
    transactions === null
      ? `${at}: not known, ${bytes} bytes of log at most (${why ?? 'no stream leads there'})`
      : `${at} lacks ${transactions}`,
  );
  const nobody = nowhere === null ? 'how many nobody else has is not known' : `${nowhere} that nobody else has`;
  return `unsent transactions of ${region}: ${nobody} (${certainty}); ${each.join('; ')}`;
}

/** Clients that go past the routes cannot be kept out of a peer; they can be told. */
async function watchDirect(world: PeerWorld, ctx: Ctx, target: Target, args: z.infer<typeof watching>): Promise<Json> {
  const {members, others, forMs} = args;
  const outbound = abilityOf(world, target, 'outbound');
  const [at] = others;
  if (at === undefined) return {written: null, says: `no other region can tell whether ${target.region} is written to`};
  try {
    const mark = await outbound.mark(at, ctx.signal);
    await world.clock.sleep(forMs, ctx.signal);
    const written = await arrivals(outbound, at, members, mark, ctx.signal);
    const says = `${written} transactions of ${target.region} came to ${at} within ${forMs} ms`;
    return {written, says: written === 0 ? says : `${says}: clients write to ${target.region} directly; send them elsewhere`};
  } catch (error) {
    ctx.signal.throwIfAborted();
    return {written: null, says: `whether ${target.region} is written to cannot be told: ${messageOf(error).replace(/\.$/, '')}`};
  }
}

async function arrivals(
  outbound: Abilities['outbound'],
  at: string,
  members: readonly string[],
  mark: Json,
  signal: AbortSignal,
): Promise<number> {
  let all = 0;
  for (const member of members) all += await outbound.since(at, member, mark, signal);
  return all;
}

/** Once a region has caught up, what came of it since it was left is what was missing: exact, where commit times are kept. */
async function countLate(world: PeerWorld, ctx: Ctx, target: Target, {members, marks}: z.infer<typeof lateArguments>): Promise<Json> {
  const outbound = abilityOf(world, target, 'outbound');
  const asked = await Promise.all(
    Object.entries(marks).map(async ([at, mark]) => {
      try {
        return {at, late: await arrivals(outbound, at, members, mark as Json, ctx.signal), why: null};
      } catch (error) {
        ctx.signal.throwIfAborted();
        return {at, late: null, why: messageOf(error)};
      }
    }),
  );
  const known = asked.flatMap(({late}) => (late === null ? [] : [late]));
  const isWhole = known.length === asked.length && known.length > 0;
  const nowhere = isWhole ? Math.min(...known) : null;
  const each = asked.map(({at, late, why}) => (late === null ? `${at}: not known (${why})` : `${late} came to ${at}`));
  const nobody = nowhere === null ? 'how many nobody else had is not known' : `${nowhere} transactions that nobody else had`;
  const by = Object.fromEntries(asked.map(({at, late}) => [at, late]));
  return {
    transactions: isWhole ? Math.max(...known) : null,
    alone: nowhere,
    by,
    says: `since ${target.region} was left: ${nobody}; ${each.join('; ')}`,
  };
}

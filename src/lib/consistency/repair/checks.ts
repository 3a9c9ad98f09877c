import {z} from 'zod';
import {messageOf} from '../../errors.ts';
import {formatMs} from '../../output/units.ts';
import type {Answer, Check, Ctx} from '../../plan/action.ts';
import type {Json} from '../../plan/json.ts';
import type {Target} from '../../plan/plan.ts';
import {settle} from '../audit/settle.ts';
import {changeOf, linesOfStep, outdatedIn, placeOf, sliceArguments, storeName} from './actions.ts';
import type {RepairWorld} from './world.ts';

const members = z.array(z.object({member: z.string(), region: z.string()}));
const membersWanted = z.object({members});
const caughtUpWanted = z.object({members, waitMs: z.number().min(0)});
const ageWanted = z.object({audit: z.string(), startedAt: z.string(), maxAgeMs: z.number().positive()});

/** The questions that plans of repairs ask by name. None of them writes. */
export function repairChecks(world: RepairWorld): readonly Check[] {
  return [
    {name: 'consistency.takes-writes', ask: (ctx, target) => takesWrites(world, ctx, target)},
    {name: 'consistency.repairs-alone', ask: (ctx, target) => alone(world, ctx, target)},
    {name: 'consistency.not-relayed', ask: (ctx, target, want) => notRelayed(world, ctx, target, membersWanted.parse(want).members)},
    {name: 'consistency.caught-up', ask: (ctx, target, want) => caughtUp(world, ctx, target, caughtUpWanted.parse(want))},
    {name: 'consistency.audit-age', ask: async (_ctx, _target, want) => auditAge(world, ageWanted.parse(want))},
    {name: 'consistency.rows-written', ask: (ctx, target, want, via) => rowsWritten(world, ctx, target, want, via)},
    {name: 'consistency.origin-dropped', ask: (ctx, target) => originDropped(world, ctx, target)},
  ];
}

const told = (holds: boolean | null, says: string, measured: Json = holds): Answer => ({holds, measured, says});

async function takesWrites(world: RepairWorld, {signal}: Ctx, target: Target): Promise<Answer> {
  const {store, member} = placeOf(world, target);
  const cell = (await store.observe(signal, [member]))[member];
  if (cell?.known !== true) return told(null, `${member} could not be read: ${cell?.reason ?? 'it was not asked'}`);
  const {role, writable} = cell.value;
  if (role === 'standby')
    return told(false, `${member} is a standby, whose rows cannot be written: rebuild it from the member that it follows`);
  return told(writable, writable ? `${member} takes writes` : `${member} takes no writes: it is read-only`);
}

async function alone(world: RepairWorld, {signal}: Ctx, target: Target): Promise<Answer> {
  const {repair, member} = placeOf(world, target);
  const holder = await repair.holder(member, signal);
  return holder === null
    ? told(true, `nobody else repairs ${member}`, null)
    : told(false, `another repair writes to ${member}: ${holder}`, holder);
}

/** A subscription that takes everything would carry a repaired row on, past what others have decided by then. */
async function notRelayed(world: RepairWorld, {signal}: Ctx, target: Target, all: readonly {member: string}[]): Promise<Answer> {
  const links = world.stores[storeName(target)]?.abilities.links;
  if (links === undefined) return told(true, 'the store has no links that could carry a repaired row on');
  const names = all.map(({member}) => member);
  const own = (await links.links(signal)).filter((link) => link.kind === 'logical' && names.includes(link.from));
  const unread = own.find(({subscription}) => subscription === undefined);
  const open = own.filter(({subscription}) => subscription !== undefined && subscription.origin !== 'none');
  if (open.length > 0) {
    const list = open.map(({link, from, to}) => `${link ?? `${from} to ${to}`}`).join(', ');
    return told(
      false,
      `repaired rows would travel on: ${list} also ${open.length === 1 ? 'takes' : 'take'} what was replicated or repaired (origin = any)`,
      list,
    );
  }
  if (unread !== undefined) return told(null, `the subscription of the link from ${unread.from} to ${unread.to} could not be read`);
  return told(
    true,
    own.length === 0
      ? 'no subscription takes changes of these members'
      : `${own.length} subscriptions take only what was written on the member itself`,
    own.length,
  );
}

async function caughtUp(
  world: RepairWorld,
  {signal}: Ctx,
  target: Target,
  {members: all, waitMs}: z.output<typeof caughtUpWanted>,
): Promise<Answer> {
  const {audit, links} = world.stores[storeName(target)]?.abilities ?? {};
  if (audit === undefined) return told(null, 'the store tells no positions');
  const job = {audit, clock: world.clock, waitMs, ...(links === undefined ? {} : {links: links.links})};
  const settled = await settle(job, all, signal);
  if (settled.basis === 'behind') return told(false, settled.reason);
  return told(
    true,
    settled.basis === 'none' ? 'nothing replicates between these members' : 'every region has what the others had',
    settled.basis,
  );
}

function auditAge({clock}: RepairWorld, {audit, startedAt, maxAgeMs}: z.output<typeof ageWanted>): Answer {
  const ageMs = clock.wall() - Date.parse(startedAt);
  const says = `the audit ${audit} began ${formatMs(Math.max(0, ageMs))} ago`;
  return told(
    ageMs <= maxAgeMs,
    ageMs <= maxAgeMs ? says : `${says}, more than ${formatMs(maxAgeMs)}: audit again, or give a longer --max-age to repair plan`,
    ageMs,
  );
}

/** No row is as the plan saw it any more: it is as it is to be, or somebody else's, as is the version that it was to get. */
async function rowsWritten(world: RepairWorld, {signal}: Ctx, target: Target, want: Json, via: 'any' | 'independent'): Promise<Answer> {
  const args = sliceArguments.parse(want);
  const {member, repair} = placeOf(world, target);
  const lines = linesOfStep(world, target, args);
  const asked = (via === 'independent' ? (await world.independent(storeName(target))).abilities.repair : undefined) ?? repair;
  const stands = await asked.stand(member, args.table, lines.map(changeOf), signal);
  const untouched = lines.filter((_, index) => stands[index] === 'from');
  const outdated = await outdatedIn(asked, args.table, untouched, signal);
  const open = untouched.length - outdated.size;
  const others = stands.filter((stand) => stand === 'other').length + outdated.size;
  const rows = `${lines.length - open - others} of ${lines.length} rows of ${args.table} on ${member} are as planned`;
  return told(open === 0, others === 0 ? rows : `${rows}, ${others} were written by others, there or where they come from`, {open, others});
}

async function originDropped(world: RepairWorld, {signal}: Ctx, target: Target): Promise<Answer> {
  const {repair, member} = placeOf(world, target);
  try {
    const isGone = await repair.isReleased(member, signal);
    return told(
      isGone,
      isGone ? `nothing of the repair is left on ${member}` : `the replication origin of the repair is still on ${member}`,
    );
  } catch (error) {
    signal.throwIfAborted();
    return told(null, `it could not be told whether the origin of the repair is still on ${member}: ${messageOf(error)}`);
  }
}

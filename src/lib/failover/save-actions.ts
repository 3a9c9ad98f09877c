import {z} from 'zod';
import {isRegionctlError, refused} from '../errors.ts';
import {formatBytes} from '../output/units.ts';
import type {Action, Answer, Check, Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Target} from '../plan/plan.ts';
import type {Saved} from '../ports/store.ts';
import {action} from './store-actions.ts';
import {abilityOf, memberOf, type StoreWorld, storeFor} from './store-world.ts';

const saving = z.object({upstream: z.string()});

/** Keeps what a member holds alone before its data is overwritten, and the questions about that. */
export function savingOf(world: StoreWorld): {readonly actions: readonly Action[]; readonly checks: readonly Check[]} {
  // Of members that held nothing there is nothing on disk by which to tell.
  const done = new Map<string, string>();
  return {
    actions: [
      action({
        name: 'store.save',
        effect: 'reversible',
        schema: saving,
        describe: (target, {upstream}) => `keep the log and the rows that ${target.member} holds and ${upstream} does not`,
        apply: async (ctx, target, {upstream}) => {
          const {says, kept} = await save(world, ctx, target, upstream);
          done.set(memberOf(target), says);
          return {says, kept};
        },
      }),
    ],
    checks: [
      {name: 'store.can-save', ask: (ctx, target) => canSave(world, ctx, target)},
      {
        name: 'store.kept',
        ask: async (ctx, target) => wasKept(world, done.get(memberOf(target)), memberOf(target), dirOf(world, ctx, target)),
      },
    ],
  };
}

const dirOf = ({keeping}: StoreWorld, {runId}: Ctx, target: Target): string => keeping.dirOf(runId, memberOf(target));

async function wasKept({keeping}: StoreWorld, says: string | undefined, member: string, dir: string): Promise<Answer> {
  const there = await keeping.isWhole(dir);
  const text = says ?? (there ? `what ${member} held alone is in ${dir}` : `what ${member} holds alone is not kept yet`);
  return {holds: there || says !== undefined, measured: there ? dir : null, says: text};
}

async function save(world: StoreWorld, ctx: Ctx, target: Target, upstream: string): Promise<{readonly says: string; readonly kept: Json}> {
  const member = memberOf(target);
  const dir = dirOf(world, ctx, target);
  const kept = await keep(world, ctx, target, upstream, dir);
  if (kept === null) return {says: `${member} holds nothing that ${upstream} does not`, kept: null};
  const {rows, tables, walBytes, files, missing = []} = kept;
  return {says: keptText(kept, dir), kept: {member, dir, rows, tables: [...tables], walBytes, files: [...files], missing: [...missing]}};
}

/** Nothing is overwritten before it is kept, unless a person says that it may be lost. */
async function keep(world: StoreWorld, ctx: Ctx, target: Target, upstream: string, dir: string): Promise<Saved | null> {
  const {save: work} = abilityOf(world, target, 'rejoin');
  const member = memberOf(target);
  if (work === undefined)
    throw refused('no-ability', `${target.store} cannot keep what ${member} holds alone`, {suggestions: [giveUp(target)]});
  try {
    return await work(ctx, member, upstream, dir);
  } catch (error) {
    if (!isRegionctlError(error)) throw error;
    throw refused(error.code, `${error.message} What ${member} holds alone is not kept, so it was not overwritten. ${giveUp(target)}`, {
      cause: error,
    });
  }
}

const giveUp = (target: Target): string =>
  `If it may be lost, leave it out: regionctl failback run --override keep:${target.store} --reason "…".`;

/** `DIR` last, so that it can be copied from a cut line. */
function keptText({rows, tables, walBytes, missing = []}: Saved, dir: string): string {
  const what = `${rows} ${rows === 1 ? 'row' : 'rows'}${tables.length === 0 ? '' : ` of ${tables.join(', ')}`} and ${formatBytes(walBytes)} of its log`;
  return [`kept ${what} in ${dir}`, ...missing].join('; ');
}

async function canSave(world: StoreWorld, ctx: Ctx, target: Target): Promise<Answer> {
  const member = memberOf(target);
  const {save: work, options} = abilityOf(world, target, 'rejoin');
  if (work === undefined) return {holds: false, measured: null, says: `${target.store} cannot keep what ${member} holds alone`};
  const cell = (await storeFor(world, target).store.observe(ctx.signal, [member]))[member];
  if (cell?.known === true) return {holds: true, measured: 'answers', says: `what ${member} holds alone is kept before it is overwritten`};
  const ways = await options(member, ctx.signal);
  if (ways.length === 0)
    return {
      holds: false,
      measured: null,
      says: `${member} does not answer (${cell?.reason ?? 'unknown'}), so what it holds alone cannot be kept`,
    };
  return {
    holds: true,
    measured: 'stopped',
    says: `${member} is started as a standby of nobody, and what it holds alone is kept before it is overwritten`,
  };
}

import {z} from 'zod';
import {type Comparison, compareMembers} from '../consistency/compare.ts';
import {refused} from '../errors.ts';
import type {Action} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import {action} from './store-actions.ts';
import {abilityOf, readMember, readMembers, type StoreWorld, storeFor} from './store-world.ts';

/** `mayMiss`: members that are left out, and named, when they do not follow. */
const equalArguments = z.object({members: z.array(z.string()).min(2), primary: z.string(), mayMiss: z.array(z.string()).default([])});

/** Proofs that the data is the same everywhere. */
export function verifyActions(world: StoreWorld): readonly Action[] {
  return [verifyEqual(world)];
}

/** Under load some rows never stand still; they are named, and a run has not failed because of them. */
function onlyMoving({verdict, tables}: Comparison): boolean {
  const failed = tables.filter(({error}) => error !== null);
  return verdict === 'unknown' && failed.length > 0 && failed.every(({code}) => code === 'moving');
}

const verifyEqual = (world: StoreWorld) =>
  action({
    name: 'verify.equal',
    effect: 'none',
    schema: equalArguments,
    describe: (target, {members}) => `compare every row of ${target.store} in ${members.join(', ')}`,
    apply: async (ctx, target, {members: all, primary, mayMiss}) => {
      const {store, spec} = storeFor(world, target);
      const seen = mayMiss.length === 0 ? [] : await readMembers(store, [...mayMiss, primary], ctx);
      const leads = seen.find(({name}) => name === primary)?.member.durable.epoch ?? 0;
      // One on an earlier timeline hears the primary, and may never have what is compared.
      const there = seen
        .filter(({member}) => member.role === 'standby' && member.upstream === primary && member.durable.epoch >= leads)
        .filter(({member}) => member.heardUpstreamAgoMs !== null)
        .map(({name}) => name);
      const members = all.filter((name) => !mayMiss.includes(name) || there.includes(name));
      const missing = all.filter((name) => !members.includes(name));
      const latest = async () => (await readMember(store, primary, ctx)).durable;
      const at = await latest();
      const compared = members.map((member) => ({member, region: spec.members.find(({name}) => name === member)?.region ?? member}));
      const result = await compareMembers(abilityOf(world, target, 'digest'), compared, at, ctx.signal, {latest});
      if (result.verdict !== 'equal' && !onlyMoving(result))
        throw refused(result.verdict, `${target.store} is not proven equal: ${result.reason}`);
      return {
        verdict: result.verdict,
        rows: result.coverage.rows,
        says: `${result.reason.replace(/\.$/, '')}${missing.length === 0 ? '' : `, without ${missing.join(', ')}`}, as of timeline ${at.epoch}, position ${at.offset}`,
        asOf: result.asOf,
        tables: result.coverage.tables,
      } as unknown as Json;
    },
  });

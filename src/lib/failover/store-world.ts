import {refused, unavailable} from '../errors.ts';
import type {Fleet, StoreSpec} from '../fleet/fleet.ts';
import type {Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Target} from '../plan/plan.ts';
import type {Clock} from '../ports/clock.ts';
import type {Finding} from '../ports/finding.ts';
import type {Hooks} from '../ports/hook.ts';
import type {Abilities, Proof, Store} from '../ports/store.ts';
import {comparePositions} from '../snapshot/position.ts';
import type {Member} from '../snapshot/snapshot.ts';

/** Where this machine keeps what a member would lose, and whether it is there, whole. */
export type Keeping = {dirOf(runId: string, member: string): string; isWhole(dir: string): Promise<boolean>};

/** What the actions and checks of stores work on. `independent` opens a second path to the store, with sessions of its own. */
export type StoreWorld = {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly keeping: Keeping;
  readonly stores: Readonly<Record<string, Store>>;
  independent(store: string): Promise<Store>;
  readonly hooks: Hooks;
  /** Members for which this process has tried for the best proof that they cannot write, and what it got. */
  readonly tried: Map<string, Proof['kind']>;
  /** Per member: the last proof that this process made of it. */
  readonly proofs: Map<string, Proof>;
  /** What a resumed run's guards are held to instead of what the plan says, in ms; null = as the plan says. */
  readonly guardForMs: number | null;
  /** Per store: what the target held right before it was promoted, to count from. */
  readonly marks: Map<string, Json>;
  /** Former primaries of which this process has counted, or tried to count, what they acknowledged alone. */
  readonly counted: Set<string>;
  /** Stores that this process has taken from whoever had them. */
  readonly evicted: Set<string>;
  /** Per store: when the newest proof was begun to be looked for, in ms of the monotonic clock. */
  readonly provenAt: Map<string, number>;
  /** Members that this run's fences have looked at and not touched, so that there is nothing to undo. null = a former process may have. */
  readonly spared: Set<string> | null;
};

/** The store that a target names. */
export function storeFor(world: StoreWorld, target: Target): {name: string; store: Store; spec: StoreSpec} {
  const name = target.store ?? '';
  const store = world.stores[name];
  const spec = world.fleet.stores.find((candidate) => candidate.name === name);
  if (store === undefined || spec === undefined) throw refused('unknown-store', `the fleet file has no store called "${name}" any more`);
  return {name, store, spec};
}

/** An ability of the target's store; refuses (77) when its engine does not have it. */
export function abilityOf<K extends keyof Abilities>(world: StoreWorld, target: Target, key: K): Abilities[K] {
  const {name, store} = storeFor(world, target);
  const ability = store.abilities[key];
  if (ability === undefined) throw refused('no-ability', `${name} (${store.engine}) cannot ${key}`);
  return ability;
}

/** The member that a target names. */
export function memberOf(target: Target): string {
  if (target.member === undefined) throw refused('no-member', 'the step does not name a member');
  return target.member;
}

/** Reads one member; throws when it does not answer. */
export async function readMember(store: Store, member: string, ctx: Ctx): Promise<Member> {
  const cell = (await store.observe(ctx.signal, [member]))[member];
  if (cell?.known) return cell.value;
  throw unavailable(cell?.code ?? 'unknown', `${member} could not be read: ${cell?.reason ?? 'the fleet file has no such member'}`);
}

/** Reads several members at once; those that do not answer are left out. */
export async function readMembers(store: Store, members: readonly string[], ctx: Ctx): Promise<readonly {name: string; member: Member}[]> {
  const cells = await store.observe(ctx.signal, members);
  return members.flatMap((name) => {
    const cell = cells[name];
    return cell?.known ? [{name, member: cell.value}] : [];
  });
}

/** Whether a member has applied all that it can apply of what it holds. */
export function hasReplayed({applied, durable, drained}: Member): boolean {
  return drained === true || (comparePositions(applied, durable) ?? -1) >= 0;
}

/** What was found, and in brackets what to do about it. */
export const withFix = ({says, fix}: Finding): string => (fix === null ? says : `${says} (${fix})`);

import {inOrder} from '../../src/lib/failover/steps.ts';
import type {StoreWorld} from '../../src/lib/failover/store-world.ts';
import type {Action} from '../../src/lib/plan/action.ts';
import type {Plan, Step} from '../../src/lib/plan/plan.ts';
import type {Lease} from '../../src/lib/ports/state.ts';
import type {Store} from '../../src/lib/ports/store.ts';
import {known} from '../../src/lib/snapshot/cell.ts';

/** The engine without one of its guards: small wrappers around what the real engine is given, never another text of it. */
export type Mutant = {
  readonly name: string;
  readonly plan?: (plan: Plan) => Plan;
  readonly store?: (store: Store) => Store;
  /** Whoever asks has the claim. */
  readonly claimGranted?: true;
  /** The claim is asked about, and statements are sent over any connection. */
  readonly unbound?: true;
  readonly lease?: (take: () => Lease) => Lease;
  readonly provenAt?: () => Map<string, number>;
  readonly action?: (action: Action, world: StoreWorld) => Action;
};

/** The engine as it is. */
export const ENGINE: Mutant = {name: 'engine'};

/** Every guard that a failover stands on, taken away one at a time. */
export const MUTANTS: readonly Mutant[] = [
  {
    // Standbys keep their upstream, and every one that answers counts as sealed.
    name: 'no-seal',
    plan: (plan) => without(plan, ['store.seal'], ['store.sealed']),
    store: (store) => {
      const {seal} = store.abilities;
      if (seal === undefined) return store;
      const sealed: typeof seal.sealed = async (ctx, members) => {
        const cells = await store.observe(ctx.signal, members);
        return Object.fromEntries(Object.entries(cells).map(([name, cell]) => [name, cell.known ? known(true, cell.at, cell.via) : cell]));
      };
      return {...store, abilities: {...store.abilities, seal: {...seal, sealed}}};
    },
  },
  {
    // What was proven once is taken for true ever after.
    name: 'no-re-proof',
    plan: (plan) => without(plan, [], ['store.fenced', 'store.sealed']),
    provenAt: () => new NeverOld(),
  },
  {name: 'no-claim', claimGranted: true},
  {name: 'no-binding', unbound: true},
  {
    // A lease is given to whoever asks, and nobody finds out that another one has it.
    name: 'no-lease-check',
    lease: (take) => {
      try {
        return {...take(), check: () => {}};
      } catch {
        return {token: 'none', check: () => {}, release: () => {}};
      }
    },
  },
  {
    // The wanted target is promoted as it is, whoever is ahead of it.
    name: 'no-position-choice',
    plan: (plan) => without(plan, ['store.catch-up'], ['store.most-advanced']),
  },
];

/** A plan without the steps that do something, and without what promotions ask. */
function without(plan: Plan, actions: readonly string[], asked: readonly string[]): Plan {
  const left = plan.steps.filter((step) => !actions.includes(step.do.action));
  const kept = left.map((step) => ({...step, after: step.after.filter((id) => left.some((other) => other.id === id))}));
  const steps = kept.map((step): Step => {
    if (!step.pivot) return step;
    return {...step, requires: step.requires.filter(({check}) => !asked.includes(check))};
  });
  return {...plan, steps: inOrder(steps)};
}

/** A proof that never grows old. */
class NeverOld extends Map<string, number> {
  override get(): number {
    return Number.POSITIVE_INFINITY;
  }
}

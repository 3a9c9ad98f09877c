import type {Action, Check, Standing} from '../../src/lib/plan/action.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {Expectation, Plan, Step} from '../../src/lib/plan/plan.ts';
import {ActionRegistry, CheckRegistry} from '../../src/lib/run/registry.ts';

/** The simulated world: named switches. */
export type World = {get(name: string): string; set(name: string, value: string): void};

/** What actions did, in order, such as `a=on`. */
export type SimulatedWorld = World & {readonly log: string[]; readonly values: Map<string, string>};

/** A world in memory; every switch is `off` at first. */
export function memoryWorld(): SimulatedWorld {
  const values = new Map<string, string>();
  const log: string[] = [];
  return {
    values,
    log,
    get: (name) => values.get(name) ?? 'off',
    set: (name, value) => {
      log.push(`${name}=${value}`);
      values.set(name, value);
    },
  };
}

type SetArgs = {readonly name: string; readonly to: string};

/** What tests change of the registries: `apply` runs instead of (or around) the effect of `set`. */
export type Tweaks = {
  readonly apply?: (args: SetArgs, set: () => void, signal: AbortSignal) => Promise<Json | undefined>;
  readonly look?: (args: SetArgs, standing: Standing) => Standing;
  readonly answer?: (name: string, value: string, want: Json) => boolean | null;
};

/** The registries of the simulated world: actions `set` (an effect) and `read` (none), check `is`. */
export function simulated(world: World, tweaks: Tweaks = {}) {
  const set: Action<SetArgs> = {
    name: 'set',
    v: 1,
    effect: 'reversible',
    parse: parseArgs,
    describe: (_, {name, to}) => `set ${name} to ${to}`,
    look: async (_, __, args) => {
      const standing: Standing = world.get(args.name) === args.to ? 'done' : 'before';
      return tweaks.look?.(args, standing) ?? standing;
    },
    apply: async (ctx, _, args) => {
      const effect = () => world.set(args.name, args.to);
      const result = tweaks.apply === undefined ? effect() : await tweaks.apply(args, effect, ctx.signal);
      return result ?? {set: args.name};
    },
  };
  const read: Action<SetArgs> = {
    ...set,
    name: 'read',
    effect: 'none',
    look: async () => 'before',
    apply: async (_, __, {name}) => world.get(name),
  };
  const is: Check = {
    name: 'is',
    ask: async (_, target, want) => {
      const name = target.member ?? '';
      const value = world.get(name);
      const holds = tweaks.answer === undefined ? value === want : tweaks.answer(name, value, want);
      return {holds, measured: value, says: `${name} is ${value}`};
    },
  };
  return {actions: new ActionRegistry([set, read] as unknown as Action[]), checks: new CheckRegistry([is])};
}

/** The fact that a switch has a value. */
export function fact(name: string, want: string): Expectation {
  return {check: 'is', target: {member: name}, want, via: 'any', maxAgeMs: 1000};
}

/** A step that turns a switch on, undone by turning it off. */
export function step(id: string, part: Partial<Step> = {}): Step {
  const target = {store: 'orders', member: id};
  return {
    id,
    phase: 'promote',
    title: `Turn ${id} on`,
    after: [],
    do: {action: 'set', v: 1, target, args: {name: id, to: 'on'}},
    requires: [],
    ensures: [fact(id, 'on')],
    undo: {action: 'set', v: 1, target, args: {name: id, to: 'off'}},
    pivot: false,
    leaseMs: null,
    hold: null,
    approval: null,
    deadlineMs: 1000,
    onFailure: 'undo',
    ...part,
  };
}

/** A plan of steps with everything else empty. */
export function planOf(steps: readonly Step[], part: Partial<Plan> = {}): Plan {
  return {
    version: 1,
    id: 'plan-1',
    kind: 'failover',
    from: 'us-east',
    to: 'eu-west',
    snapshot: {version: 1, takenAt: '2027-01-15T08:00:00.000Z', fleetDigest: 'd', vantage: 'here', regions: {}, stores: {}, routers: {}},
    expects: [],
    gates: [],
    overrides: [],
    steps,
    abortIf: [],
    always: [],
    files: [],
    objectives: [],
    expected: {gapMs: null, loss: []},
    drill: null,
    ...part,
  };
}

function parseArgs(args: Json): SetArgs {
  const {name, to} = args as {name?: Json; to?: Json};
  if (typeof name !== 'string' || typeof to !== 'string') throw new Error('args.name and args.to must be text');
  return {name, to};
}

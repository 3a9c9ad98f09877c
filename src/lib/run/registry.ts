import {isRegionctlError, messageOf, stateError, usageError} from '../errors.ts';
import type {Action, Answer, Check} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Call} from '../plan/plan.ts';

/** A call with its action found and its arguments parsed. */
export type BoundCall = Pick<Action, 'effect'> & {
  readonly look: (ctx: Parameters<Action['look']>[0]) => ReturnType<Action['look']>;
  readonly apply: (ctx: Parameters<Action['apply']>[0]) => ReturnType<Action['apply']>;
  readonly still: ((ctx: Parameters<Action['look']>[0], result: Json) => Promise<Answer>) | null;
  readonly says: string;
};

/** The actions that a plan may name, by name and version. A name twice in the same version is an error. */
export class ActionRegistry {
  readonly #known = new Map<string, Action>();

  constructor(actions: Iterable<Action>) {
    for (const action of actions) add(this.#known, `${action.name} v${action.v}`, action, 'action');
  }

  /** Names with their versions, sorted. */
  names(): readonly string[] {
    return [...this.#known.keys()].sort();
  }

  /** The action in exactly this version: a journal is read by the version that wrote it. Unknown = an error that lists the known ones. */
  get(name: string, v: number): Action {
    return find(this.#known, `${name} v${v}`, 'action');
  }

  /** Finds the action of a call and parses its arguments. Throws a usage error (64) that names the action and the field. */
  bind(call: Call): BoundCall {
    const action = this.get(call.action, call.v);
    const args = argumentsOf(action, call);
    const {still} = action;
    return {
      effect: action.effect,
      says: action.describe(call.target, args),
      still: still === undefined ? null : (ctx, result) => still.call(action, ctx, call.target, args, result),
      look: (ctx) => action.look(ctx, call.target, args),
      apply: (ctx) => action.apply(ctx, call.target, args),
    };
  }
}

function argumentsOf(action: Action, call: Call): Json {
  try {
    return action.parse(call.args);
  } catch (error) {
    if (isRegionctlError(error)) throw error;
    throw usageError(`the arguments of ${call.action} are wrong: ${messageOf(error)}`, {cause: error});
  }
}

/** The checks that an expectation may name. */
export class CheckRegistry {
  readonly #known = new Map<string, Check>();

  constructor(checks: Iterable<Check>) {
    for (const check of checks) add(this.#known, check.name, check, 'check');
  }

  /** Sorted. */
  names(): readonly string[] {
    return [...this.#known.keys()].sort();
  }

  /** Unknown = an error that lists the known ones. */
  get(name: string): Check {
    return find(this.#known, name, 'check');
  }
}

function add<T>(known: Map<string, T>, name: string, value: T, what: string): void {
  if (known.has(name)) throw stateError('duplicate-name', `The ${what} ${name} is registered twice.`);
  known.set(name, value);
}

function find<T>(known: ReadonlyMap<string, T>, name: string, what: string): T {
  const value = known.get(name);
  if (value !== undefined) return value;
  const names = [...known.keys()].sort().join(', ');
  throw usageError(`There is no ${what} ${name}. Known: ${names === '' ? 'none' : names}.`);
}

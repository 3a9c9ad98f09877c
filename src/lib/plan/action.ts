import type {Json} from './json.ts';
import type {Target} from './plan.ts';

/** What every effect is given. `deadline` and `now` are on the monotonic clock, in ms. `token` names the holder of the lease. */
export type Ctx = {
  readonly runId: string;
  readonly token: string;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly deadline: number;
};

/** Where a target stands with regard to an action: not touched yet, already there, somewhere unexpected, or it could not be read. */
export type Standing = 'before' | 'done' | 'elsewhere' | 'unknown';

/** The only kind of code that touches the world. */
export type Action<A extends Json = Json> = {
  readonly name: string;
  readonly v: number;
  readonly effect: 'none' | 'reversible' | 'leased' | 'irreversible';
  /** Checks and types the arguments; throws a UsageError that names the field. */
  parse(args: Json): A;
  /** One line in the imperative: what will be done, with its values. */
  describe(target: Target, args: A): string;
  /** Asked before every first or repeated apply. `elsewhere` and `unknown` stop the run. */
  look(ctx: Ctx, target: Target, args: A): Promise<Standing>;
  /** Asked on resume of a pivot that has a result: does what it reached stand as it was recorded, or did another hand move it since? */
  still?(ctx: Ctx, target: Target, args: A, result: Json): Promise<Answer>;
  /** The effect. Idempotent; what it returns is journaled and shown. */
  apply(ctx: Ctx, target: Target, args: A): Promise<Json>;
};

/** What a check answers. `holds` null = it could not be told. `says` is one sentence with the measured value. */
export type Answer = {readonly holds: boolean | null; readonly measured: Json; readonly says: string};

/** A question that an Expectation asks by name. It never writes. */
export type Check = {readonly name: string; ask(ctx: Ctx, target: Target, want: Json, via: 'any' | 'independent'): Promise<Answer>};

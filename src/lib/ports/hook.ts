import type {Ctx} from '../plan/action.ts';

/** What a hook is told about the place that it acts on, in its environment. What is not known is left out. */
export type HookPlace = {
  readonly region?: string | null;
  readonly store?: string | null;
  readonly member?: string | null;
  readonly from?: string | null;
  readonly to?: string | null;
};

/** What a hook's own check says. `holds` null = it could not be asked. `says` is one sentence with the last line that it printed. */
export type HookAnswer = {readonly holds: boolean | null; readonly says: string};

/** Commands of the fleet file, by the name that it gives them. A name that it does not have throws a usage error (exit 64). */
export type Hooks = {
  has(name: string): boolean;
  /**
   * Runs the hook to its end, never past its own timeout or `ctx.deadline`. Throws `hook-failed` or `hook-timeout` (exit 69), or the reason
   * of `ctx.signal`. `tail` is the end of what it printed, without secrets.
   */
  run(name: string, place: HookPlace, ctx: Ctx): Promise<{readonly exit: 0; readonly tail: string}>;
  /**
   * Runs the hook with `input` on its stdin, and answers all that it prints on stdout, as it is: it may hold rows, and goes nowhere but to who asked. At
   * most 16 MiB. Throws as `run`.
   */
  ask(name: string, place: HookPlace, input: string, ctx: Ctx): Promise<string>;
  /** Asks the hook's `verify` once. A hook without one answers `holds` null. Throws only the reason of `ctx.signal`. */
  verify(name: string, place: HookPlace, ctx: Ctx): Promise<HookAnswer>;
};

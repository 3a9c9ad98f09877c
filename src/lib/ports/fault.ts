import type {Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Cell} from '../snapshot/cell.ts';

/** The end of a fault as its injector wrote it down. `at` is epoch ms; `by` its lease, or somebody who healed it. */
export type FaultEnd = {readonly kind: string; readonly at: number; readonly by: 'lease' | 'heal'};

/** A fault that is asked for. `region` is the name of a region, or of a route for a fault of a router. */
export type FaultOrder = {readonly kind: string; readonly region: string; readonly args: Json; readonly leaseMs: number};

/** What is wrong with a fault that is asked for, and with which part of it; `arg` names the one argument of `args`. `fix` is what to do, a sentence. */
export type FaultTrouble = {
  readonly field: 'kind' | 'region' | 'lease' | 'args';
  readonly arg?: string;
  readonly says: string;
  readonly fix: string;
};

/** Fault port. Every fault carries a lease that ends it even if the injector dies. `region` is the name of a region, or of a route for a fault of a router. */
export type Fault = {
  /** The kinds that it can inject, such as `lose` or `partition`. */
  readonly kinds: readonly string[];
  /**
   * It cannot end a fault by itself: its faults are injected under the watch of a reaper, a process that heals when the lease ends. Absent = it keeps the
   * lease itself. Either way `heal` and `active` know every fault, also of an injector that has died.
   */
  readonly needsReaper?: true;
  /** How long an injection may go on by itself when whoever asked for it has died, in ms. Absent = not at all. */
  readonly lateMs?: number;
  /** How long `inject` may take at most, in ms, with taking back one that failed. Absent = less than 30 s. What takes longer is cut short. */
  readonly injectMs?: number;
  /** How long `heal` may take at most, in ms, and `active` after it, together. Absent = less than 30 s. What takes longer is cut short, by whoever heals. */
  readonly healMs?: number;
  /**
   * What is wrong with a fault, as far as it can be told without asking anybody; null = nothing. `beside`: the faults that are to be there already. Injecting
   * one that it does not accept is refused. Absent = nobody can tell before it is tried.
   */
  accepts?(fault: FaultOrder, beside: readonly FaultOrder[]): FaultTrouble | null;
  inject(ctx: Ctx, fault: FaultOrder): Promise<Json>;
  /** Ends every fault of the region; with `kind`, those of that kind at least. Nothing to heal = success. */
  heal(ctx: Ctx, region: string, kind?: string): Promise<void>;
  /** Whether a fault is active on the region now. */
  active(region: string, signal: AbortSignal): Promise<Cell<readonly string[]>>;
  /** The last end of each kind on the region, as far as the injector wrote it down. Absent = it keeps no record. */
  ended?(region: string, signal: AbortSignal): Promise<Cell<readonly FaultEnd[]>>;
  /**
   * The kinds of `kinds` that cannot be had here, each with one sentence why; `{}` = all can. Injecting one of them is refused. Absent = nobody
   * can tell before it is tried. Throws when the injector cannot be reached.
   */
  unavailable?(signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
};

import type {Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Cell} from '../snapshot/cell.ts';

/** Fault port. Every fault carries a lease that ends it even if the injector dies. `region` is the name of a region, or of a route for a fault of a router. */
export type Fault = {
  /** The kinds that it can inject, such as `lose` or `partition`. */
  readonly kinds: readonly string[];
  inject(ctx: Ctx, fault: {kind: string; region: string; args: Json; leaseMs: number}): Promise<Json>;
  /** Ends every fault of the region. Nothing to heal = success. */
  heal(ctx: Ctx, region: string): Promise<void>;
  /** Whether a fault is active on the region now. */
  active(region: string, signal: AbortSignal): Promise<Cell<readonly string[]>>;
  /**
   * The kinds of `kinds` that cannot be had here, each with one sentence why; `{}` = all can. Injecting one of them is refused. Absent = nobody
   * can tell before it is tried. Throws when the injector cannot be reached.
   */
  unavailable?(signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
};

import type {Ctx} from '../plan/action.ts';

/** Router port: the share of new traffic per region, as absolute weights from 0 to 100. */
export type Router = {
  read(signal: AbortSignal): Promise<Readonly<Record<string, number>>>;
  write(ctx: Ctx, weights: Readonly<Record<string, number>>): Promise<void>;
  /** Ability: ends the sessions that are open to a region. Answers how many. */
  cut?(ctx: Ctx, region: string): Promise<number>;
};

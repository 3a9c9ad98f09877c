import type {Clock} from '../../ports/clock.ts';
import type {Store} from '../../ports/store.ts';
import type {AuditedMember, TableResult} from '../audit/model.ts';
import type {AuditVerdict} from '../audit/verdict.ts';

/** An audit that a repair ends with. */
export type AuditOrder = {
  readonly store: string;
  readonly tables: readonly string[];
  readonly members: readonly AuditedMember[];
  readonly settleMs: number;
  /** Most keys that are listed per table. */
  readonly limit: number;
  readonly signal: AbortSignal;
};

export type AuditDone = {
  readonly id: string;
  readonly mode: 'full' | 'quick';
  readonly verdict: AuditVerdict;
  readonly reason: string;
  readonly tables: readonly TableResult[];
};

/** What the actions and checks of repairs work on. `independent` opens a second path to a store, with sessions of its own. */
export type RepairWorld = {
  readonly clock: Clock;
  readonly stores: Readonly<Record<string, Store>>;
  independent(store: string): Promise<Store>;
  /** Where the rows file with a digest is. Throws `rows-missing` (77). */
  readonly rows: {find(sha256: string): string};
  /** Only what was written since the last audit where there is one, else everything. */
  audit(order: AuditOrder): Promise<AuditDone>;
};
